/** Yields to the event loop during long work on JavaScript's thread. */
import { setImmediate as nextIteration } from 'node:timers/promises'

/** The longest that such work keeps the event loop waiting, in milliseconds. */
const LONGEST_WAIT = 1

/** A function to call between parts of the work: it yields to the event loop where that is due. */
export function yielder(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < LONGEST_WAIT) return
    await nextIteration()
    last = performance.now()
  }
}
