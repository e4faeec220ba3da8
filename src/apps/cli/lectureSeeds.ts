/** `neuroblas lecture --seeds N`: which claims hold whatever the seeds are, and which are luck. */

import type { Claim, Experiment } from '../lecture/experiment.js'
import { formatMeasured } from '../lecture/numbers.js'
import { runExperiments } from '../lecture/run.js'
import { print } from './table.js'

/**
 * Runs each experiment with its own seeds and with shifted ones, and prints of each claim how often it
 * held, and what was measured where it did not.
 * @param seeds how many seeds
 * @returns whether every claim held with every seed, as far as the signal let it go
 */
export async function runSeeds(
  experiments: readonly Experiment[],
  seeds: number,
  { quick, signal }: { quick: boolean; signal: AbortSignal },
): Promise<boolean> {
  let allHeld = true
  for (const experiment of experiments) {
    const runs: Claim[][] = []
    for (let seed = 0; seed < seeds && !signal.aborted; seed++) {
      const [finished] = await runExperiments([experiment], { quick, seed, signal })
      if (finished) runs.push(finished.claims)
    }
    if (runs.length === 0) break
    print(`${experiment.name}: ${experiment.title}`)
    for (const [i, { claim }] of runs[0].entries()) {
      const failed = runs.flatMap((claims, seed) => (claims[i]?.ok ? [] : [{ seed, ...claims[i] }]))
      allHeld &&= failed.length === 0
      print(
        `  ${runs.length - failed.length} of ${runs.length}  ${claim}: ${formatMeasured(runs[0][i].measured)}`,
      )
      for (const { seed, measured } of failed)
        print(`    not with seed ${seed}: ${formatMeasured(measured)}`)
    }
  }
  return allHeld
}
