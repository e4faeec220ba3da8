/**
 * The limit of one core, the other yardstick of the benchmark: how long the operations of a step's
 * products take when nothing comes from memory.
 */
import { loadAddon } from '../../internal.js'
import type { Case } from './cases.js'
import type { Measurement } from './fitting.js'
import { flopsOf } from './flops.js'
import { measure } from './measure.js'

/** Operations that take 0.1 ms or so: windows are short, however long the step is. */
const PIECE = 1e7

/** @param timeFlops seconds that so many operations take */
export function limitRounds(
  c: Case,
  timeFlops = (flops: number) => loadAddon().timeFlops(flops),
): Measurement {
  const pieces = (flopsOf(c) ?? 0) / PIECE
  return async (seconds) => {
    const { usPerStep, windows } = await measure((count) => timeFlops(count * PIECE), seconds)
    return { usPerStep: usPerStep * pieces, windows: windows.map((us) => us * pieces) }
  }
}
