/** Losses of outputs that are compared with their targets as a whole, along the last axis. */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { where } from '../ops/elementwise.js'
import { requireFloats } from '../ops/require.js'
import { cosineSimilarity } from '../ops/similarity.js'
import { fullLike } from '../tensor/allocate.js'
import { format, sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Loss, lossOf, type Targets } from './loss.js'

/** Targets of floats in the shape of the outputs, whose last axis is compared. */
function rowsLike(op: string, outputs: Tensor, targets: Targets): Tensor {
  requireFloats(op, outputs, targets)
  if (outputs.shape.length > 0 && sameShape(targets.shape, outputs.shape)) return targets as Tensor
  throw new ShapeError(
    `${op}: expected targets of the outputs' shape, with one axis or more, got ${format(outputs.shape)} and ${format(targets.shape)}`,
  )
}

/** Settings of `klDivergenceLoss`. */
export interface KLDivergenceOptions {
  /** Whether targets are log probabilities, too; false by default. */
  logTarget?: boolean
}

/**
 * `klDivergence` with targets that may be log probabilities.
 * @throws ArgumentError for options that do not exist or are no flags
 */
export function klDivergenceLoss(options: KLDivergenceOptions = {}): Loss {
  const op = 'klDivergence'
  const settings = optionsOf(op, options, { logTarget: true })
  const { logTarget = false } = settings
  checkFlag(op, 'logTarget', logTarget)
  return lossOf(
    op,
    (outputs, targets) => {
      const t = rowsLike(op, outputs, targets)
      if (logTarget) return t.exp().mul(t.sub(outputs)).sum(-1)
      // 0·log 0 is 0; what is negative has no logarithm.
      const log = where(t.equal(0), fullLike(t, 1, []), t).log()
      return t.mul(log.sub(outputs)).sum(-1)
    },
    { settings },
  )
}

/**
 * Kullback-Leibler divergence Σ t·(log t - a) of probabilities t from log probabilities a as `logSoftmax`
 * makes them, both [batch, …, classes], summed over the classes: a loss for each example. The mean is over
 * examples, as the divergence itself is defined: PyTorch's kl_div with `batchmean`, whose `mean` divides by the
 * number of classes, too.
 * @throws ShapeError when the shapes differ, ArgumentError for targets that are no floats
 * @example klDivergence(student.forward(x).logSoftmax(), teacher.forward(x).softmax())
 * @function
 */
export const klDivergence: Loss = klDivergenceLoss()

/**
 * -cos of the angle between outputs and targets along the last axis, from -1 to 1, for each example: Keras's
 * CosineSimilarity loss.
 * @throws ShapeError when the shapes differ, ArgumentError for targets that are no floats
 * @function
 */
export const negativeCosineSimilarity: Loss = lossOf(
  'negativeCosineSimilarity',
  (outputs, targets) =>
    cosineSimilarity(outputs, rowsLike('negativeCosineSimilarity', outputs, targets)).neg(),
)
