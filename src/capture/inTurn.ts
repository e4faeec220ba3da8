/** Replays that wait until nobody else uses what they do. */
import type { Backend } from '../backend/backend.js'
import { Lock, type Uses } from '../tensor/locks.js'
import { Scope, Storage, within } from '../tensor/storage.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'

/** A recorded function, as far as it matters here. */
interface Replayed {
  readonly backend: Backend
  readonly uses: Uses
  /** Runs under way, and those that wait for their turn. */
  runs: number
  refuseDisposed(): void
}

/**
 * Replays functions when nobody excludes them any more, with the arguments of each as they are now: those
 * that wait are copied.
 */
export async function inTurn<T>(
  op: 'run' | 'runMany',
  functions: readonly Replayed[],
  args: readonly (readonly AnyTensor[])[],
  replay: (args: readonly (readonly AnyTensor[])[]) => Promise<T>,
): Promise<T> {
  const lock = new Lock(op, together(functions))
  const copies = new Scope()
  const refuseDisposed = () => {
    for (const each of functions) each.refuseDisposed()
  }
  for (const each of functions) each.runs++
  try {
    let given = args
    if (!lock.isHeld) {
      given = within(copies, () =>
        args.map((list, i) => list.map((x) => copyOf(functions[i].backend, x))),
      )
      await lock.turn()
      refuseDisposed()
    }
    return await replay(given)
  } catch (error) {
    refuseDisposed()
    throw error
  } finally {
    copies.end()
    for (const each of functions) each.runs--
    lock.release()
  }
}

function together(functions: readonly Replayed[]): Uses {
  if (functions.length === 1) return functions[0].uses
  return {
    reads: new Set(functions.flatMap(({ uses }) => [...uses.reads])),
    writes: new Set(functions.flatMap(({ uses }) => [...uses.writes])),
  }
}

/** A copy without a graph. */
function copyOf(backend: Backend, { handle, dtype, size, shape }: AnyTensor): AnyTensor {
  const copy = new Tensor(new Storage(backend, dtype, size), shape)
  backend.run('copy2d', handle, copy.handle, 1, size, 0, size, 0, size)
  return copy
}
