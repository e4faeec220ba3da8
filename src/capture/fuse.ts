/**
 * Fusion: one kernel in place of several on a tape, which saves passes over memory. It is right for
 * any backend, and results are the same but for rounding.
 */
import type { Tape } from '../backend/tape.js'
import { fuseActivations } from './fuseActivations.js'
import { fuseGradientsWithUpdates } from './fuseUpdates.js'

export function fuse(tape: Tape): Tape {
  return fuseActivations(fuseGradientsWithUpdates(tape))
}
