/** Timing a step that may be far shorter than the clock's resolution. */

/** Does so many steps and says how many seconds they took. */
export type TimedRun = (steps: number) => number | Promise<number>

/** Wraps one step into a TimedRun. */
export function timed(step: () => void): TimedRun {
  return (steps) => {
    const begin = performance.now()
    for (let i = 0; i < steps; i++) step()
    return (performance.now() - begin) / 1000
  }
}

/**
 * As many steps make a window as take so long, so that the clock and the call do not count, nor what a
 * run does once: ours brings the weights into panels and back.
 */
const WINDOW_SECONDS = 0.1

/** Steps that take minutes each are not waited for three times. */
const PATIENCE_SECONDS = 5

/**
 * Times windows of whole steps, all of as many, for at least `seconds` and at least 3 of them, unless these take
 * longer than 5 s.
 */
export async function measure(
  run: TimedRun,
  seconds: number,
): Promise<{ usPerStep: number; windows: number[] }> {
  let count = 1
  let time = await run(count)
  for (; time < WINDOW_SECONDS; time = await run(count)) count *= 2
  const times = [time]
  let elapsed = time
  while (elapsed < seconds || (times.length < 3 && elapsed < PATIENCE_SECONDS)) {
    time = await run(count)
    times.push(time)
    elapsed += time
  }
  const usPerStep = (seconds: number) => (seconds / count) * 1e6
  return { usPerStep: usPerStep(elapsed / times.length), windows: times.map(usPerStep) }
}
