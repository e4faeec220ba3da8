/**
 * Rewrites of a tape that save passes over memory, whatever the backend. Each looks for kernels in a
 * certain relation and puts one kernel in their place; what it computes is the same but for rounding.
 */
import type { Tape } from '../backend/tape.js'
import { fuseActivations } from './fuseActivations.js'
import { fuseGradientsWithUpdates } from './fuseUpdates.js'

export function fuse(tape: Tape): Tape {
  return fuseActivations(fuseGradientsWithUpdates(tape))
}
