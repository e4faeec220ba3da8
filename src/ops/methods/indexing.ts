/** Elements chosen by index, and in another dtype. */
import { type DType, dtypes } from '../../backend/dtype.js'
import { isKeyOf } from '../../base/arguments.js'
import { ArgumentError, excerpt } from '../../base/errors.js'
import { resolveAxis } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { cast, selectRows } from '../indexing.js'

export class IndexingMethods<D extends DType> {
  /**
   * The entries along an axis that the indices name, in their order; one may be named twice.
   * @param axis of this tensor; negative ones count from the back
   * @param indices int32 [count], each from 0 to below the axis's extent
   * @throws KernelError when an index is out of range, ShapeError, ArgumentError
   * @example x.indexSelect(0, tensor([2, 0], [2], 'int32')) // rows 2 and 0
   */
  indexSelect(this: Tensor<D>, axis: number, indices: Tensor<'int32'>): Tensor<D> {
    const rank = this.shape.length
    const along = resolveAxis('indexSelect', axis, rank)
    if (along === 0) return selectRows(this, indices) as Tensor<D>
    const others = [...this.shape.keys()].filter((other) => other !== along)
    const order = [along, ...others]
    const rows = selectRows(this.transpose(order), indices) as Tensor<D>
    return rows.transpose(order.map((_, position) => order.indexOf(position)))
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
