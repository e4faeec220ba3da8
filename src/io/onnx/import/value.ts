/**
 * What goes from node to node. Shapes and other constants are computed beside the network, on a JavaScript
 * backend of their own: they are read at once, also while a step is captured, and whole numbers are exact to
 * 2^53. Batches and weights are on the backend that the caller chose.
 */
import { withBackend } from '../../../backend/current.js'
import type { DType } from '../../../backend/dtype.js'
import { JsBackend } from '../../../backend/js/backend.js'
import { isRecording, unrecorded } from '../../../backend/record.js'
import { CaptureError, DataError } from '../../../base/errors.js'
import { tensor } from '../../../tensor/create.js'
import { defaultFloat } from '../../../tensor/defaultFloat.js'
import { format, type Shape, sizeOf } from '../../../tensor/shape.js'
import type { AnyTensor } from '../../../tensor/tensor.js'

const host = new JsBackend()

/** Elements of a constant that is computed: more than any mask or table of places has. */
const MOST_ELEMENTS = 2 ** 24

/** Runs fn on the backend of constants, and leaves it out of what is being captured. */
export function onHost<T>(fn: () => T): T {
  return unrecorded(() => withBackend(host, fn))
}

/** What the elements are; text is kept as positions in a vocabulary. */
export type Kind = 'float' | 'int' | 'bool' | 'text'

/** dtypes of a kind, where constants are computed and where batches are. */
function dtypeOf(kind: Kind, isHost: boolean): DType {
  if (kind === 'bool') return 'bool'
  if (isHost) return 'float64'
  return kind === 'float' ? defaultFloat() : 'int32'
}

/** Elements of any kind, as a tensor whose axes may lie in another order than the file's. */
export class Value {
  readonly isHost: boolean
  /** In the order of `axes`. */
  readonly physical: AnyTensor
  /** Of a value of one call: what a call makes does not outlive it. */
  readonly #ordered = new Map<string, AnyTensor>()

  /**
   * @param axes of the file's, in the order that the tensor has them in; undefined where it is the same
   * @param vocabulary the texts that the elements are positions of
   * @param uploaded a constant where batches are, kept from call to call
   */
  constructor(
    readonly kind: Kind,
    elements: AnyTensor,
    readonly axes?: readonly number[],
    readonly vocabulary?: readonly string[],
    readonly uploaded?: AnyTensor,
  ) {
    this.isHost = elements.storage.backend === host
    const dtype = dtypeOf(kind, this.isHost)
    if (elements.dtype === dtype) this.physical = elements
    else this.physical = this.#where(() => elements.cast(dtype))
  }

  /** A constant. */
  static of(
    kind: Kind,
    values: ArrayLike<number>,
    shape: Shape,
    vocabulary?: readonly string[],
  ): Value {
    const elements = onHost(() => tensor(values, shape, dtypeOf(kind, true)))
    return new Value(kind, elements, undefined, vocabulary)
  }

  /** The same for another call. */
  get again(): Value {
    return this.isHost ? this : new Value(this.kind, this.physical, this.axes, this.vocabulary)
  }

  #where<T>(fn: () => T): T {
    return this.isHost ? onHost(fn) : fn()
  }

  /** In the order of the file. */
  get shape(): Shape {
    const { shape } = this.physical
    return this.axes === undefined ? shape : shape.map((_, axis) => shape[this.axes!.indexOf(axis)])
  }

  get rank(): number {
    return this.physical.shape.length
  }

  get size(): number {
    return this.physical.size
  }

  /** Its elements in the order of the file, wherever they are. */
  get tensor(): AnyTensor {
    return this.axes === undefined ? this.physical : this.inOrder([...this.axes.keys()])
  }

  /** Its elements in the order of the file, where batches are. */
  get device(): AnyTensor {
    return this.isHost ? this.#upload() : this.tensor
  }

  #upload(): AnyTensor {
    return (
      this.uploaded ??
      tensor(
        onHost(() => this.physical.data()),
        this.shape,
        dtypeOf(this.kind, false),
      )
    )
  }

  /** Its elements where batches are, with the axes in this order. */
  inOrder(axes: readonly number[]): AnyTensor {
    const name = axes.join()
    const known = this.#ordered.get(name)
    if (known !== undefined) return known
    const from = this.axes ?? axes.map((_, axis) => axis)
    const x = this.isHost ? this.#upload() : this.physical
    const found = permuted(
      x,
      axes.map((axis) => from.indexOf(axis)),
    )
    if (!this.isHost) this.#ordered.set(name, found)
    return found
  }

  /**
   * The elements, in the order of the file.
   * @param what they are, for the error
   * @throws CaptureError where they come from the inputs and a step is captured
   */
  numbers(what: string): number[] {
    if (!this.isHost && isRecording()) {
      throw new CaptureError(
        `${what} depends on values of the inputs, which a captured function cannot read`,
      )
    }
    return [...this.#where(() => this.tensor.data())]
  }

  /** The one number that it is. */
  number(what: string): number {
    const numbers = this.numbers(what)
    if (numbers.length === 1) return numbers[0]
    throw new DataError(`expected one number as ${what}, got shape ${format(this.shape)}`)
  }

  /** With other elements of its kind, in the order of the file. */
  with(elements: AnyTensor): Value {
    return new Value(this.kind, elements, undefined, this.vocabulary)
  }

  /** With its elements moved, or some of them taken. */
  map(fn: (x: AnyTensor) => AnyTensor): Value {
    return this.#where(() => this.with(fn(this.tensor)))
  }

  /** Text as text. */
  get texts(): string[] {
    return this.numbers('text').map((code) => this.vocabulary![code])
  }
}

