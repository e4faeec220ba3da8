/**
 * Rewrites of a tape that save passes over memory. Each looks for kernels in a certain relation and
 * puts one kernel in their place; what it computes is the same but for rounding.
 */

import type { Tape } from '../backend/tape.js'
import { fuseActivations } from './fuseActivations.js'
import { fuseGradientsWithSteps } from './fuseSteps.js'
import { keepWeightsInPanels } from './panels.js'

/** The tape with all rewrites applied; weights in panels where the backend is faster with them. */
export function fuse(tape: Tape, { prefersPanels = false } = {}): Tape {
  const rewrites = [fuseGradientsWithSteps, fuseActivations]
  if (prefersPanels) rewrites.push(keepWeightsInPanels)
  return rewrites.reduce((before, rewrite) => rewrite(before), tape)
}
