/** The same elements in other shapes and places. */
import type { DType } from '../../backend/dtype.js'
import { excerpt, ShapeError } from '../../base/errors.js'
import { format, resolveAxes, resolveAxis, type Shape, sizeOf } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { expandTo, permute, reshape } from '../layout.js'
import type { AxesArgument } from '../reduce.js'
import { type Range, readView, sliceOf } from '../views.js'

export class LayoutMethods<D extends DType> {
  /**
   * The same elements in another shape, in the same buffer; one extent may be -1.
   * @throws ShapeError when the sizes differ
   * @example x.reshape([-1, 64])
   */
  reshape(this: Tensor<D>, shape: Shape): Tensor<D> {
    return reshape(this, { shape })
  }
  /**
   * The axes from one to another, both included, as a single one; all of them by default.
   * @throws ShapeError when there is no such axis or they are in the wrong order
   * @example x.flatten(1) // [32, 3, 8, 8] becomes [32, 192]
   */
  flatten(this: Tensor<D>, startAxis = 0, endAxis = -1): Tensor<D> {
    const { shape } = this
    if (shape.length === 0) return this.reshape([1])
    const start = resolveAxis('flatten', startAxis, shape.length)
    const end = resolveAxis('flatten', endAxis, shape.length)
    if (start > end) {
      throw new ShapeError(
        `flatten: expected startAxis <= endAxis, got ${startAxis} and ${endAxis}`,
      )
    }
    const extent = sizeOf(shape.slice(start, end + 1))
    return this.reshape(shape.toSpliced(start, end + 1 - start, extent))
  }
  /**
   * Without axes of extent 1: all such axes, or those named.
   * @throws ShapeError when a named axis has another extent
   */
  squeeze(this: Tensor<D>, axes?: AxesArgument): Tensor<D> {
    const { shape } = this
    const named = axes === undefined ? undefined : resolveAxes('squeeze', axes, shape.length)
    const wrong = named?.find((axis) => shape[axis] !== 1)
    if (wrong !== undefined) {
      throw new ShapeError(`squeeze: expected axis ${wrong} of extent 1, got ${format(shape)}`)
    }
    return this.reshape(
      shape.filter((extent, axis) => (named ? !named.includes(axis) : extent !== 1)),
    )
  }
  /**
   * With a new axis of extent 1 at this position of the result; negative ones count from the back.
   * @throws ShapeError when there is no such position
   * @example x.unsqueeze(0) // [3, 4] becomes [1, 3, 4]
   */
  unsqueeze(this: Tensor<D>, axis: number): Tensor<D> {
    const position = resolveAxis('unsqueeze', axis, this.shape.length + 1)
    return this.reshape(this.shape.toSpliced(position, 0, 1))
  }
  /** The axes in reverse order: of a matrix, its transpose. */
  get T(): Tensor<D> {
    return (this as unknown as Tensor<D>).transpose()
  }
  /**
   * Axes in the order given; without an order, reversed. A copy.
   * @throws ShapeError when an axis is missing or comes twice
   * @example x.transpose([0, 2, 1]) // [batch, rows, cols] becomes [batch, cols, rows]
   */
  transpose(this: Tensor<D>, axes?: readonly number[]): Tensor<D> {
    const rank = this.shape.length
    if (axes !== undefined && !Array.isArray(axes)) {
      throw new ShapeError(
        `transpose: expected the new order of all axes as one array, such as x.transpose([1, 0]) for a matrix, got ${excerpt(axes)}`,
      )
    }
    const order = axes ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
    if (resolveAxes('transpose', order, rank).length !== rank) {
      throw new ShapeError(`transpose: expected each of the ${rank} axes once, got [${order}]`)
    }
    return permute(this, {
      axes: order.map((axis) => (axis < 0 ? axis + rank : axis)),
    })
  }
  /**
   * Part of each axis, from start to before end, every `step`-th element: as Python reads
   * `start:end:step`. Negative positions count from the back, a negative step goes backwards, and a
   * missing range keeps the axis. Always a copy.
   * @throws ShapeError for more ranges than axes, ArgumentError for what are no lists of two or three
   * integers and for a step of 0
   * @example x.slice([0, 10]) // the first ten rows
   * @example x.slice(undefined, [-1]) // the last column
   * @example x.slice([undefined, undefined, -2]) // every second row, from the last one on
   */
  slice(this: Tensor<D>, ...ranges: Range[]): Tensor<D> {
    return readView(this, { view: sliceOf(this.shape, ranges) }) as Tensor<D>
  }
  /**
   * Repeated to a larger shape by the rules of broadcasting. A copy.
   * @throws ShapeError when it does not broadcast to that shape
   */
  broadcastTo(this: Tensor<D>, shape: Shape): Tensor<D> {
    return expandTo(this, shape)
  }
}
