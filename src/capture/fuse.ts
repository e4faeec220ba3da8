/**
 * Rewrites of a tape that save passes over memory. Each looks for kernels in a certain relation and
 * puts one kernel in their place; what it computes is the same but for rounding.
 */
import { fuseActivations } from './fuseActivations.js'
import { fuseGradientsWithSteps } from './fuseSteps.js'
import type { Tape } from './tape.js'

/** The tape with all rewrites applied. */
export function fuse(tape: Tape): Tape {
  return [fuseGradientsWithSteps, fuseActivations].reduce(
    (before, rewrite) => rewrite(before),
    tape,
  )
}
