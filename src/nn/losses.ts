/**
 * Losses. Each takes the network's outputs and the targets of a batch and returns the mean over the
 * batch as a scalar (or the sum, or a loss per element). Those that belong to a probability take
 * logits, so that none of them overflows or rounds a small probability to 0.
 */
import { isFloat } from '../backend/dtype.js'
import { isWithin, refuseRest } from '../base/arguments.js'
import { ArgumentError, excerpt, KernelError, ShapeError, spelled } from '../base/errors.js'
import { oneHot } from '../ops/indexing.js'
import { requireTensor } from '../ops/require.js'
import { crossEntropyPerExample } from '../ops/softmax.js'
import { defaultFloat } from '../tensor/defaultFloat.js'
import { isNode } from '../tensor/graph.js'
import { format, type Shape, sameShape } from '../tensor/shape.js'
import type { GradNode, Tensor } from '../tensor/tensor.js'

/** What targets are: whole numbers, which are the labels of classes or counts, or any values. */
export type TargetKind = 'labels' | 'values'
/** Labels [batch] or values, in the shape of the outputs; either where the kind is not known. */
export type Targets<K extends TargetKind = TargetKind> = K extends 'labels'
  ? Tensor<'int32'>
  : Tensor
/**
 * What becomes of the losses of a batch: their `mean` or `sum`, a scalar, or `none`, all of them.
 */
export type Reduction = 'mean' | 'sum' | 'none'
/**
 * A loss: from the outputs of a network and the targets of a batch to a scalar, or with `none` to a
 * loss per example or element. Any function of this form is one; `fit` calls it with two arguments.
 * Its targets are values, unless it says otherwise: `Loss<'labels'>`, or `Loss<TargetKind>` for both.
 * @example const cubed: Loss = (outputs, targets) => outputs.sub(targets).abs().pow(3).mean()
 */
export type Loss<K extends TargetKind = 'values'> = {
  /** As a method, whose type also fits where data may hold either kind. */
  loss(outputs: Tensor, targets: Targets<K>, reduction?: Reduction): Tensor
}['loss']

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
      throw new ArgumentError(
        `${op}: expected reduction mean, sum or none, got ${spelled(reduction)}`,
      )
  }
}

/** A loss from what it makes of each example, or each element; checkpoints know it by its name. */
function lossOf(
  op: string,
  each: (outputs: Tensor, targets: Targets) => Tensor,
  name = op,
): Loss<TargetKind> {
  const loss: Loss<TargetKind> = (outputs, targets, reduction = 'mean', ...rest: unknown[]) => {
    refuseRest(op, rest)
    for (const x of [outputs, targets]) requireTensor(op, x)
    return reduce(op, each(outputs, targets), reduction)
  }
  return Object.defineProperty(loss, 'name', { value: name })
}

// Ops that move values and leave them as they are.
const MOVES = ['reshape', 'transpose', 'slice']

/** Refuses outputs that such an activation made, as far as they have a graph: the loss computes it itself. */
function requireLogits(op: string, outputs: Tensor, activations: readonly string[]): void {
  let edge: GradNode | Tensor | null = outputs.node
  while (edge && isNode(edge) && MOVES.includes(edge.name)) edge = edge.edges[0]
  if (!edge || !isNode(edge) || !activations.includes(edge.name)) return
  throw new ArgumentError(
    `${op}: expected logits, got the outputs of ${edge.name}, which the loss computes itself; leave it out`,
  )
}

function checkOutputs(op: string, outputs: Tensor): void {
  if (isFloat(outputs.dtype)) return
  throw new ArgumentError(
    `${op}: expected outputs of floats and then targets, got outputs of ${outputs.dtype}`,
  )
}

/** What whole numbers say about a single output: its value, or whether it is class 1 of two. */
type SingleOutput = 'value' | 'class'

function labelsAsValues(
  op: string,
  labels: Tensor<'int32'>,
  shape: Shape,
  single: SingleOutput,
): Tensor {
  const classes = shape[shape.length - 1]
  if (labels.shape.length !== shape.length - 1) return labels.cast(defaultFloat()) as Tensor
  if (classes === 1 && single === 'value')
    return labels.cast(defaultFloat()).unsqueeze(-1) as Tensor
  try {
    // The column of class 1 of two refuses labels other than 0 and 1 alike.
    return classes === 1 ? oneHot(labels, 2).slice(undefined, [1]) : oneHot(labels, classes)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new KernelError(
      `${op}: ${error.message}; values to predict are float32, in the outputs' shape ${format(shape)}`,
      { cause: error },
    )
  }
}

/** Targets in the shape of the outputs; labels become rows with a 1. */
function asValues(
  op: string,
  outputs: Tensor,
  targets: Targets,
  single: SingleOutput = 'value',
): Tensor {
  checkOutputs(op, outputs)
  const { shape } = outputs
  const values = isLabels(targets) ? labelsAsValues(op, targets, shape, single) : targets
  if (!sameShape(values.shape, shape)) {
    const hint = isLabels(targets)
      ? ''
      : "; class labels are tensors of dtype 'int32', as cast('int32') makes them"
    throw new ShapeError(
      `${op}: expected targets of the outputs' shape ${format(shape)}, got ${format(targets.shape)}${hint}`,
    )
  }
  return values
}

