/** Focal losses: cross-entropies in which examples that are classified well count less. */
import { checkNumber, isWithin, optionsOf } from '../base/arguments.js'
import { crossEntropyPerExample } from '../ops/softmax.js'
import type { Tensor } from '../tensor/tensor.js'
import { binaryLosses } from './binaryLosses.js'
import { labelledRows, readWeights, type Weights, weightsFor } from './classWeights.js'
import { type Loss, lossOf, type TargetKind } from './loss.js'
import { asValues, checkOutputs, isLabels } from './lossTargets.js'

/** Settings of `sigmoidFocalLoss`. */
export interface SigmoidFocalOptions {
  /** How much less what is classified well counts, >= 0; 2 by default. */
  gamma?: number
  /** From 0 to 1: the weight of class 1, that of class 0 is 1 - alpha. By default both count alike. */
  alpha?: number
}

/** Settings of `softmaxFocalLoss`. */
export interface SoftmaxFocalOptions {
  /** How much less what is classified well counts, >= 0; 2 by default. */
  gamma?: number
  /** A weight >= 0 of all classes, or of each; 1 by default. */
  alpha?: number | Weights
}

const SMALLEST = 2 ** -126

function checkGamma(op: string, gamma: number): void {
  checkNumber(op, 'gamma', gamma, (value) => isWithin(value, 0, Infinity), '>= 0')
}

/** (1 - p)^gamma from what is missing of p; below an exponent of 1 its slope at 0 would be infinite. */
function focus(missing: Tensor, gamma: number): Tensor {
  return (gamma < 1 ? missing.clip(SMALLEST, Infinity) : missing).pow(gamma)
}

/**
 * Focal loss of outputs that are each a probability of their own, sigmoid(logits):
 * -(1 - p)^gamma·log p, where p is the probability of the target (Lin et al. 2017). Targets are as those of
 * `binaryCrossEntropyWithLogits`; a mean is divided by the number of elements. With alpha 0.25 it is
 * torchvision's sigmoid_focal_loss and Keras's balanced BinaryFocalCrossentropy.
 * @throws ArgumentError for options that do not exist or are out of range
 */
export function sigmoidFocalLoss(options: SigmoidFocalOptions = {}): Loss<TargetKind> {
  const op = 'sigmoidFocal'
  const settings = optionsOf(op, options, { gamma: true, alpha: true })
  const { gamma = 2, alpha } = settings
  checkGamma(op, gamma)
  if (alpha !== undefined) {
    checkNumber(op, 'alpha', alpha, (value) => value >= 0 && value <= 1, 'from 0 to 1')
  }
  return lossOf(
    op,
    (logits, targets) => {
      const t = asValues(op, logits, targets, 'class')
      const rest = t.neg().add(1)
      // 1 - p, without the difference of near numbers.
      const missing = logits.sigmoid().mul(rest).add(logits.neg().sigmoid().mul(t))
      const losses = binaryLosses(logits, t).mul(focus(missing, gamma))
      return alpha === undefined ? losses : losses.mul(t.mul(alpha).add(rest.mul(1 - alpha)))
    },
    { settings, activations: ['sigmoid', 'softmax'], isBinary: true },
  )
}

/**
 * `sigmoidFocalLoss` with gamma 2, both classes alike.
 * @function
 */
export const sigmoidFocal: Loss<TargetKind> = sigmoidFocalLoss()

/** -t·(1 - p)^gamma·log p of each class, added up. */
function ofProbabilities(t: Tensor, logits: Tensor, gamma: number): Tensor {
  const log = logits.logSoftmax()
  return t.mul(focus(log.expm1().neg(), gamma)).mul(log).sum(-1).neg()
}

/**
 * Focal loss of softmax(logits): -alpha·(1 - p)^gamma·log p, where p is the probability of the label (Lin et
 * al. 2017); of probabilities as targets, the sum over the classes of that times the target. Targets are as
 * those of `softmaxCrossEntropy`; a mean is divided by the number of examples. With alpha 0.25 it is Keras's
 * CategoricalFocalCrossentropy.
 * @throws ArgumentError for options that do not exist or are out of range; the loss throws ShapeError when
 * alpha is a list that has not as many numbers as there are classes
 */
export function softmaxFocalLoss(options: SoftmaxFocalOptions = {}): Loss<TargetKind> {
  const op = 'softmaxFocal'
  const settings = optionsOf(op, options, { gamma: true, alpha: true })
  const { gamma = 2, alpha } = settings
  checkGamma(op, gamma)
  if (typeof alpha === 'number') readWeights(op, 'alpha', [alpha])
  else if (alpha !== undefined) settings.alpha = readWeights(op, 'alpha', alpha)
  return lossOf(
    op,
    (logits, targets) => {
      checkOutputs(op, logits)
      const weigh = (x: Tensor, ofEach = (weights: Tensor) => weights) => {
        const { alpha = 1 } = settings
        return x.mul(
          typeof alpha === 'number' ? alpha : ofEach(weightsFor(op, logits, alpha, 'alpha')),
        )
      }
      if (!isLabels(targets)) {
        return ofProbabilities(weigh(asValues(op, logits, targets)), logits, gamma)
      }
      const [rows, labels] = labelledRows(op, logits, targets)
      const entropy = crossEntropyPerExample(rows, labels)
      const losses = entropy.mul(focus(entropy.neg().expm1().neg(), gamma))
      return weigh(losses, (weights) => weights.take(labels)).reshape(targets.shape)
    },
    { settings, activations: ['softmax'] },
  )
}

/**
 * `softmaxFocalLoss` with gamma 2, all classes alike.
 * @function
 */
export const softmaxFocal: Loss<TargetKind> = softmaxFocalLoss()
