/** What a training run changes: parameters, buffers, what the optimizer keeps, random generators. */
import { findNotFinite, normOf } from '../nn/finite.js'
import type { Module } from '../nn/module.js'
import type { ExponentialMovingAverage } from '../optim/average.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { KeptTensor } from '../optim/state.js'
import type { Generator } from '../tensor/random.js'
import type { Tensor } from '../tensor/tensor.js'

/** Where the state of a run is. */
export interface RunState {
  model: Module
  optimizer: Optimizer
  /** What follows the weights, if anything does. */
  average?: ExponentialMovingAverage
  /** Those of the run itself, besides the model's. */
  generators: Record<string, Generator>
}

/** All generators by name. */
export function* generatorsOf({
  model,
  generators,
}: Pick<RunState, 'model' | 'generators'>): Iterable<[name: string, Generator]> {
  yield* Object.entries(generators)
  for (const [path, generator] of model.namedGenerators()) yield [`model.${path}`, generator]
}

/** Copies the state; the function that it returns puts it back. */
export function snapshot(run: RunState): () => void {
  const parameters = run.model.stateDict()
  const optimizer = run.optimizer.stateDict()
  const average = run.average?.stateDict()
  const random = [...generatorsOf(run)].map(
    ([, generator]) => [generator, generator.save()] as const,
  )
  return () => {
    run.model.loadStateDict(parameters)
    run.optimizer.loadStateDict(optimizer)
    if (average) run.average?.loadStateDict(average)
    for (const [generator, state] of random) generator.restore(state)
  }
}

/** What an optimizer has made of the parameters. */
export interface Health {
  /** What is not finite among them and what is kept for them, as `NaN in layers.0.weight`. */
  notFinite: string | undefined
  /** Π max(1, ‖parameter‖): by about how much, at most, the network enlarges its inputs. */
  gain: number
}

/** Looks at everything that the optimizer moves and keeps, and at the buffers. */
export function examine(run: Pick<RunState, 'model' | 'optimizer'>): Health {
  const parameters = run.optimizer.parameters()
  const kept = [...run.optimizer.keptTensors()]
  const norms = parameters.map(normOf)
  const buffers = run.model.buffers()
  const isSound =
    buffers.every((buffer) => Number.isFinite(normOf(buffer))) &&
    norms.every(Number.isFinite) &&
    kept.every(({ tensor }) => Number.isFinite(normOf(tensor)))
  return {
    notFinite: isSound ? undefined : findNotFinite(named(run, kept)),
    gain: norms.reduce((product, norm) => product * Math.max(1, norm), 1),
  }
}

function named(
  { model, optimizer }: Pick<RunState, 'model' | 'optimizer'>,
  kept: readonly KeptTensor[],
): [name: string, x: Tensor][] {
  const paths = new Map<Tensor, string>()
  for (const [path, parameter] of model.namedParameters()) paths.set(parameter, path)
  const parameters = optimizer
    .parameters()
    .map((parameter, i): [string, Tensor] => [paths.get(parameter) ?? `parameter ${i}`, parameter])
  const ofThem = kept.map(({ name, index, tensor }): [string, Tensor] => [
    `the ${name} of ${parameters[index][0]}`,
    tensor,
  ])
  return [...parameters, ...ofThem, ...model.namedBuffers()]
}
