/**
 * Batches that are no part of a data set: of several inputs or targets, or from an iterable. What they hold is
 * read into tensors.
 */

import type { DType, TypedArray } from '../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { tensor } from '../tensor/create.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { isShaped, readValues, type ShapedValues } from '../tensor/shapedValues.js'
import { within } from '../tensor/storage.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'

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
  if (typeof data !== 'object' || data === null) return false
  // Rows are arrays, too: they lack their targets.
  if (Array.isArray(data)) return isBatch(data[0])
  return isIterable(data) || (isBatch(data) && !('inputShape' in data))
}

function isBatch(given: unknown): given is BatchArrays {
  return typeof given === 'object' && given !== null && 'inputs' in given && 'targets' in given
}

export function isIterable(data: object): data is BatchSource {
  return Symbol.asyncIterator in data || Symbol.iterator in data
}

/** The values of a part, not on the backend yet. */
interface PartValues {
  values: TypedArray
  shape: Shape
  /** Of a tensor; else as `tensor` chooses. */
  dtype?: DType
}

/** Parts in the form that they were given in. */
export type Form = 'one' | 'list' | readonly string[]

interface ReadParts<Part> {
  form: Form
  parts: Part[]
}

/** What a batch holds, read. */
export interface ReadBatch<Part extends PartValues | AnyTensor = PartValues | AnyTensor> {
  inputs: ReadParts<Part>
  targets: ReadParts<Part>
  size: number
}

/** @throws ArgumentError for what is no batch, ShapeError where its parts differ in their examples */
export function readBatch(op: string, batch: BatchArrays): ReadBatch {
  if (!isBatch(batch)) {
    throw new ArgumentError(`${op}: expected batches { inputs, targets }, got ${excerpt(batch)}`)
  }
  const inputs = readParts(`${op}: inputs`, batch.inputs, false)
  const targets = readParts(`${op}: targets`, batch.targets, true)
  const sizes = [...inputs.parts, ...targets.parts].map(({ shape }) => shape[0])
  const [size = 0] = sizes
  if (size >= 1 && sizes.every((other) => other === size)) return { inputs, targets, size }
  throw new ShapeError(
    `${op}: expected the same number of examples, at least one, in all inputs and targets, got ${sizes.map((one) => one ?? 'a scalar').join(', ')}`,
  )
}

function readParts(
  op: string,
  given: BatchParts,
  isTarget: boolean,
): ReadParts<PartValues | AnyTensor> {
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

function readPart(op: string, given: unknown, isTarget: boolean): PartValues | AnyTensor {
  if (isTensor(given)) return given
  const { values, shape, kind } = readValues(op, given)
  const isOfIntegers = kind.startsWith('Int') || kind.startsWith('Uint') || kind.startsWith('Big')
  const isList = shape.length === 1 && kind === 'number'
  // What int32 does not hold is no label.
  const isInt32 = () => values.every((value: number) => value === (value | 0))
  if (isTarget ? (isOfIntegers || isList) && isInt32() : kind === 'Int32Array') {
    return { values: Int32Array.from(values), shape }
  }
  const floats = Float32Array.from(values)
  const at = floats.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new ArgumentError(`${op}: expected finite numbers, got ${floats[at]} at ${at}`)
  // A value for each example is a column, as in a data set.
  return { values: floats, shape: shape.length === 1 ? [...shape, 1] : shape }
}

/** The same batch, with the values of its tensors copied. */
export function withValues(batch: ReadBatch): ReadBatch<PartValues> {
  return mapParts(batch, batch.size, (part) =>
    isTensor(part)
      ? { values: part.data() as TypedArray, shape: part.shape, dtype: part.dtype as DType }
      : part,
  )
}

/** Part of the examples, copied. */
export function takeRows(batch: ReadBatch<PartValues>, rows: Int32Array): ReadBatch<PartValues> {
  return mapParts(batch, rows.length, ({ values: all, shape, dtype }) => {
    const width = sizeOf(shape.slice(1))
    const values = all.slice(0, rows.length * width)
    for (const [i, row] of rows.entries()) {
      values.set(all.subarray(row * width, (row + 1) * width), i * width)
    }
    return { values, shape: [rows.length, ...shape.slice(1)], dtype }
  })
}

function mapParts<From extends PartValues | AnyTensor, To extends PartValues | AnyTensor>(
  { inputs, targets }: ReadBatch<From>,
  size: number,
  change: (part: From) => To,
): ReadBatch<To> {
  const map = ({ form, parts }: ReadParts<From>) => ({ form, parts: parts.map(change) })
  return { inputs: map(inputs), targets: map(targets), size }
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
      const { values, shape, dtype } = part
      const made = within(null, () => tensor(values, shape, dtype as DType))
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
  return `inputs ${describeParts(inputs)} and targets ${describeParts(targets)}`
}

export function describeParts({ form, parts }: ReadBatch['inputs']): string {
  if (form === 'one') return 'one'
  return form === 'list' ? `${parts.length} in a list` : `{ ${form.join(', ')} }`
}