/** Axes in another order; without a copy where nothing but axes of extent 1 moves. */
function permuted(x: AnyTensor, axes: readonly number[]): AnyTensor {
  const moved = axes.filter((axis) => x.shape[axis] !== 1)
  if (moved.every((axis, i) => i === 0 || moved[i - 1] < axis)) {
    return x.reshape(axes.map((axis) => x.shape[axis]))
  }
  return x.transpose(axes)
}

/** Refuses results that are too large to be computed beside the network, where all of what they follow from is. */
export function checkConstant(shape: Shape, from: readonly Value[] = []): void {
  if (sizeOf(shape) <= MOST_ELEMENTS || !from.every((value) => value.isHost)) return
  throw new DataError(
    `expected constants of at most ${MOST_ELEMENTS} elements, got shape ${format(shape)}`,
  )
}

/** Computes where the values are: with constants only where all are. */
export function compute<T>(values: readonly Value[], fn: (...tensors: AnyTensor[]) => T): T {
  if (values.every((value) => value.isHost)) {
    return onHost(() => fn(...values.map((value) => value.tensor)))
  }
  return fn(...values.map((value) => value.device))
}

/** Whether an operand of x can be a number, which is computed with faster than a tensor is. */
const isNumber = (x: Value, y: Value) =>
  y.isHost && !x.isHost && y.size === 1 && y.rank <= x.rank && y.kind !== 'bool'

/**
 * Element by element, with broadcasting: a tensor whose axes lie in another order keeps it.
 * @param kind of the result
 */
export function pointwise(
  kind: Kind,
  [x, ...others]: readonly Value[],
  fn: (x: AnyTensor, ...others: AnyTensor[]) => AnyTensor,
): Value {
  const values = [x, ...others]
  if (values.every((value) => value.isHost)) {
    checkConstant(broadcast(values))
    return compute(values, (...tensors) => new Value(kind, (fn as Pointwise)(...tensors)))
  }
  const rank = Math.max(...values.map((value) => value.rank))
  const axes = values.find((value) => value.axes !== undefined && value.rank === rank)?.axes
  if (axes === undefined) {
    return new Value(kind, (fn as Pointwise)(...values.map((value) => value.device)))
  }
  return new Value(kind, (fn as Pointwise)(...values.map((value) => aligned(value, axes))), axes)
}

type Pointwise = (...tensors: AnyTensor[]) => AnyTensor

/** An operand of a tensor of these axes. */
function aligned(value: Value, axes: readonly number[]): AnyTensor {
  if (value.rank === axes.length) return value.inOrder(axes)
  const wide = value.device.reshape([...Array(axes.length - value.rank).fill(1), ...value.shape])
  return permuted(wide, axes)
}

/** The largest extent of each axis: what broadcasting gives, where it does. */
function broadcast(values: readonly Value[]): Shape {
  const rank = Math.max(...values.map((value) => value.rank))
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...values.map(({ shape }) => shape[axis - rank + shape.length] ?? 1)),
  )
}

/** The same of two, where the second may be a number. */
export function binary(
  kind: Kind,
  x: Value,
  y: Value,
  fn: (x: AnyTensor, y: AnyTensor | number) => AnyTensor,
): Value {
  if (!isNumber(x, y)) return pointwise(kind, [x, y], fn)
  const number = y.number('an operand')
  return pointwise(kind, [x], (elements) => fn(elements, number))
}
