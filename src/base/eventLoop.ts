/** Yields to the event loop during long work on JavaScript's thread. */
import { setImmediate } from 'node:timers/promises'

/** Waits until the event loop has seen to what else there is to do. */
export function nextIteration(): Promise<void> {
  return setImmediate()
}

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

/** Work that may be paused wherever it yields. */
export type Pausable<T> = Generator<void, T, void>

/** Work that is not paused. */
// biome-ignore lint/correctness/useYield: it has nothing to yield between
export function* unpaused<T>(work: () => T): Pausable<T> {
  return work()
}

/** So many steps of a loop take far less than a millisecond. */
const BLOCK = 4096

/** Calls `step` with 0 to count - 1; may be paused now and then. */
export function* pausably(count: number, step: (i: number) => void): Pausable<void> {
  for (let start = 0; start < count; start += BLOCK) {
    const end = Math.min(start + BLOCK, count)
    for (let i = start; i < end; i++) step(i)
    yield
  }
}

/** Does all of the work at once. */
export function atOnce<T>(work: Pausable<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Does the work in parts, so that the event loop goes on meanwhile. */
export async function inParts<T>(work: Pausable<T>): Promise<T> {
  const yieldIfDue = yielder()
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    await yieldIfDue()
  }
}
