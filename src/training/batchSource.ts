/**
 * Batches that are no part of a data set: of several inputs or targets, or from an iterable. What they hold is
 * read into tensors.
 */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import type { NumberArray } from '../base/typedArrays.js'
import { tensor } from '../tensor/create.js'
import { readNumbers } from '../tensor/numbers.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { within } from '../tensor/storage.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import type { ShapedValues } from './moduleInputs.js'

/** @inline */
type Nested = readonly (number | ArrayLike<number> | Nested)[]

/** An input or a target of all examples of a batch, which is the first axis. */
export type BatchPart = Tensor | Tensor<'int32'> | ShapedValues | Nested | ArrayLike<number>

/** One of them, several in a list of tensors or of `{ data, shape }`, or several by name. */
export type BatchParts =
  | BatchPart
  | readonly (Tensor | Tensor<'int32'> | ShapedValues)[]
  | {
      /** One of them. */
      readonly [name: string]: BatchPart
    }

/**
 * Inputs and targets of some examples. A list of inputs goes into `forward` one by one, a record as a record.
 * Integers in one list or array are labels, or indices; all else are values.
 */
export interface BatchArrays {
  /** What goes into the model. */
  readonly inputs: BatchParts
  /** What the loss is given beside the outputs. */
  readonly targets: BatchParts
  /** What has one is a data set. */
  readonly inputShape?: undefined
}

/** Batches in turn. */
export type BatchSource = AsyncIterable<BatchArrays> | Iterable<BatchArrays>

/** What `fit` trains on beside data sets: batches in turn, or all examples at once, of which it makes batches. */
export type BatchData = BatchSource | BatchArrays

export function isBatchData(data: unknown): data is BatchData {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return false
  return isIterable(data) || ('inputs' in data && 'targets' in data && !('inputShape' in data))
}

export function isIterable(data: object): data is BatchSource {
  return Symbol.asyncIterator in data || Symbol.iterator in data
}

/** The values of a part, not on the backend yet. */
interface PartValues {
  values: NumberArray
  shape: Shape
}

/** Parts in the form that they were given in. */
export type Form = 'one' | 'list' | readonly string[]

/** What a batch holds, read. */
export interface ReadBatch {
  inputs: { form: Form; parts: (PartValues | AnyTensor)[] }
  targets: { form: Form; parts: (PartValues | AnyTensor)[] }
  size: number
}

/** @throws ArgumentError for what is no batch, ShapeError where its parts differ in their examples */
export function readBatch(op: string, batch: BatchArrays): ReadBatch {
  if (typeof batch !== 'object' || batch === null || !('inputs' in batch && 'targets' in batch)) {
    throw new ArgumentError(`${op}: expected batches { inputs, targets }, got ${excerpt(batch)}`)
  }
  const inputs = readParts(`${op}: inputs`, batch.inputs, false)
  const targets = readParts(`${op}: targets`, batch.targets, true)
  const sizes = [...inputs.parts, ...targets.parts].map(({ shape }) => shape[0])
  const [size] = sizes
  if (size >= 1 && sizes.every((other) => other === size)) return { inputs, targets, size }
  throw new ShapeError(
    `${op}: expected the same number of examples, at least one, in all inputs and targets, got ${sizes.join(', ')}`,
  )
}

function readParts(op: string, given: BatchParts, isTarget: boolean): ReadBatch['inputs'] {
  const read = (part: unknown, name = '') => readPart(`${op}${name && ` ${name}`}`, part, isTarget)
  if (isPart(given)) return { form: 'one', parts: [read(given)] }
  if (Array.isArray(given)) return { form: 'list', parts: given.map((part) => read(part)) }
  const entries = Object.entries(given as Record<string, BatchPart>)
  return {
    form: entries.map(([name]) => name),
    parts: entries.map(([name, part]) => read(part, name)),
  }
}

