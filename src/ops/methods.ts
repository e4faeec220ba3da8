/**
 * The computing methods of a tensor, which only forward to ops. They are no part of the class in
 * tensor/, which ops are made from; `autograd/attach.ts` adds them to it.
 */
import { type DType, dtypes, isFloat } from '../backend/dtype.js'
import { isKeyOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import { format, resolveAxes, resolveAxis, type Shape, sizeOf } from '../tensor/shape.js'
import { type AnyTensor, type Operand, type Tensor, writeElements } from '../tensor/tensor.js'
import * as elementwise from './elementwise.js'
import { cast, selectRows } from './indexing.js'
import { expandTo, permute, reshape, resolveRange, sliceAxis } from './layout.js'
import { matmul } from './matmul.js'
import { type AxesArgument, argmax, max, mean, min, norm, sum } from './reduce.js'
import { logSoftmax, softmax } from './softmax.js'

export class TensorMethods<D extends DType> {
  // Arithmetic, with NumPy's broadcasting

  /**
   * x + y, elementwise with NumPy's broadcasting.
   * @throws ShapeError when the shapes do not broadcast, ArgumentError when a dtype is not float
   */
  add(this: Tensor, y: Operand): Tensor {
    if (typeof y === 'number') return elementwise.affine(this, { scale: 1, shift: y })
    return elementwise.add(this, y)
  }
  /** x - y, elementwise with NumPy's broadcasting; throws as `add`. */
  sub(this: Tensor, y: Operand): Tensor {
    if (typeof y === 'number') return elementwise.affine(this, { scale: 1, shift: -y })
    return elementwise.sub(this, y)
  }
  /** x·y, elementwise with NumPy's broadcasting; throws as `add`. */
  mul(this: Tensor, y: Operand): Tensor {
    // Adding -0 changes nothing, while adding 0 would make 0 of -0.
    if (typeof y === 'number') return elementwise.affine(this, { scale: y, shift: -0 })
    return elementwise.mul(this, y)
  }
  /**
   * x / y, elementwise with NumPy's broadcasting; throws as `add`. Division by 0 gives ±Infinity or
   * NaN.
   */
  div(this: Tensor, y: Operand): Tensor {
    return elementwise.div(this, operand(this, y))
  }
  /**
   * x^y, elementwise with NumPy's broadcasting; throws as `add`. NaN for x < 0 and a y that is no
   * whole number.
   */
  pow(this: Tensor, y: Operand): Tensor {
    return y === 2 ? elementwise.square(this) : elementwise.pow(this, operand(this, y))
  }
  /**
   * The larger of x and y, elementwise with NumPy's broadcasting; throws as `add`. Where they are
   * equal, each gets half of the gradient; where one is NaN, both get all of it, as in PyTorch.
   */
  maximum(this: Tensor, y: Operand): Tensor {
    return elementwise.maximum(this, operand(this, y))
  }
  /**
   * The smaller of x and y, elementwise with NumPy's broadcasting; throws as `add`. Where they are
   * equal, each gets half of the gradient; where one is NaN, both get all of it, as in PyTorch.
   */
  minimum(this: Tensor, y: Operand): Tensor {
    return elementwise.minimum(this, operand(this, y))
  }

  // Comparisons: 1 where they hold, else 0. int32 tensors know `equal` and `notEqual`.

  /**
   * 1 where x = y, else 0, with NumPy's broadcasting; of any dtype, the same for both.
   * @throws ShapeError when the shapes do not broadcast, ArgumentError when the dtypes differ
   */
  equal(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.equal(this, operand(this, y))
  }
  /** 1 where x ≠ y, else 0; for floats and int32, otherwise as `equal`. */
  notEqual(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.notEqual(this, operand(this, y))
  }
  /** 1 where x < y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  less(this: Tensor, y: Operand): Tensor {
    return elementwise.less(this, operand(this, y))
  }
  /** 1 where x ≤ y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  lessEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.lessEqual(this, operand(this, y))
  }
  /** 1 where x > y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  greater(this: Tensor, y: Operand): Tensor {
    return elementwise.greater(this, operand(this, y))
  }
  /** 1 where x ≥ y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  greaterEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.greaterEqual(this, operand(this, y))
  }

  // Functions of each element

  /** -x */
  neg(this: Tensor): Tensor {
    return elementwise.neg(this)
  }
  /** |x|; its derivative at 0 and at NaN is 0. */
  abs(this: Tensor): Tensor {
    return elementwise.abs(this)
  }
  /** -1, 0 or 1; of NaN 0, as in PyTorch. It has no gradient. */
  sign(this: Tensor): Tensor {
    return elementwise.sign(this)
  }
  /** e^x */
  exp(this: Tensor): Tensor {
    return elementwise.exp(this)
  }
  /** Natural logarithm; -Infinity at 0 and NaN below. */
  log(this: Tensor): Tensor {
    return elementwise.log(this)
  }
  /** √x; NaN below 0. */
  sqrt(this: Tensor): Tensor {
    return elementwise.sqrt(this)
  }
  /** x² */
  square(this: Tensor): Tensor {
    return elementwise.square(this)
  }
  /** 1 / x */
  reciprocal(this: Tensor): Tensor {
    return elementwise.reciprocal(this)
  }
  /** Sine of x in radians. */
  sin(this: Tensor): Tensor {
    return elementwise.sin(this)
  }
  /** Cosine of x in radians. */
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
  /** Hyperbolic tangent. */
  tanh(this: Tensor): Tensor {
    return elementwise.tanh(this)
  }
  /** log(1 + e^x), without overflow and accurate in both tails. */
  softplus(this: Tensor): Tensor {
    return elementwise.softplus(this)
  }
  /**
   * min(max(x, low), high); the gradient is 0 where something was cut off, not at the bounds.
   * @throws ArgumentError when low > high
   */
  clip(this: Tensor, low: number, high: number): Tensor {
    return elementwise.clip(this, { low, high })
  }
  /**
   * e^x / Σ e^x along an axis, the last one by default; stable for any x.
   * @throws ShapeError when there is no such axis
   */
  softmax(this: Tensor, axis = -1): Tensor {
    return softmax(this, axis)
  }
  /**
   * log(softmax(x)) along an axis, the last one by default, without rounding small probabilities to
   * 0.
   * @throws ShapeError when there is no such axis
   */
  logSoftmax(this: Tensor, axis = -1): Tensor {
    return logSoftmax(this, axis)
  }

  // Reductions: over an axis, several, or all of them

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
    return argmax(elementwise.neg(this), axis)
  }

  // Products and layout

  /**
   * Product of two matrices, [m, k]·[k, n] = [m, n]; a vector counts as a row on the left and as a
   * column on the right, and that axis is dropped from the result. `transA` and `transB` transpose
   * a matrix without copying it.
   * @throws ShapeError when the inner dimensions differ or there are other than 1 or 2 axes
   */
  matmul(this: Tensor, b: Tensor, transposes?: { transA?: boolean; transB?: boolean }): Tensor {
    return matmul(this, b, transposes)
  }
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
   * Part of each axis, from start to before end; negative positions count from the back and a
   * missing pair keeps the axis. Always a copy.
   * @throws ShapeError for more ranges than axes, ArgumentError for what are no pairs of integers
   * @example x.slice([0, 10]) // the first ten rows
   * @example x.slice(undefined, [-1]) // the last column
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
    if (y !== this) return y
    // Nothing is left out, and the result is a copy all the same.
    return sliceAxis(y.flatten(), { axis: 0, start: 0, length: y.size }).reshape(
      this.shape,
    ) as Tensor<D>
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
  /**
   * Repeated to a larger shape by the rules of broadcasting. A copy.
   * @throws ShapeError when it does not broadcast to that shape
   */
  broadcastTo(this: Tensor, shape: Shape): Tensor {
    return expandTo(this, shape)
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

/** A number as a scalar beside x. */
// biome-ignore lint/suspicious/noExplicitAny: the dtype is checked by the op
function operand(x: AnyTensor, y: AnyTensor | number): any {
  if (typeof y !== 'number') return y
  if (isFloat(x.dtype)) return fullLike(x, y, [])
  x.handle // refuses a released tensor
  const scalar = allocate(x, [], x.dtype)
  writeElements(x.dtype, scalar, [y])
  return scalar
}
