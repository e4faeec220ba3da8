/**
 * The limit of one core, the other yardstick of the benchmark: how long the operations of a step's
 * products take when nothing comes from memory.
 */
import { loadAddon } from '../../internal.js'
import type { TrainingCase } from './cases.js'
import type { TimedRun } from './measure.js'
import { flopsOf } from './products.js'

export function bareOperations(c: TrainingCase): TimedRun {
  const addon = loadAddon()
  const flops = flopsOf(c)
  return (steps) => addon.timeFlops(steps * flops)
}
