/** Reductions over an axis, several, or all of them. */
import type { DType, NumericDType } from '../../backend/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import { type Extremes, maxWithIndices, minWithIndices } from '../extremes.js'
import { all, any } from '../logical.js'
import { type AxesArgument, argmax, argmin, max, mean, min, norm, sum } from '../reduce.js'
import { logsumexp, prod, std, variances } from '../statistics.js'

export class ReduceMethods<D extends DType> {
  /**
   * Sum over one axis, several or, by default, all. Of int32 it is int32, too, and wraps around beyond
   * its range; of bool it is an int32, how many are true.
   * @param axes negative ones count from the back
   * @param keepDims keeps the axes that were summed over with extent 1; false by default
   * @throws ShapeError when there is no such axis or one is named twice
   */
  sum(
    this: Tensor<D & (NumericDType | 'bool')>,
    axes?: AxesArgument,
    keepDims = false,
  ): Tensor<D extends 'bool' ? 'int32' : D> {
    return sum(this, axes, keepDims)
  }
  /** Mean over one axis, several or, by default, all; NaN of nothing. Axes as for `sum`. */
  mean(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return mean(this, axes, keepDims)
  }
  /**
   * The largest element over one axis, several or, by default, all; equal ones share the gradient.
   * Axes as for `sum`.
   * @throws ShapeError when there is no element to choose from
   */
  max(this: Tensor<D & NumericDType>, axes?: AxesArgument, keepDims = false): Tensor<D> {
    return max(this, axes, keepDims)
  }
  /**
   * The smallest element over one axis, several or, by default, all; equal ones share the gradient.
   * Axes as for `sum`.
   * @throws ShapeError when there is no element to choose from
   */
  min(this: Tensor<D & NumericDType>, axes?: AxesArgument, keepDims = false): Tensor<D> {
    return min(this, axes, keepDims)
  }
  /**
   * The largest elements along an axis and where they are on it: of equal ones the first, which gets
   * the gradient; NaN counts as largest.
   * @throws ShapeError when there is no such axis or no element to choose from
   * @example const { values, indices } = x.maxWithIndices(-1)
   */
  maxWithIndices(this: Tensor<D & NumericDType>, axis: number, keepDims = false): Extremes<D> {
    return maxWithIndices(this, axis, keepDims) as Extremes<D>
  }
  /**
   * The smallest elements along an axis and where they are on it: of equal ones the first, which gets
   * the gradient; NaN counts as smallest.
   * @throws ShapeError when there is no such axis or no element to choose from
   */
  minWithIndices(this: Tensor<D & NumericDType>, axis: number, keepDims = false): Extremes<D> {
    return minWithIndices(this, axis, keepDims) as Extremes<D>
  }
  /**
   * Σ (x - mean)² / (n - correction) over one axis, several or, by default, all: with correction 1, as
   * in PyTorch, the estimate from a sample, with 0, as in NumPy, the variance of the n elements
   * themselves. Two passes in float64; NaN where n is at most 1 and the correction, too. Axes as for
   * `sum`.
   * @throws ArgumentError for a correction below 0
   */
  var(this: Tensor, axes?: AxesArgument, keepDims = false, correction = 1): Tensor {
    return variances(this, axes, keepDims, correction)
  }
  /** The root of `var`, with its arguments; the gradient is 0 where all elements are equal. */
  std(this: Tensor, axes?: AxesArgument, keepDims = false, correction = 1): Tensor {
    return std(this, axes, keepDims, correction)
  }
  /** Product over one axis, several or, by default, all; of nothing 1. Axes as for `sum`. */
  prod(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return prod(this, axes, keepDims)
  }
  /** log Σ e^x over one axis, several or, by default, all, without overflow. Axes as for `sum`. */
  logsumexp(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return logsumexp(this, axes, keepDims)
  }
  /**
   * Whether an element is true, which all but 0 are, over one axis, several or, by default, all: a bool
   * tensor. Axes as for `sum`.
   * @example if (x.isNaN().any().item()) throw new Error('NaN')
   */
  any(this: Tensor<D>, axes?: AxesArgument, keepDims = false): Tensor<'bool'> {
    return any(this, axes, keepDims)
  }
  /** Whether all elements are true, as they are where there are none; otherwise as `any`. */
  all(this: Tensor<D>, axes?: AxesArgument, keepDims = false): Tensor<'bool'> {
    return all(this, axes, keepDims)
  }
  /**
   * √(Σ x²) over one axis, several or, by default, all; its gradient is 0 where it is 0. The squares of
   * float32 neither overflow nor vanish, as they do in PyTorch. Axes as for `sum`.
   */
  norm(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return norm(this, axes, keepDims)
  }
  /**
   * Position of the first largest element along an axis; over all elements without one.
   * @throws ShapeError when there is no such axis or no element
   */
  argmax(this: Tensor<D & NumericDType>, axis?: number): Tensor<'int32'> {
    return argmax(this, axis)
  }
  /**
   * Position of the first smallest element along an axis; over all elements without one.
   * @throws ShapeError when there is no such axis or no element
   */
  argmin(this: Tensor<D & NumericDType>, axis?: number): Tensor<'int32'> {
    return argmin(this, axis)
  }
}
