/** Losses of outputs that are each a probability of their own. */
import { optionsOf } from '../base/arguments.js'
import type { Tensor } from '../tensor/tensor.js'
import { readWeights, type Weights, weightsFor } from './classWeights.js'
import { type Loss, lossOf, type TargetKind } from './loss.js'
import { asValues } from './lossTargets.js'

/** Settings of `binaryCrossEntropyWithLogitsLoss`. */
export interface BinaryCrossEntropyOptions {
  /** How much the part of targets above 0 counts, >= 0: a number, or one for each output. */
  posWeight?: number | Weights
  /** How much each output counts, numbers >= 0: the weight of PyTorch's BCEWithLogitsLoss. */
  classWeights?: Weights
}

/** -log of the probability of targets t: posWeight·t·log(1 + e^-x) + (1 - t)·log(1 + e^x). */
export function binaryLosses(
  logits: Tensor,
  t: Tensor,
  weighPositive = (losses: Tensor) => losses,
): Tensor {
  const positive = weighPositive(t.mul(logits.neg().softplus()))
  return positive.add(t.neg().add(1).mul(logits.softplus()))
}

/**
 * `binaryCrossEntropyWithLogits` with weights of positive targets and of outputs, which are classes where an
 * example can have several: PyTorch's BCEWithLogitsLoss. The mean is divided by the number of elements.
 * @throws ArgumentError for options that do not exist or are out of range; the loss throws ShapeError when
 * there are not as many weights as outputs
 * @example binaryCrossEntropyWithLogitsLoss({ posWeight: 9 }) // one example of ten is positive
 */
export function binaryCrossEntropyWithLogitsLoss(
  options: BinaryCrossEntropyOptions = {},
): Loss<TargetKind> {
  const op = 'binaryCrossEntropyWithLogits'
  const settings = optionsOf(op, options, { posWeight: true, classWeights: true })
  const { posWeight, classWeights } = settings
  if (typeof posWeight === 'number') readWeights(op, 'posWeight', [posWeight])
  else if (posWeight !== undefined) settings.posWeight = readWeights(op, 'posWeight', posWeight)
  if (classWeights !== undefined) {
    settings.classWeights = readWeights(op, 'classWeights', classWeights)
  }
  return lossOf(
    op,
    (logits, targets) => {
      const weigh = (x: Tensor, name: 'posWeight' | 'classWeights') => {
        const { [name]: weight } = settings
        if (weight === undefined) return x
        return x.mul(typeof weight === 'number' ? weight : weightsFor(op, logits, weight, name))
      }
      const t = asValues(op, logits, targets, 'class')
      const losses = binaryLosses(logits, t, (positive) => weigh(positive, 'posWeight'))
      return weigh(losses, 'classWeights')
    },
    { settings, activations: ['sigmoid', 'softmax'], isBinary: true },
  )
}

/**
 * Negative log-likelihood of sigmoid(logits) for targets from 0 to 1 in the logits' shape, or labels
 * [batch] of 0 and 1 with logits [batch, 1]: t·log(1 + e^-a) + (1 - t)·log(1 + e^a), exact in
 * both tails.
 * @throws ShapeError when the shapes do not fit, ArgumentError for the outputs of a sigmoid or softmax
 * @function
 */
export const binaryCrossEntropyWithLogits: Loss<TargetKind> = binaryCrossEntropyWithLogitsLoss()