/**
 * Negative log-likelihood of softmax(logits), fused and stable, for logits [batch, classes]. The targets
 * are labels [batch] of int32, or probabilities [batch, classes].
 * @throws ShapeError when the shapes do not fit, KernelError when a label is not below the classes,
 * ArgumentError for the outputs of a softmax
 * @function
 */
export const softmaxCrossEntropy: Loss<TargetKind> = lossOf(
  'softmaxCrossEntropy',
  (logits, targets) => {
    checkOutputs('softmaxCrossEntropy', logits)
    requireLogits('softmaxCrossEntropy', logits, ['softmax'])
    return isLabels(targets)
      ? crossEntropyPerExample(logits, targets)
      : asValues('softmaxCrossEntropy', logits, targets).mul(logits.logSoftmax()).sum(-1).neg()
  },
)

/**
 * Negative log-likelihood of sigmoid(logits) for targets from 0 to 1 in the logits' shape, or labels
 * [batch] of 0 and 1 with logits [batch, 1]: t·log(1 + e^-a) + (1 - t)·log(1 + e^a), exact in
 * both tails.
 * @throws ShapeError when the shapes do not fit, ArgumentError for the outputs of a sigmoid or softmax
 * @function
 */
export const binaryCrossEntropyWithLogits: Loss<TargetKind> = lossOf(
  'binaryCrossEntropyWithLogits',
  (logits, targets) => {
    requireLogits('binaryCrossEntropyWithLogits', logits, ['sigmoid', 'softmax'])
    const t = asValues('binaryCrossEntropyWithLogits', logits, targets, 'class')
    return t.mul(logits.neg().softplus()).add(t.neg().add(1).mul(logits.softplus()))
  },
)

/**
 * (output - target)², averaged over all elements. Whole numbers [batch] are the values of
 * outputs [batch, 1]; of several outputs they are labels, and count as rows with a 1 at the label.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const mse: Loss<TargetKind> = lossOf('mse', (outputs, targets) =>
  outputs.sub(asValues('mse', outputs, targets)).square(),
)

/**
 * |output - target|, averaged over all elements. Whole numbers [batch] are the values of
 * outputs [batch, 1]; of several outputs they are labels, and count as rows with a 1 at the label.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const mae: Loss<TargetKind> = lossOf('mae', (outputs, targets) =>
  outputs.sub(asValues('mae', outputs, targets)).abs(),
)

/**
 * Huber's loss: r²/2 for |r| ≤ delta, delta·(|r| - delta/2) beyond (Huber 1964).
 * @param delta where the loss turns from quadratic to linear, > 0
 * @throws ArgumentError when delta is out of range
 */
export function huberLoss(delta: number): Loss<TargetKind> {
  if (!isWithin(delta, Number.MIN_VALUE, Infinity)) {
    throw new ArgumentError(`huber: expected delta > 0, got ${excerpt(delta)}`)
  }
  return lossOf(
    'huber',
    (outputs, targets) => {
      const r = outputs.sub(asValues('huber', outputs, targets)).abs()
      // c = min(r, delta): r²/2 = c·(r - c/2) inside, delta·(r - delta/2) outside.
      const c = r.clip(0, delta)
      return c.mul(r.sub(c.mul(0.5)))
    },
    `huber(${delta})`,
  )
}

/**
 * Huber's loss with delta 1.
 * @function
 */
export const huber: Loss<TargetKind> = huberLoss(1)

/**
 * Margin loss. Labels [batch] with scores [batch, classes]: max_k (s_k + [k ≠ label]) - s_label
 * (Crammer and Singer 2001). Targets t of -1 and 1 in the scores' shape, or labels [batch] of 0 and 1
 * with scores [batch, 1]: max(0, 1 - t·s).
 * @function
 */
export const hinge: Loss<TargetKind> = lossOf('hinge', (scores, targets) => {
  if (!isLabels(targets) || scores.shape.at(-1) === 1) {
    const values = asValues('hinge', scores, targets, 'class')
    const signs = isLabels(targets) ? values.mul(2).sub(1) : values
    return signs.mul(scores).neg().add(1).relu()
  }
  const chosen = asValues('hinge', scores, targets)
  return scores.sub(chosen).add(1).max(-1).sub(scores.mul(chosen).sum(-1))
})

const binary = new Set<Loss<TargetKind>>([binaryCrossEntropyWithLogits, hinge])

/**
 * How many classes the labels beside so many outputs can tell apart; of a single one, a loss of values
 * takes them as values, and one that is not the library's as it likes.
 */
export function classLimit(loss: Loss<TargetKind>, outputs: number): number {
  if (outputs > 1) return outputs
  return binary.has(loss) ? 2 : Infinity
}
