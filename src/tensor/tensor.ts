// Programs that are compiled against these types need Symbol.dispose, too.
/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The tensor: a shape over a buffer, and where it came from. Its computing methods are added by
 * `autograd/attach.ts`, over ops that are made from this class.
 */
import { type ArrayOf, type DType, dtypes, isFloat, type TypedArray } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { noteChange } from '../backend/reads.js'
import { isRecording, noteCleared, noteRead, noteSeen, noteSet } from '../backend/record.js'
import { isBranded } from '../base/brand.js'
import {
  ArgumentError,
  excerpt,
  OutOfMemoryError,
  ReleasedTensorError,
  ShapeError,
} from '../base/errors.js'
import { memoryOf, refuseWriting } from './locks.js'
import { readList, toArrayOf } from './numbers.js'
import { EDGE_ITEMS, formatTensor, type NestedOf, nest } from './print.js'
import { checkShape, format, type Shape, sameShape, sizeOf } from './shape.js'
import { Storage } from './storage.js'

/** @inline */
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

const BRAND = Symbol.for('neuroblas.Tensor')

/**
 * An n-dimensional array, row-major; float32 unless its type says otherwise. `tensor`, `zeros`,
 * `randn` and the like make one.
 * @example
 * const w = tensor([[1, -2], [3, 4]])
 * w.requiresGrad = true
 * w.square().sum().backward()
 * console.log(String(w.grad)) // 2·w
 */
export class Tensor<D extends DType = 'float32'> {
  /** Extents of the axes; [] of a scalar. */
  readonly shape: Shape
  /** Number of elements. */
  readonly size: number
  /** What the elements are. */
  readonly dtype: D
  /**
   * The op it is the result of, for `backward`.
   * @internal
   */
  node: GradNode | null = null
  /** @internal */
  readonly storage: Storage
  #grad: Tensor | null = null
  #requiresGrad = false
  /** Why it cannot be used any more. */
  #released: string | undefined

  /**
   * What `isTensor` asks for; not of a Proxy, through which a tensor cannot be used.
   * @internal
   */
  get [BRAND](): boolean {
    return #released in this
  }

  /** @internal */
  constructor(storage: Storage, shape: Shape) {
    this.storage = storage
    this.shape = shape
    this.size = storage.length
    this.dtype = storage.dtype as D
  }

  /**
   * The backend's name for the buffer. Throws ReleasedTensorError when the tensor was released.
   * @internal
   */
  get handle(): Handle {
    if (this.#released !== undefined) {
      throw new ReleasedTensorError(`tensor ${format(this.shape)}: ${this.#released}`)
    }
    return this.storage.handle
  }

  /** Gradient that `backward` left on a leaf, in the leaf's shape. */
  get grad(): Tensor | null {
    noteSeen(this)
    return this.#grad
  }

