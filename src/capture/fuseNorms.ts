/** Batch norm fused with the relu after it. */
import { argumentsOf, call, calls, type Tape, type TapeStep } from '../backend/tape.js'
import { type Fused, pairs } from './fuseLayers.js'

/** The bits stay the same. */
export function fuseNorms(tape: Tape): Tape {
  return pairs(tape, activates)
}

function activates(
  step: TapeStep,
  made: (buffer: number) => TapeStep | undefined,
): Fused | undefined {
  if (!calls(step, 'relu')) return undefined
  const { x: normal, y, n } = argumentsOf(step)
  const norm = made(normal)
  if (!calls(norm, 'batchNorm')) return undefined
  const args = argumentsOf(norm)
  if (args.y !== normal || args.rows * args.cols !== n) return undefined
  const { x, mean, variance, weight, bias } = args
  return {
    step: call('batchNormRelu', { ...args, y }),
    operands: [x, mean, variance, weight, bias],
    results: [y],
  }
}
