/** Elements chosen by index, and in another dtype. */
import { type DType, dtypes, type NumericDType } from '../../backend/dtype.js'
import { isKeyOf } from '../../base/arguments.js'
import { ArgumentError, excerpt } from '../../base/errors.js'
import type { Tensor } from '../../tensor/tensor.js'
import * as gathering from '../gather.js'
import { cast } from '../indexing.js'
import { type Mask, maskedFill, maskedSelect, nonzero } from '../masking.js'

export class IndexingMethods<D extends DType> {
  /**
   * The entries along an axis that the indices name, in their order; one may be named twice.
   * @param axis of this tensor; negative ones count from the back
   * @param indices int32 [count], each from 0 to below the axis's extent
   * @throws KernelError when an index is out of range, ShapeError, ArgumentError
   * @example x.indexSelect(0, tensor([2, 0], [2], 'int32')) // rows 2 and 0
   */
  indexSelect(this: Tensor<D>, axis: number, indices: Tensor<'int32'>): Tensor<D> {
    return gathering.indexSelect(this, axis, indices)
  }
  /**
   * y[i, j, k] = x[indices[i, j, k], j, k] for axis 0, and so along any other: an element for each
   * index, in the shape of the indices. What NumPy calls `take_along_axis`.
   * @param indices int32, as many axes as x and none but this one longer
   * @throws KernelError when an index is out of range, ShapeError, ArgumentError
   * @example losses.gather(1, labels.unsqueeze(1)) // [batch, classes] to [batch, 1]
   */
  gather(this: Tensor<D>, axis: number, indices: Tensor<'int32'>): Tensor<D> {
    return gathering.gather(this, axis, indices)
  }
  /**
   * A copy in which y[indices[i, j, k], j, k] = source[i, j, k] for axis 0, and so along any other. Of
   * several for one place the last one counts (and the gradient is as if each did).
   * @param indices as for `gather`
   * @param source of x's dtype and nowhere smaller than the indices, or a number
   * @throws KernelError when an index is out of range, ShapeError, ArgumentError
   */
  scatter(
    this: Tensor<D>,
    axis: number,
    indices: Tensor<'int32'>,
    source: Tensor<D> | number,
  ): Tensor<D> {
    return gathering.scatter(this, axis, indices, source)
  }
  /** `scatter` that adds to what is there; several for one place are added in their order. For floats and int32. */
  scatterAdd(
    this: Tensor<D & NumericDType>,
    axis: number,
    indices: Tensor<'int32'>,
    source: Tensor<D>,
  ): Tensor<D> {
    return gathering.scatterAdd(this as Tensor<D>, axis, indices, source)
  }
  /**
   * The elements at positions in row-major order, in the shape of the indices.
   * @throws KernelError when an index is out of range, ArgumentError for indices that are not int32
   */
  take(this: Tensor<D>, indices: Tensor<'int32'>): Tensor<D> {
    return gathering.take(this, indices)
  }
  /**
   * A copy with the entries of a source added to those along an axis that the indices name, in their
   * order. For floats and int32, which wraps around.
   * @param indices int32 [count]; one may be named twice
   * @param source in the shape of x with `count` along the axis
   * @throws KernelError when an index is out of range, ShapeError, ArgumentError
   */
  indexAdd(
    this: Tensor<D & NumericDType>,
    axis: number,
    indices: Tensor<'int32'>,
    source: Tensor<D>,
  ): Tensor<D> {
    return gathering.indexAdd(this as Tensor<D>, axis, indices, source)
  }
  /**
   * A copy with the entries along an axis that the indices name replaced by those of a source; of one
   * that is named twice the last counts (and the gradient is as if each did). Otherwise as `indexAdd`.
   */
  indexCopy(this: Tensor<D>, axis: number, indices: Tensor<'int32'>, source: Tensor<D>): Tensor<D> {
    return gathering.indexCopy(this, axis, indices, source)
  }
  /** A copy with one value in the entries along an axis that the indices name. Throws as `indexAdd`. */
  indexFill(this: Tensor<D>, axis: number, indices: Tensor<'int32'>, value: number): Tensor<D> {
    return gathering.indexFill(this, axis, indices, value)
  }
  /**
   * A copy with one value where the mask is true.
   * @param mask bool, or floats such as comparisons give; it broadcasts with x
   * @throws ShapeError when the shapes do not broadcast, ArgumentError for a value that the dtype cannot
   * hold
   * @example scores.maskedFill(padding, -Infinity)
   */
  maskedFill(this: Tensor<D>, mask: Mask, value: number): Tensor<D> {
    return maskedFill(this, mask, value)
  }
  /**
   * The elements where the mask is true, in a row.
   * @param mask bool, or floats such as comparisons give; it broadcasts with x
   * @throws ShapeError when the shapes do not broadcast, CaptureError in a captured function, whose
   * shapes do not depend on values
   * @example x.maskedSelect(x.greater(0))
   */
  maskedSelect(this: Tensor<D>, mask: Mask): Tensor<D> {
    return maskedSelect(this, mask)
  }
  /**
   * The index of each element that is not 0, as rows [count, rank], in row-major order.
   * @throws CaptureError in a captured function, whose shapes do not depend on values
   */
  nonzero(this: Tensor<D>): Tensor<'int32'> {
    return nonzero(this)
  }
  /**
   * The elements in another dtype. Floats lose what is behind the point on the way to integers, and
   * wrap around beyond their range (what is not finite becomes 0); of what is no 0, NaN included,
   * bool makes 1. Between float32 and float64 it has a gradient.
   * @throws ArgumentError for what is no dtype
   * @example labels.cast('float32')
   */
  cast<E extends DType>(this: Tensor<D>, dtype: E): Tensor<E> {
    if (!isKeyOf(dtypes, dtype)) {
      throw new ArgumentError(
        `cast: expected ${Object.keys(dtypes).join(', ')}, got ${excerpt(dtype)}`,
      )
    }
    return cast(this, { from: this.dtype, to: dtype }) as Tensor<E>
  }
}
