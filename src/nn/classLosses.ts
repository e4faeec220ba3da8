/** Losses of classes, of which an example has one. */
import { isWithin, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { requireDType } from '../ops/require.js'
import { crossEntropyPerExample } from '../ops/softmax.js'
import type { Tensor } from '../tensor/tensor.js'
import {
  type ClassOptions,
  lossesOfLabels,
  negativeEntries,
  readClassOptions,
  weightsFor,
} from './classWeights.js'
import { type Loss, lossOf, type TargetKind, type Targets } from './loss.js'
import { asValues, checkOutputs, isLabels } from './lossTargets.js'

/** Settings of `softmaxCrossEntropyLoss`. */
export interface CrossEntropyOptions extends ClassOptions {
  /**
   * From 0 (the default) to 1: this share of each target is spread over all classes alike (Szegedy et al.
   * 2016).
   */
  labelSmoothing?: number
}

/** Targets that are probabilities: the cross-entropy of each row. */
function ofProbabilities(
  op: string,
  logits: Tensor,
  targets: Targets,
  { classWeights, ignoreIndex, labelSmoothing: share = 0 }: CrossEntropyOptions,
): Tensor {
  let t = asValues(op, logits, targets)
  if (ignoreIndex !== undefined) {
    throw new ArgumentError(
      `${op}: expected labels of int32 for ignoreIndex, got targets ${targets.dtype}`,
    )
  }
  if (share > 0) t = t.mul(1 - share).add(share / logits.shape.at(-1)!)
  if (classWeights) t = t.mul(weightsFor(op, logits, classWeights, 'classWeights'))
  return t.mul(logits.logSoftmax()).sum(-1).neg()
}

/**
 * `softmaxCrossEntropy` with weights of classes, a label that is ignored, or smoothed labels: PyTorch's
 * CrossEntropyLoss. With labels the mean is divided by the sum of the weights of those that are not ignored,
 * and NaN when all are ignored; with probabilities it is divided by the number of examples.
 * @throws ArgumentError for options that do not exist or are out of range; the loss throws ShapeError when
 * there are not as many weights as classes, ArgumentError for probabilities with `ignoreIndex`
 * @example
 * const loss = softmaxCrossEntropyLoss({ classWeights: [1, 5, 5], labelSmoothing: 0.1 })
 * loss(model.forward(inputs), labels).backward()
 */
export function softmaxCrossEntropyLoss(options: CrossEntropyOptions = {}): Loss<TargetKind> {
  const op = 'softmaxCrossEntropy'
  const known = { classWeights: true, ignoreIndex: true, labelSmoothing: true } as const
  const settings = readClassOptions(op, optionsOf(op, options, known))
  const { labelSmoothing = 0, ignoreIndex } = settings
  if (!isWithin(labelSmoothing, 0, 1) && labelSmoothing !== 1) {
    throw new ArgumentError(
      `${op}: expected labelSmoothing from 0 to 1, got ${excerpt(labelSmoothing)}`,
    )
  }
  return lossOf(
    op,
    (logits, targets) => {
      checkOutputs(op, logits)
      if (!isLabels(targets)) return ofProbabilities(op, logits, targets, settings)
      if (labelSmoothing === 0) {
        return lossesOfLabels(op, logits, targets, settings, crossEntropyPerExample)
      }
      const log = logits.logSoftmax()
      return lossesOfLabels(op, log, targets, settings, (x, t) => negativeEntries(op, x, t))
    },
    { settings, activations: ['softmax'], ignoreIndex },
  )
}

/**
 * Negative log-likelihood of softmax(logits), fused and stable, for logits [batch, …, classes]. The targets
 * are labels [batch, …] of int32, or probabilities [batch, …, classes].
 * @throws ShapeError when the shapes do not fit, KernelError when a label is not below the classes,
 * ArgumentError for the outputs of a softmax
 * @function
 */
export const softmaxCrossEntropy: Loss<TargetKind> = softmaxCrossEntropyLoss()

/**
 * `nll` with weights of classes or a label that is ignored: PyTorch's NLLLoss. The mean is divided as by
 * `softmaxCrossEntropyLoss`.
 * @throws ArgumentError for options that do not exist or are out of range; the loss throws ShapeError when
 * there are not as many weights as classes
 */
export function nllLoss(options: ClassOptions = {}): Loss<'labels'> {
  const known = { classWeights: true, ignoreIndex: true } as const
  const settings = readClassOptions('nll', optionsOf('nll', options, known))
  return lossOf(
    'nll',
    (logs, targets) => {
      requireDType('nll', targets, 'int32')
      return lossesOfLabels('nll', logs, targets, settings, (x, t) => negativeEntries('nll', x, t))
    },
    { settings, ignoreIndex: settings.ignoreIndex },
  )
}

/**
 * Negative log-likelihood of labels [batch, …], of log probabilities [batch, …, classes] as `logSoftmax`
 * makes them; from logits `softmaxCrossEntropy` computes the same faster.
 * @throws ShapeError when the shapes do not fit, KernelError when a label is not below the classes
 * @function
 */
export const nll: Loss<'labels'> = nllLoss()

/**
 * Margin loss. Labels [batch] with scores [batch, classes]: max_k (s_k + [k ≠ label]) - s_label
 * (Crammer and Singer 2001). Targets t of -1 and 1 in the scores' shape, or labels [batch] of 0 and 1
 * with scores [batch, 1]: max(0, 1 - t·s).
 * @function
 */
export const hinge: Loss<TargetKind> = lossOf(
  'hinge',
  (scores, targets) => {
    if (!isLabels(targets) || scores.shape.at(-1) === 1) {
      const values = asValues('hinge', scores, targets, 'class')
      const signs = isLabels(targets) ? values.mul(2).sub(1) : values
      return signs.mul(scores).neg().add(1).relu()
    }
    const chosen = asValues('hinge', scores, targets)
    return scores.sub(chosen).add(1).max(-1).sub(scores.mul(chosen).sum(-1))
  },
  { isBinary: true },
)
