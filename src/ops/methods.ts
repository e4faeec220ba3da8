/**
 * The computing methods of a tensor, which only forward to ops. They are no part of the class in
 * tensor/, which ops are made from; `autograd/attach.ts` adds them to it.
 */
import { type DType, dtypes } from '../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { format, resolveAxes, resolveAxis, type Shape, sizeOf } from '../tensor/shape.js'
import {
  type AnyTensor,
  allocate,
  fullLike,
  type Operand,
  type Tensor,
  writeElements,
} from '../tensor/tensor.js'
import * as elementwise from './elementwise.js'
import { cast, selectRows } from './indexing.js'
import { expandTo, permute, reshape, resolveRange, sliceAxis } from './layout.js'
import { matmul } from './matmul.js'
import { type AxesArgument, argmax, max, mean, min, norm, sum } from './reduce.js'
import { logSoftmax, softmax } from './softmax.js'

export class TensorMethods<D extends DType> {
  // Arithmetic, with NumPy's broadcasting

  add(this: Tensor, y: Operand): Tensor {
    if (typeof y === 'number') return elementwise.affine(this, { scale: 1, shift: y })
    return elementwise.add(this, y)
  }
  sub(this: Tensor, y: Operand): Tensor {
    if (typeof y === 'number') return elementwise.affine(this, { scale: 1, shift: -y })
    return elementwise.sub(this, y)
  }
  mul(this: Tensor, y: Operand): Tensor {
    // Adding -0 changes nothing, while adding 0 would make 0 of -0.
    if (typeof y === 'number') return elementwise.affine(this, { scale: y, shift: -0 })
    return elementwise.mul(this, y)
  }
  div(this: Tensor, y: Operand): Tensor {
    return elementwise.div(this, operand(this, y))
  }
  pow(this: Tensor, y: Operand): Tensor {
    return y === 2 ? elementwise.square(this) : elementwise.pow(this, operand(this, y))
  }
  maximum(this: Tensor, y: Operand): Tensor {
    return elementwise.maximum(this, operand(this, y))
  }
  minimum(this: Tensor, y: Operand): Tensor {
    return elementwise.minimum(this, operand(this, y))
  }

  // Comparisons: 1 where they hold, else 0. int32 tensors know `equal` and `notEqual`.

