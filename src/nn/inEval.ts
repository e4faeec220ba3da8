/** A model in `eval` for as long as it is asked something. */

interface Trainable {
  namedModules(): ReadonlyMap<string, { training: boolean }>
}

/** Does something with a model in `eval`, and leaves it as it was. */
export function inEval<T>(model: Trainable, fn: () => T): T {
  const trained = [...model.namedModules().values()].filter(({ training }) => training)
  for (const module of trained) module.training = false
  try {
    return fn()
  } finally {
    for (const module of trained) module.training = true
  }
}
