/**
 * The tensor: a shape over a buffer, and where it came from. Methods only forward to ops; nothing
 * is computed here.
 */
import { backward, type GradNode, savedStorages } from '../autograd/backward.js'
import type { DType, Precision } from '../backend/backend.js'
import type { Handle } from '../backend/kernels.js'
import { ArgumentError, excerpt, ReleasedTensorError, ShapeError } from '../base/errors.js'
import { requireDType, requireUsable } from '../ops/define.js'
import * as elementwise from '../ops/elementwise.js'
import { gather, toFloat } from '../ops/gather.js'
import { expandTo, permute, reshape, resolveRange, sliceAxis } from '../ops/layout.js'
import { matmul } from '../ops/matmul.js'
import { type AxesArgument, argmax, max, mean, min, norm, sum } from '../ops/reduce.js'
import { logSoftmax, softmax } from '../ops/softmax.js'
import { formatTensor, type Nested, nest } from './print.js'
import { checkShape, format, resolveAxes, type Shape, sameShape, sizeOf } from './shape.js'
import { Storage } from './storage.js'

/** A typed array that holds elements of a dtype. */
export type ArrayOf<D extends DType> = D extends 'int32'
  ? Int32Array
  : D extends 'uint8'
    ? Uint8Array
    : Float32Array

// biome-ignore lint/suspicious/noExplicitAny: stands for a tensor of any dtype
export type AnyTensor = Tensor<any>

/** What arithmetic takes on its right side. */
export type Operand = Tensor | number

/** An n-dimensional array, row-major; float32 unless its type says otherwise. */
export class Tensor<D extends DType = 'float32'> {
  readonly shape: Shape
  readonly size: number
  readonly dtype: D
  /** Gradient that `backward` left on a leaf, in the leaf's shape. */
  grad: Tensor | null = null
  /** The op it is the result of, for `backward`. */
  node: GradNode | null = null
  readonly storage: Storage
  #requiresGrad = false
  #disposed = false

  /** Internal: use `tensor`, `zeros` and so on. */
  constructor(storage: Storage, shape: Shape) {
    this.storage = storage
    this.shape = shape
    this.size = storage.length
    this.dtype = storage.dtype as D
  }

  /** The backend's name for the buffer. Throws ReleasedTensorError when the tensor was released. */
  get handle(): Handle {
    if (this.#disposed) {
      throw new ReleasedTensorError(`tensor ${format(this.shape)}: it was released by dispose()`)
    }
    return this.storage.handle
  }

  /** Whether operations on it leave a graph behind; set it on leaves such as parameters. */
  get requiresGrad(): boolean {
    return this.#requiresGrad
  }

  set requiresGrad(value: boolean) {
    if (value && this.dtype !== 'float32') {
      throw new ArgumentError(`requiresGrad: expected a float32 tensor, got ${this.dtype}`)
    }
    this.#requiresGrad = value
  }

  // Reading

  /** The elements in row-major order, as a copy. */
  data(): ArrayOf<D> {
    const make: Record<DType, new (length: number) => ArrayOf<DType>> = {
      float32: Float32Array,
      int32: Int32Array,
      uint8: Uint8Array,
    }
    const values = new make[this.dtype](this.size) as ArrayOf<D>
    this.storage.backend.read(this.handle, values)
    return values
  }

