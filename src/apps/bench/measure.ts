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

/** Mean seconds per step over at least `seconds` and at least 3 steps. */
export async function measure(run: TimedRun, seconds: number): Promise<number> {
  let steps = 0
  let elapsed = 0
  for (let count = 1; elapsed < seconds || steps < 3; ) {
    const time = await run(count)
    elapsed += time
    steps += count
    // Dispatches as long as those of fit.
    if (time < seconds / 10) count *= 2
  }
  return elapsed / steps
}