/** Whether it is one part: a tensor, values with their shape, numbers or rows of them. */
function isPart(given: BatchParts): boolean {
  if (typeof given !== 'object' || given === null || isTensor(given) || isShaped(given)) return true
  if (ArrayBuffer.isView(given)) return true
  return Array.isArray(given) && !given.some((part) => isTensor(part) || isShaped(part))
}

function isShaped(given: unknown): given is ShapedValues {
  return typeof given === 'object' && given !== null && 'data' in given && 'shape' in given
}

function readPart(op: string, given: unknown, isTarget: boolean): PartValues | AnyTensor {
  if (isTensor(given)) return given
  const [data, shape] = isShaped(given) ? [given.data, given.shape] : [given, undefined]
  const { values, shape: found, kind } = readNumbers(op, data)
  if (shape !== undefined && (!Array.isArray(shape) || sizeOf(shape) !== values.length)) {
    throw new ShapeError(
      `${op}: expected values for the shape ${excerpt(shape)}, got ${values.length} of them`,
    )
  }
  const at = values.findIndex((value: number) => !Number.isFinite(value))
  if (at >= 0) throw new ArgumentError(`${op}: expected finite numbers, got ${values[at]} at ${at}`)
  const own = shape ?? found
  const isOfIntegers = kind.startsWith('Int') || kind.startsWith('Uint') || kind.startsWith('Big')
  const isList = own.length === 1 && kind === 'number' && values.every(Number.isInteger)
  if (isTarget ? isOfIntegers || isList : kind === 'Int32Array') {
    return { values: Int32Array.from(values), shape: own }
  }
  // A value for each example is a column, as in a data set.
  return { values: Float32Array.from(values), shape: own.length === 1 ? [...own, 1] : own }
}

/** Part of the examples, copied. */
export function takeRows(batch: ReadBatch, rows: Int32Array): ReadBatch {
  const take = (part: PartValues | AnyTensor): PartValues => {
    const width = sizeOf(part.shape.slice(1))
    const of = (isTensor(part) ? part.data() : part.values) as Int32Array | Float32Array
    const count = rows.length * width
    const values = of instanceof Int32Array ? new Int32Array(count) : new Float32Array(count)
    for (const [i, row] of rows.entries()) {
      values.set(of.subarray(row * width, (row + 1) * width), i * width)
    }
    return { values, shape: [rows.length, ...part.shape.slice(1)] }
  }
  return {
    inputs: { form: batch.inputs.form, parts: batch.inputs.parts.map(take) },
    targets: { form: batch.targets.form, parts: batch.targets.parts.map(take) },
    size: rows.length,
  }
}

/** Calls `use` with tensors of all parts, inputs first; those that are not the caller's are freed afterwards. */
export async function withTensors<T>(
  { inputs, targets }: ReadBatch,
  use: (tensors: AnyTensor[]) => Promise<T>,
): Promise<T> {
  const own: AnyTensor[] = []
  try {
    const tensors = [...inputs.parts, ...targets.parts].map((part) => {
      if (isTensor(part)) return part
      const made = within(null, () => tensor(part.values as Float32Array, part.shape))
      own.push(made)
      return made
    })
    return await use(tensors)
  } finally {
    for (const made of own) made.dispose()
  }
}

/** Values in the form that parts were given in. */
export function inForm<T>(form: Form, values: readonly T[]): T | readonly T[] | Record<string, T> {
  if (form === 'one') return values[0]
  if (form === 'list') return values
  return Object.fromEntries(form.map((name, i) => [name, values[i]]))
}

/** The form of a batch in words. */
export function describeForm({ inputs, targets }: ReadBatch): string {
  const text = ({ form, parts }: ReadBatch['inputs']) =>
    Array.isArray(form)
      ? `{ ${form.join(', ')} }`
      : form === 'list'
        ? `${parts.length} in a list`
        : 'one'
  return `inputs ${text(inputs)} and targets ${text(targets)}`
}
