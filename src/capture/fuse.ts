/**
 * Fusion: one kernel in place of several on a tape, which saves passes over memory. It is right for
 * any backend, and results are the same bits.
 */
import type { Tape } from '../backend/tape.js'
import { fuseActivations } from './fuseActivations.js'
import { fuseConvPools } from './fuseConvPools.js'
import { fuseLayerGradients, fuseLayers } from './fuseLayers.js'
import { fuseNorms } from './fuseNorms.js'
import { fuseGradientsWithUpdates } from './fuseUpdates.js'

export function fuse(tape: Tape): Tape {
  const layers = fuseActivations(fuseLayers(fuseGradientsWithUpdates(tape)))
  return fuseConvPools(fuseNorms(fuseLayerGradients(layers)))
}
