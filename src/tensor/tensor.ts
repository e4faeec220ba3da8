/**
 * The tensor: a shape over a buffer, and where it came from. Its computing methods are added by
 * `autograd/attach.ts`, over ops that are made from this class.
 */
import { type ArrayOf, type DType, dtypes, type Precision } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { ArgumentError, ReleasedTensorError, ShapeError } from '../base/errors.js'
import { formatTensor, type Nested, nest } from './print.js'
import { checkShape, format, type Shape, sameShape, sizeOf } from './shape.js'
import { Storage } from './storage.js'

// biome-ignore lint/suspicious/noExplicitAny: stands for a tensor of any dtype
export type AnyTensor = Tensor<any>

/** What arithmetic takes on its right side. */
export type Operand = Tensor | number

/** One differentiable op of the graph: what it was computed from and how to go back. */
export interface GradNode {
  readonly name: string
  /** Grows with creation, so descending order is a valid order of walking back. */
  readonly id: number
  /** Per input: the node it came from, the leaf that it is, or null where no gradient is wanted. */
  readonly edges: readonly (GradNode | Tensor | null)[]
  /** Shapes of the inputs. */
  readonly shapes: readonly Shape[]
  /** The op's arguments that are not tensors. */
  readonly attributes: unknown
  /** Views of what the op needs again; null once they were released. */
  saved: readonly AnyTensor[] | null
  /** Sum of the saved buffers' versions when they were saved. */
  readonly version: number
  /** One gradient per input, computed only when it is asked for. */
  readonly backward: (dy: Tensor, saved: readonly AnyTensor[], node: GradNode) => (() => Tensor)[]
  /** The gradient gathered so far, during a walk. */
  gradient: Tensor | null
}

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
    const values = new dtypes[this.dtype].array(this.size) as ArrayOf<D>
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

  // Gradients and memory

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
  /** Frees the buffer now, unless another tensor shares it. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    if (--this.storage.references === 0) this.storage.release()
  }
  [Symbol.dispose](): void {
    this.dispose()
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

/**
 * A new float tensor on the backend of x with every element the same value.
 * @param shape that of x by default
 * @throws ShapeError for what is no shape
 */
export function fullLike(x: AnyTensor, value: number, shape: Shape = x.shape): Tensor {
  x.handle // refuses a released tensor
  checkShape('fullLike', shape)
  const y = allocate(x, shape)
  x.storage.backend.run('fill', y.handle, y.size, value)
  return y
}