  /** The elements as nested arrays; a number for a scalar. */
  toArray(): Nested {
    return nest(this.#exact(), this.shape)
  }

  /** The one element. Throws ShapeError when there are more or none. */
  item(): number {
    this.handle // refuses a released tensor
    if (this.size !== 1) {
      throw new ShapeError(`item: expected one element, got shape ${format(this.shape)}`)
    }
    return this.#exact()[0]
  }

  /** The elements as NumPy prints them. */
  toString(): string {
    return formatTensor(this.#exact(), this.shape)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const about = `${format(this.shape)}, ${this.dtype}${this.requiresGrad ? ', requiresGrad' : ''}`
    return this.#disposed || this.storage.released
      ? `Tensor(${about}, released)`
      : `Tensor(${about})\n${this}`
  }

  /** The elements without loss, also on a float64 backend. */
  #exact(): ArrayOf<DType> | Float64Array {
    if (this.dtype !== 'float32' || this.storage.backend.precision === 'float32') return this.data()
    const values = new Float64Array(this.size)
    this.storage.backend.read(this.handle, values)
    return values
  }

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
    return elementwise.div(this, this.#operand(y))
  }
  pow(this: Tensor, y: Operand): Tensor {
    return y === 2 ? elementwise.square(this) : elementwise.pow(this, this.#operand(y))
  }
  maximum(this: Tensor, y: Operand): Tensor {
    return elementwise.maximum(this, this.#operand(y))
  }
  minimum(this: Tensor, y: Operand): Tensor {
    return elementwise.minimum(this, this.#operand(y))
  }

  // Comparisons: 1 where they hold, else 0. int32 tensors know `equal` and `notEqual`.

  equal(y: Tensor<D> | number): Tensor {
    return elementwise.equal(this, this.#operand(y))
  }
  notEqual(y: Tensor<D> | number): Tensor {
    return elementwise.notEqual(this, this.#operand(y))
  }
  less(this: Tensor, y: Operand): Tensor {
    return elementwise.less(this, this.#operand(y))
  }
  lessEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.lessEqual(this, this.#operand(y))
  }
  greater(this: Tensor, y: Operand): Tensor {
    return elementwise.greater(this, this.#operand(y))
  }
  greaterEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.greaterEqual(this, this.#operand(y))
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
  reshape(shape: Shape): Tensor<D> {
    return reshape(this, { shape })
  }
  /** Axes in the order given; without an order, reversed. */
  transpose(axes?: readonly number[]): Tensor<D> {
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
  slice(...ranges: (readonly [start?: number, end?: number] | undefined)[]): Tensor<D> {
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
  /** The rows that the indices name. Throws KernelError when one is out of range. */
  gather(indices: Tensor<'int32'>): Tensor<D> {
    return gather(this, indices) as Tensor<D>
  }
  /** Repeated to a larger shape by the rules of broadcasting. */
  broadcastTo(this: Tensor, shape: Shape): Tensor {
    return expandTo(this, shape)
  }
  /** An int32 tensor as floats. */
  toFloat(this: Tensor<'int32'>): Tensor {
    return toFloat(this)
  }

  // Gradients and memory

  /**
   * Adds the gradient of this scalar to `grad` of every leaf it was computed from, and releases
   * what the graph had saved.
   * @param seed for a result that is not a scalar: its gradient
   */
  backward(this: Tensor, seed?: Tensor, options: { retainGraph?: boolean } = {}): void {
    requireUsable('backward', seed === undefined ? [this] : [this, seed])
    if (seed !== undefined) requireDType('backward', seed, 'float32')
    backward(this, seed, options.retainGraph)
  }
  /** The same buffer without its history. */
  detach(): Tensor<D> {
    return this.view()
  }
  /** A copy with a buffer of its own, without history. */
  clone(): Tensor<D> {
    const { backend } = this.storage
    const x = this.handle
    const y = allocate(this, this.shape, this.dtype)
    backend.run('copy2d', x, y.handle, 1, this.size, 0, this.size, 0, this.size)
    return y
  }
  /** Overwrites the elements, outside any graph: new weights, say. */
  assign(values: ArrayLike<number> | Tensor<D>): void {
    const isNumbers = Array.isArray(values)
      ? values.every((value) => typeof value === 'number')
      : ArrayBuffer.isView(values)
    if (!isNumbers && !(values instanceof Tensor)) {
      throw new ArgumentError('assign: expected a list of numbers or a tensor')
    }
    const shape = values instanceof Tensor ? values.shape : [values.length]
    if (values instanceof Tensor ? !sameShape(shape, this.shape) : values.length !== this.size) {
      throw new ShapeError(`assign: expected ${format(this.shape)}, got ${format(shape)}`)
    }
    if (!(values instanceof Tensor)) writeElements('assign', this, values)
    else if (values.storage !== this.storage) this.#copyFrom(values)
    this.storage.version++
  }
  #copyFrom(x: Tensor<D>): void {
    const { backend } = this.storage
    const { size } = this
    if (x.storage.backend !== backend || x.dtype !== this.dtype) {
      writeElements('assign', this, x.#exact())
    } else {
      backend.run('copy2d', x.handle, this.handle, 1, size, 0, size, 0, size)
    }
  }
  /** A tensor over the same buffer, without history; for a shape of the same size. */
  view(shape: Shape = this.shape): Tensor<D> {
    this.handle // refuses a released tensor
    if (shape !== this.shape) checkShape('view', shape)
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError(`view: expected ${this.size} elements, got shape ${format(shape)}`)
    }
    this.storage.references++
    return new Tensor<D>(this.storage, shape)
  }
  /** A new float tensor beside this one, filled with a value. */
  filled(value: number, shape: Shape = this.shape): Tensor {
    this.handle // refuses a released tensor
    checkShape('filled', shape)
    const y = allocate(this, shape)
    this.storage.backend.run('fill', y.handle, y.size, value)
    return y
  }
  /** Frees the buffer now, unless another tensor shares it. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    if (--this.storage.references === 0) this.storage.release()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Internal: what must stay when a scope returns this tensor. */
  *storagesInUse(): Iterable<Storage> {
    yield this.storage
    if (this.grad) yield this.grad.storage
    if (this.node) yield* savedStorages(this.node)
  }

  // biome-ignore lint/suspicious/noExplicitAny: the dtype is checked by the op
  #operand(y: AnyTensor | number): any {
    if (typeof y !== 'number') return y
    if (this.dtype === 'float32') return this.filled(y, [])
    this.handle // refuses a released tensor
    const scalar = allocate(this, [], this.dtype)
    writeElements(this.dtype, scalar, [y])
    return scalar
  }
}

/** Overwrites a tensor's buffer; integers must be integers of its dtype. */
export function writeElements(op: string, y: AnyTensor, values: ArrayLike<number>): void {
  const { backend } = y.storage
  backend.write(y.handle, toArrayOf(op, y.dtype, values, backend.precision))
}

/** Numbers as the typed array of a dtype; a float64 backend keeps what float32 would round. */
function toArrayOf(op: string, dtype: DType, values: ArrayLike<number>, precision: Precision) {
  if (dtype === 'float32') {
    const type = precision === 'float64' ? Float64Array : Float32Array
    return values instanceof type ? values : type.from(values)
  }
  const array = dtype === 'int32' ? Int32Array.from(values) : Uint8Array.from(values)
  for (let i = 0; i < array.length; i++) {
    if (array[i] !== values[i]) {
      throw new ArgumentError(`${op}: expected elements of ${dtype}, got ${values[i]} at ${i}`)
    }
  }
  return array
}

/** A new tensor with undefined content on the backend of another one. */
export function allocate(like: AnyTensor, shape: Shape): Tensor
export function allocate<D extends DType>(like: AnyTensor, shape: Shape, dtype: D): Tensor<D>
export function allocate(like: AnyTensor, shape: Shape, dtype: DType = 'float32'): AnyTensor {
  return new Tensor(new Storage(like.storage.backend, dtype, sizeOf(shape)), shape)
}
