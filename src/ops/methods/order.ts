/** What goes along an axis in order: sorting, sums and products of all elements so far. */
import type { DType, NumericDType } from '../../backend/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import { argsort, cumprod, cumsum, type Ordered, sort, topK } from '../order.js'

export class OrderMethods<D extends DType> {
  /**
   * The elements along an axis in ascending or descending order, and where they come from. Equal ones
   * stay in their order, and NaN is larger than all else. For floats and int32.
   * @throws ShapeError when there is no such axis, ArgumentError for another dtype
   * @example const { values, indices } = x.sort()
   */
  sort(this: Tensor<D>, axis = -1, descending = false): Ordered<Tensor<D>> {
    return sort(this, axis, descending)
  }
  /** The positions of `sort` alone. */
  argsort(this: Tensor<D>, axis = -1, descending = false): Tensor<'int32'> {
    return argsort(this, axis, descending)
  }
  /**
   * The k largest elements along an axis, or the smallest, in order, and where they come from: the
   * first k of `sort`.
   * @throws ArgumentError for a k that is not from 0 to the axis's extent, and what `sort` throws
   */
  topK(this: Tensor<D>, k: number, axis = -1, largest = true): Ordered<Tensor<D>> {
    return topK(this, k, axis, largest)
  }
  /**
   * Sums of all elements along an axis up to each one; added in float64, in their order; of int32 they wrap around.
   * @throws ShapeError when there is no such axis
   * @example tensor([1, 2, 3]).cumsum(0) // [1, 3, 6]
   */
  cumsum(this: Tensor<D & NumericDType>, axis: number): Tensor<D> {
    return cumsum(this as Tensor<D>, axis)
  }
  /**
   * Products of all elements along an axis up to each one; its gradient holds at 0, too. Of int32 they wrap around.
   * @throws ShapeError when there is no such axis
   */
  cumprod(this: Tensor<D & NumericDType>, axis: number): Tensor<D> {
    return cumprod(this as Tensor<D>, axis)
  }
}
