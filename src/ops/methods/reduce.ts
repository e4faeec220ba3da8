/** Reductions over an axis, several, or all of them. */
import type { Tensor } from '../../tensor/tensor.js'
import { type AxesArgument, argmax, max, mean, min, norm, sum } from '../reduce.js'
import { neg } from '../unary.js'

export class ReduceMethods {
  /**
   * Sum over one axis, several or, by default, all.
   * @param axes negative ones count from the back
   * @param keepDims keeps the axes that were summed over with extent 1; false by default
   * @throws ShapeError when there is no such axis or one is named twice
   */
  sum(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
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
  max(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return max(this, axes, keepDims)
  }
  /**
   * The smallest element over one axis, several or, by default, all; equal ones share the gradient.
   * Axes as for `sum`.
   * @throws ShapeError when there is no element to choose from
   */
  min(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return min(this, axes, keepDims)
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
  argmax(this: Tensor, axis?: number): Tensor<'int32'> {
    return argmax(this, axis)
  }
  /**
   * Position of the first smallest element along an axis; over all elements without one.
   * @throws ShapeError when there is no such axis or no element
   */
  argmin(this: Tensor, axis?: number): Tensor<'int32'> {
    return argmax(neg(this), axis)
  }
}
