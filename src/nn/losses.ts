/**
 * Losses. Each takes the network's outputs and the targets of a batch and returns the mean over the
 * batch as a scalar (or the sum, or a loss per element). Those that belong to a probability take
 * logits, so that none of them overflows or rounds a small probability to 0.
 */
import { ArgumentError, ShapeError } from '../base/errors.js'
import { oneHot } from '../ops/indexing.js'
import { crossEntropyPerExample } from '../ops/softmax.js'
import { defaultFloat } from '../tensor/defaultFloat.js'
import { format, type Shape, sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** Class labels [batch], or values in the shape of the outputs. */
export type Targets = Tensor<'int32'> | Tensor
/**
 * What becomes of the losses of a batch: their `mean` or `sum`, a scalar, or `none`, all of them.
 */
export type Reduction = 'mean' | 'sum' | 'none'
/**
 * A loss: from the outputs of a network and the targets of a batch to a scalar, or with `none` to a
 * loss per example or element. Any function of this form is one; `fit` calls it with two arguments.
 */
export type Loss = (outputs: Tensor, targets: Targets, reduction?: Reduction) => Tensor

function isLabels(targets: Targets): targets is Tensor<'int32'> {
  return targets.dtype === 'int32'
}

function reduce(op: string, losses: Tensor, reduction: Reduction): Tensor {
  switch (reduction) {
    case 'mean':
      return losses.mean()
    case 'sum':
      return losses.sum()
    case 'none':
      return losses
    default:
      throw new ArgumentError(`${op}: expected reduction mean, sum or none, got ${reduction}`)
  }
}

function labelsAsValues(labels: Tensor<'int32'>, shape: Shape): Tensor {
  if (labels.shape.length !== shape.length - 1) return labels.cast(defaultFloat()) as Tensor
  const classes = shape[shape.length - 1]
  // One output stands for class 1 of two, the column that refuses labels other than 0 and 1 alike.
  return classes === 1 ? oneHot(labels, 2).slice(undefined, [1]) : oneHot(labels, classes)
}

/** Targets in the shape of the outputs; labels become rows with a 1, or the value of the one output. */
function asValues(op: string, outputs: Tensor, targets: Targets): Tensor {
  const { shape } = outputs
  const values = isLabels(targets) ? labelsAsValues(targets, shape) : targets
  if (!sameShape(values.shape, shape)) {
    const hint = isLabels(targets) ? '' : "; class labels are tensors of dtype 'int32'"
    throw new ShapeError(
      `${op}: expected targets of the outputs' shape ${format(shape)}, got ${format(targets.shape)}${hint}`,
    )
  }
  return values
}

/**
 * Negative log-likelihood of softmax(logits), fused and stable, for logits [batch, classes]. The targets
 * are labels [batch] of int32, or probabilities [batch, classes].
 * @throws ShapeError when the shapes do not fit, KernelError when a label is not below the classes
 * @function
 */
export const softmaxCrossEntropy: Loss = (logits, targets, reduction = 'mean') => {
  const losses = isLabels(targets)
    ? crossEntropyPerExample(logits, targets)
    : asValues('softmaxCrossEntropy', logits, targets).mul(logits.logSoftmax()).sum(-1).neg()
  return reduce('softmaxCrossEntropy', losses, reduction)
}

/**
 * Negative log-likelihood of sigmoid(logits) for targets from 0 to 1 in the logits' shape, or labels
 * [batch] of 0 and 1 with logits [batch, 1]: t·log(1 + e^-a) + (1 - t)·log(1 + e^a), exact in
 * both tails.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const binaryCrossEntropyWithLogits: Loss = (logits, targets, reduction = 'mean') => {
  const t = asValues('binaryCrossEntropyWithLogits', logits, targets)
  const losses = t.mul(logits.neg().softplus()).add(t.neg().add(1).mul(logits.softplus()))
  return reduce('binaryCrossEntropyWithLogits', losses, reduction)
}

/**
 * (output - target)², averaged over all elements. Labels count as rows with a 1 at the label.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const mse: Loss = (outputs, targets, reduction = 'mean') =>
  reduce('mse', outputs.sub(asValues('mse', outputs, targets)).square(), reduction)

/**
 * |output - target|, averaged over all elements. Labels count as rows with a 1 at the label.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const mae: Loss = (outputs, targets, reduction = 'mean') =>
  reduce('mae', outputs.sub(asValues('mae', outputs, targets)).abs(), reduction)

/**
 * Huber's loss: r²/2 for |r| ≤ delta, delta·(|r| - delta/2) beyond (Huber 1964).
 * @param delta where the loss turns from quadratic to linear, > 0
 * @throws ArgumentError when delta is out of range
 */
export function huberLoss(delta: number): Loss {
  if (!(delta > 0)) throw new ArgumentError(`huber: expected delta > 0, got ${delta}`)
  return (outputs, targets, reduction = 'mean') => {
    const r = outputs.sub(asValues('huber', outputs, targets)).abs()
    // c = min(r, delta): r²/2 = c·(r - c/2) inside, delta·(r - delta/2) outside.
    const c = r.clip(0, delta)
    return reduce('huber', c.mul(r.sub(c.mul(0.5))), reduction)
  }
}

/**
 * Huber's loss with delta 1.
 * @function
 */
export const huber: Loss = huberLoss(1)

/**
 * Margin loss. Labels [batch] with scores [batch, classes]: max_k (s_k + [k ≠ label]) - s_label
 * (Crammer and Singer 2001). Targets t of -1 and 1 in the scores' shape, or labels [batch] of 0 and 1
 * with scores [batch, 1]: max(0, 1 - t·s).
 * @function
 */
export const hinge: Loss = (scores, targets, reduction = 'mean') => {
  if (!isLabels(targets) || scores.shape.at(-1) === 1) {
    const values = asValues('hinge', scores, targets)
    const signs = isLabels(targets) ? values.mul(2).sub(1) : values
    return reduce('hinge', signs.mul(scores).neg().add(1).relu(), reduction)
  }
  const chosen = asValues('hinge', scores, targets)
  const losses = scores.sub(chosen).add(1).max(-1).sub(scores.mul(chosen).sum(-1))
  return reduce('hinge', losses, reduction)
}