  /**
   * Null forgets it; the next `backward` starts from zero.
   * @throws ArgumentError for what is no tensor of its shape and dtype
   */
  set grad(grad: Tensor | null) {
    if (grad !== null) checkGradient(this, grad)
    if (isRecording()) {
      if (grad === null) noteCleared(this)
    } else if ((grad === null) !== (this.#grad === null)) noteChange()
    this.#grad = grad
  }

  /**
   * Whether operations on it leave a graph behind; set it on leaves such as parameters. One that is
   * switched off is frozen: it gets no gradients, and optimizers leave it as it is.
   */
  get requiresGrad(): boolean {
    if (isRecording() && this.#isOutside) noteRead(this, 'requiresGrad', this.#requiresGrad)
    return this.#requiresGrad
  }

  /** Throws ArgumentError when it is switched on for a tensor that is not of floats. */
  set requiresGrad(value: boolean) {
    if (value && !isFloat(this.dtype)) {
      throw new ArgumentError(`requiresGrad: expected a float tensor, got ${this.dtype}`)
    }
    if (value === this.#requiresGrad) return
    if (this.#isOutside) noteSet(this, 'requiresGrad', this.#requiresGrad)
    this.#requiresGrad = value
  }

  /** Whether it is a leaf that was there before what is being recorded. */
  get #isOutside(): boolean {
    return this.node === null && !this.storage.isRecorded
  }

  // Reading

  /**
   * The elements in row-major order, as a copy; of a bool tensor 0 and 1.
   * @throws ReleasedTensorError when the tensor was released, CaptureError in a captured function
   */
  data(): ArrayOf<D> {
    const values = emptyArray(this)
    this.storage.backend.read(this.handle, values)
    return values as ArrayOf<D>
  }

  /**
   * The elements as nested arrays; a number for a scalar.
   * @param rank the number of axes that is expected, which also types the result
   * @throws ShapeError when there are more axes or less, and what `data` throws
   * @example const rows: number[][] = x.toArray(2)
   */
  toArray<R extends number = number>(rank?: R): NestedOf<R> {
    const values = this.data()
    if (rank !== undefined && this.shape.length !== rank) {
      throw new ShapeError(
        `toArray: expected ${excerpt(rank)} axes, got shape ${format(this.shape)}`,
      )
    }
    return nest(values, this.shape) as NestedOf<R>
  }

  /**
   * The one element.
   * @throws ShapeError when there are more or none, and what `data` throws
   */
  item(): number {
    this.handle // refuses a released tensor
    if (this.size !== 1) {
      throw new ShapeError(`item: expected one element, got shape ${format(this.shape)}`)
    }
    return this.data()[0]
  }

  /** The elements as NumPy prints them. */
  toString(): string {
    return formatTensor(this.data(), this.shape)
  }

  [Symbol.for('nodejs.util.inspect.custom')](
    _depth?: number,
    { maxArrayLength = 100 }: { maxArrayLength?: number | null } = {},
  ): string {
    if (!(#released in this)) return 'a Proxy of a tensor'
    const about = `${format(this.shape)}, ${this.dtype}${this.requiresGrad ? ', requiresGrad' : ''}`
    if (this.#released !== undefined || this.storage.released) return `Tensor(${about}, released)`
    // In an excerpt of something else the elements need not be read.
    const isShort = maxArrayLength !== null && maxArrayLength < 2 * EDGE_ITEMS
    return isShort ? `Tensor(${about})` : `Tensor(${about})\n${this}`
  }

  /** The same buffer without its history. */
  detach(): Tensor<D> {
    return this.view()
  }
  /** A copy with a buffer of its own, without history. */
  clone(): Tensor<D> {
    this.handle // refuses a released tensor
    const { backend } = this.storage
    const y = new Tensor<D>(new Storage(backend, this.dtype, this.size), this.shape)
    backend.run('copy2d', this.handle, y.handle, 1, this.size, 0, this.size, 0, this.size)
    return y
  }
  /**
   * Overwrites the elements, outside any graph: new weights, say. Numbers are converted to the
   * dtype.
   * @throws ShapeError when the size, or the shape of a tensor, differs, ArgumentError for what are
   *   no numbers, BusyError while somebody awaits what uses it
   */
  assign(values: ArrayLike<number> | Tensor<D>): void {
    const given = isTensor(values)
      ? values
      : readList('assign', 'a list of numbers or a tensor', values)
    const shape = isTensor(given) ? given.shape : [given.length]
    if (isTensor(given) ? !sameShape(shape, this.shape) : given.length !== this.size) {
      throw new ShapeError(`assign: expected ${format(this.shape)}, got ${format(shape)}`)
    }
    if (!isRecording()) refuseWriting('assign', () => memoryOf([this]))
    if (!isTensor(given)) writeElements('assign', this, given)
    else if (given.storage !== this.storage) this.#copyFrom(given as Tensor<D>)
    this.storage.version++
  }
  #copyFrom(x: Tensor<D>): void {
    const { backend } = this.storage
    const { size } = this
    if (x.storage.backend !== backend || x.dtype !== this.dtype) {
      writeElements('assign', this, x.data())
    } else {
      backend.run('copy2d', x.handle, this.handle, 1, size, 0, size, 0, size)
    }
  }
  /**
   * A tensor over the same buffer, without history, in a shape of the same size.
   * @throws ShapeError when the size differs
   */
  view(shape: Shape = this.shape): Tensor<D> {
    this.handle // refuses a released tensor
    const checked = shape === this.shape ? shape : checkShape('view', shape)
    if (sizeOf(checked) !== this.size) {
      throw new ShapeError(`view: expected ${this.size} elements, got shape ${format(checked)}`)
    }
    this.storage.references++
    return new Tensor<D>(this.storage, checked)
  }
  /** Frees the buffer now, unless another tensor shares it. */
  dispose(): void {
    this.release('it was released by dispose()')
  }
  /**
   * `dispose`, with what is said to those who use it later.
   * @internal
   */
  release(reason: string): void {
    if (this.#released !== undefined) return
    this.#released = reason
    if (--this.storage.references === 0) this.storage.release()
  }
  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Whether it is a tensor, also one of another copy of the library. */
export function isTensor(value: unknown): value is AnyTensor {
  return isBranded(value, BRAND)
}

function checkGradient({ dtype, shape }: AnyTensor, grad: unknown): void {
  if (isTensor(grad) && grad.dtype === dtype && sameShape(grad.shape, shape)) return
  const got = isTensor(grad) ? `${grad.dtype} ${format(grad.shape)}` : excerpt(grad)
  throw new ArgumentError(`grad: expected null or a tensor ${dtype} ${format(shape)}, got ${got}`)
}

function emptyArray({ dtype, size }: AnyTensor): TypedArray {
  try {
    return new dtypes[dtype as DType].array(size)
  } catch {
    throw new OutOfMemoryError(`data: no memory for an array of ${size} elements`)
  }
}

/** Overwrites a tensor's buffer; what is no float must hold the numbers as they are. */
export function writeElements(op: string, y: AnyTensor, values: ArrayLike<number>): void {
  y.storage.backend.write(y.handle, toArrayOf(op, y.dtype, values))
}