  equal(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.equal(this, operand(this, y))
  }
  notEqual(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.notEqual(this, operand(this, y))
  }
  less(this: Tensor, y: Operand): Tensor {
    return elementwise.less(this, operand(this, y))
  }
  lessEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.lessEqual(this, operand(this, y))
  }
  greater(this: Tensor, y: Operand): Tensor {
    return elementwise.greater(this, operand(this, y))
  }
  greaterEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.greaterEqual(this, operand(this, y))
  }

  // Functions of each element

  neg(this: Tensor): Tensor {
    return elementwise.neg(this)
  }
  abs(this: Tensor): Tensor {
    return elementwise.abs(this)
  }
  /** -1, 0 or 1. */
  sign(this: Tensor): Tensor {
    return elementwise.sign(this)
  }
  exp(this: Tensor): Tensor {
    return elementwise.exp(this)
  }
  /** Natural logarithm. */
  log(this: Tensor): Tensor {
    return elementwise.log(this)
  }
  sqrt(this: Tensor): Tensor {
    return elementwise.sqrt(this)
  }
  square(this: Tensor): Tensor {
    return elementwise.square(this)
  }
  reciprocal(this: Tensor): Tensor {
    return elementwise.reciprocal(this)
  }
  sin(this: Tensor): Tensor {
    return elementwise.sin(this)
  }
  cos(this: Tensor): Tensor {
    return elementwise.cos(this)
  }
  /** max(0, x); its derivative at 0 is 0. */
  relu(this: Tensor): Tensor {
    return elementwise.relu(this)
  }
  /** 1 / (1 + e^-x) */
  sigmoid(this: Tensor): Tensor {
    return elementwise.sigmoid(this)
  }
  tanh(this: Tensor): Tensor {
    return elementwise.tanh(this)
  }
  /** log(1 + e^x), accurate in both tails. */
  softplus(this: Tensor): Tensor {
    return elementwise.softplus(this)
  }
  /** Cut off below low and above high; the gradient is 0 where something was cut. */
  clip(this: Tensor, low: number, high: number): Tensor {
    return elementwise.clip(this, { low, high })
  }
  /** Softmax along an axis, the last one by default. */
  softmax(this: Tensor, axis = -1): Tensor {
    return softmax(this, axis)
  }
  logSoftmax(this: Tensor, axis = -1): Tensor {
    return logSoftmax(this, axis)
  }

  // Reductions: over an axis, several, or all of them

  sum(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return sum(this, axes, keepDims)
  }
  mean(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return mean(this, axes, keepDims)
  }
  max(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return max(this, axes, keepDims)
  }
  min(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return min(this, axes, keepDims)
  }
  /** √(Σ x²), of any finite floats; its gradient is 0 where it is 0. */
  norm(this: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
    return norm(this, axes, keepDims)
  }
  /** Position of the first largest element; over all elements without an axis. */
  argmax(this: Tensor, axis?: number): Tensor<'int32'> {
    return argmax(this, axis)
  }
  argmin(this: Tensor, axis?: number): Tensor<'int32'> {
    return argmax(elementwise.neg(this), axis)
  }

  // Products and layout

  /** Matrix product; `transA` and `transB` transpose an operand without copying it. */
  matmul(this: Tensor, b: Tensor, transposes?: { transA?: boolean; transB?: boolean }): Tensor {
    return matmul(this, b, transposes)
  }
  /** The same elements in another shape, in the same buffer; one extent may be -1. */
  reshape(this: Tensor<D>, shape: Shape): Tensor<D> {
    return reshape(this, { shape })
  }
  /**
   * The axes from one to another, both included, as a single one; all of them by default.
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
  /** With a new axis of extent 1 at this position of the result; negative ones count from the back. */
  unsqueeze(this: Tensor<D>, axis: number): Tensor<D> {
    const position = resolveAxis('unsqueeze', axis, this.shape.length + 1)
    return this.reshape(this.shape.toSpliced(position, 0, 1))
  }
  /** The axes in reverse order: of a matrix, its transpose. */
  get T(): Tensor<D> {
    return (this as unknown as Tensor<D>).transpose()
  }
  /** Axes in the order given; without an order, reversed. */
  transpose(this: Tensor<D>, axes?: readonly number[]): Tensor<D> {
    const rank = this.shape.length
    const order = axes ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
    if (resolveAxes('transpose', order, rank).length !== rank) {
      throw new ShapeError(`transpose: expected each of the ${rank} axes once, got [${order}]`)
    }
    return permute(this, {
      axes: order.map((axis) => (axis < 0 ? axis + rank : axis)),
    })
  }
  /**
   * Part of each axis, from start to before end; negative positions count from the back and a
   * missing pair keeps the axis: `x.slice([0, 10])`, `x.slice(undefined, [-1])`.
   */
  slice(
    this: Tensor<D>,
    ...ranges: (readonly [start?: number, end?: number] | undefined)[]
  ): Tensor<D> {
    if (ranges.length > this.shape.length) {
      throw new ShapeError(
        `slice: expected at most ${this.shape.length} ranges, got ${ranges.length}`,
      )
    }
    let y: Tensor<D> = this
    for (const [axis, range] of ranges.entries()) {
      if (range === undefined) continue
      if (!Array.isArray(range) || range.length > 2) {
        throw new ArgumentError(`slice: expected pairs [start, end], got ${excerpt(range)}`)
      }
      const [start, length] = resolveRange(this.shape[axis], ...range)
      y = sliceAxis(y, { axis, start, length }) as Tensor<D>
    }
    return y === this ? (this.reshape(this.shape) as Tensor<D>) : y
  }
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
  /** Repeated to a larger shape by the rules of broadcasting. */
  broadcastTo(this: Tensor, shape: Shape): Tensor {
    return expandTo(this, shape)
  }
  /**
   * The elements in another dtype. Floats lose what is behind the point on the way to integers; of
   * what is no 0, NaN included, bool makes 1. Between float32 and float64 it has a gradient.
   * @throws ArgumentError for what is no dtype
   * @example labels.cast('float32')
   */
  cast<E extends DType>(this: Tensor<D>, dtype: E): Tensor<E> {
    if (!Object.hasOwn(dtypes, dtype)) {
      throw new ArgumentError(
        `cast: expected ${Object.keys(dtypes).join(', ')}, got ${excerpt(dtype)}`,
      )
    }
    return cast(this, { from: this.dtype, to: dtype }) as Tensor<E>
  }
}

/** A number as a scalar beside x. */
// biome-ignore lint/suspicious/noExplicitAny: the dtype is checked by the op
function operand(x: AnyTensor, y: AnyTensor | number): any {
  if (typeof y !== 'number') return y
  if (dtypes[x.dtype as DType].isFloat) return fullLike(x, y, [])
  x.handle // refuses a released tensor
  const scalar = allocate(x, [], x.dtype)
  writeElements(x.dtype, scalar, [y])
  return scalar
}
