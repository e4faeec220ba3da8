/** Losses that bring what belongs together close to each other, and part the rest. */
import { checkFlag, checkNumber, isWithin, optionsOf, refuseRest } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { where } from '../ops/elementwise.js'
import { requireFloat, requireFloats, requireTensor } from '../ops/require.js'
import { cosineSimilarity } from '../ops/similarity.js'
import { format, sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import {
  type LossOptions,
  nameLoss,
  type Reduction,
  reduceLosses,
  requireValues,
  type Targets,
} from './loss.js'
import { isLabels } from './lossTargets.js'

/** A loss of two tensors [batch, features] and targets [batch]: 1 where they belong together, else -1. */
export type PairLoss = (
  a: Tensor,
  b: Tensor,
  targets: Targets,
  options?: Reduction | LossOptions,
) => Tensor

/** A loss of an anchor, of what belongs to it and of what does not, each [batch, features]. */
export type TripletLoss = (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: Reduction | LossOptions,
) => Tensor

function checkAlike(op: string, xs: readonly Tensor[]): void {
  for (const x of xs) requireFloats(op, xs[0], x)
  const [{ shape }] = xs
  if (shape.length > 0 && xs.every((x) => sameShape(x.shape, shape))) return
  throw new ShapeError(
    `${op}: expected tensors [batch, features] of one shape, got ${xs.map((x) => format(x.shape)).join(', ')}`,
  )
}

/** 1 where a pair belongs together, else 0. */
function belonging(op: string, targets: Targets, like: Tensor): Tensor {
  requireTensor(op, targets)
  const values = isLabels(targets) ? (targets.cast(like.dtype) as Tensor) : targets
  requireFloat(op, values)
  if (!sameShape(values.shape, like.shape)) {
    throw new ShapeError(
      `${op}: expected targets ${format(like.shape)}, one for each pair, got ${format(values.shape)}`,
    )
  }
  requireValues(op, 'targets', values, (value) => Math.abs(value) === 1, 'to be 1 or -1')
  return values.greater(0)
}

/**
 * Of pairs [batch, features]: 1 - cos where they belong together (target 1), max(0, cos - margin) where they
 * do not (target -1), as PyTorch's CosineEmbeddingLoss.
 * @param options.margin from -1 to 1; 0 by default
 * @throws ArgumentError for options that do not exist or are out of range; the loss throws ShapeError when
 * shapes do not fit, ArgumentError for targets other than 1 and -1
 */
export function cosineEmbeddingLoss(options: { margin?: number } = {}): PairLoss {
  const op = 'cosineEmbedding'
  const settings = optionsOf(op, options, { margin: true })
  const { margin = 0 } = settings
  checkNumber(op, 'margin', margin, (value) => value >= -1 && value <= 1, 'from -1 to 1')
  const loss: PairLoss = (a, b, targets, options, ...rest: unknown[]) => {
    refuseRest(op, rest)
    checkAlike(op, [a, b])
    const cos = cosineSimilarity(a, b)
    const isAlike = belonging(op, targets, cos)
    const losses = where(isAlike, cos.neg().add(1), cos.sub(margin).relu())
    return reduceLosses(op, losses, options)
  }
  return nameLoss(op, settings, loss)
}

/**
 * `cosineEmbeddingLoss` with margin 0.
 * @function
 */
export const cosineEmbedding: PairLoss = cosineEmbeddingLoss()

/** Settings of `tripletMarginLoss`. */
export interface TripletMarginOptions {
  /** By how much what does not belong is to be farther away, > 0; 1 by default. */
  margin?: number
  /**
   * Whether the distance of the negative from the positive counts where it is the smaller one (Balntas et al.
   * 2016); false by default.
   */
  swap?: boolean
}

/** Added to differences, so that a distance of 0 has a gradient, as in PyTorch. */
const NEAREST = 1e-6

/**
 * max(0, |anchor - positive| - |anchor - negative| + margin) for each example, of Euclidean distances along
 * the last axis (Schroff et al. 2015): PyTorch's TripletMarginLoss.
 * @throws ArgumentError for options that do not exist or are out of range; the loss throws ShapeError when
 * the shapes differ
 */
export function tripletMarginLoss(options: TripletMarginOptions = {}): TripletLoss {
  const op = 'tripletMargin'
  const settings = optionsOf(op, options, { margin: true, swap: true })
  const { margin = 1, swap = false } = settings
  const isPositive = (value: number) => isWithin(value, Number.MIN_VALUE, Infinity)
  checkNumber(op, 'margin', margin, isPositive, '> 0')
  checkFlag(op, 'swap', swap)
  const distance = (x: Tensor, y: Tensor) => x.sub(y).add(NEAREST).norm(-1)
  const loss: TripletLoss = (anchor, positive, negative, options, ...rest: unknown[]) => {
    refuseRest(op, rest)
    checkAlike(op, [anchor, positive, negative])
    const far = distance(anchor, negative)
    const farthest = swap ? far.minimum(distance(positive, negative)) : far
    const losses = distance(anchor, positive).sub(farthest).add(margin).relu()
    return reduceLosses(op, losses, options)
  }
  return nameLoss(op, settings, loss)
}

/**
 * `tripletMarginLoss` with margin 1.
 * @function
 */
export const tripletMargin: TripletLoss = tripletMarginLoss()
