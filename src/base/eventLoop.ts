/** Turns of the event loop for work that is done on its own thread. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long the event loop waits for such work at a time, in milliseconds. */
const TURN = 1

/** Called between parts of the work; gives the event loop its turn where one is due. */
export function turns(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < TURN) return
    await nextTurn()
    last = performance.now()
  }
}
