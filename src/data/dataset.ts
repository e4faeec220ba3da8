/**
 * Examples with their targets, held in plain typed arrays: what every reader in this folder returns
 * and what batches are made from. Not a loader: nothing here batches, scales or makes tensors.
 */
import { isWithin, optionsOf } from '../base/arguments.js'
import { requireMemory } from '../base/availableMemory.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type NumberArray, readTypedArray, type TypedNumbers } from '../base/typedArrays.js'
import type { TargetKind } from '../nn/losses.js'
import { readList, readNumbers } from '../tensor/numbers.js'
import { permutation, streams } from '../tensor/random.js'

/**
 * Examples with their targets, in plain typed arrays. `dataset` makes one and checks it. Its type says
 * what the targets are, where that is known: `Dataset<'labels'>`, `Dataset<'values'>`.
 */
export interface Dataset<K extends TargetKind = TargetKind> {
  /** What reports and model files call it. */
  readonly name: string
  /** Number of examples, at least 1. */
  readonly size: number
  /** Row-major [size, ...inputShape]. */
  readonly inputs: Float32Array | Uint8Array
  /** Shape of one example. */
  readonly inputShape: readonly number[]
  /** What bytes are multiplied by when they are batched; 1 for float inputs. */
  readonly scale: number
  /**
   * Row-major [size, ...targetShape]. Int32Array: class labels from 0 to classes.length - 1, or counts
   * for a network with one output. Float32Array: values to predict.
   */
  readonly targets: TargetArray<K>
  /** Shape of one target; empty for labels. */
  readonly targetShape: readonly number[]
  /** The name of each class; empty for regression. */
  readonly classes: readonly string[]
  /** [rows, columns] when each example is a grey image, for plots. */
  readonly imageShape?: readonly [number, number]
}

/**
 * The array that targets of a kind are held in.
 * @inline
 */
export type TargetArray<K extends TargetKind> = K extends 'labels' ? Int32Array : Float32Array

/** What is to be learned: which class an example belongs to, or values. */
export type Task = 'classify' | 'regress'

/** What `dataset` takes. The type of `targets` says what they are, or `task` does. */
export interface DatasetSource {
  /** 'dataset' by default. */
  readonly name?: string
  /**
   * One row per example, or all values row by row together with `inputShape`: a Float32Array, bytes in a
   * Uint8Array or Uint8ClampedArray, or another typed array, whose values become float32.
   */
  readonly inputs: readonly Rows[] | NumberArray | BigInt64Array | BigUint64Array
  /** Shape of one example; needed for typed arrays, otherwise that of a row. */
  readonly inputShape?: readonly number[]
  /** For byte inputs only: what they are multiplied by when batched (default 1). */
  readonly scale?: number
  /**
   * Integers in one list: whole numbers from 0, which are class labels, or counts for a network with
   * one output. number[][], arrays of floats: values to regress on.
   */
  readonly targets:
    | readonly number[]
    | readonly ArrayLike<number>[]
    | NumberArray
    | BigInt64Array
    | BigUint64Array
  /** `regress` makes values of any numbers, `classify` labels of whole ones. */
  readonly task?: Task
  /** Names of the classes; by default the labels themselves, '0' to the largest. */
  readonly classes?: readonly string[]
  /** [rows, columns] when each example is a grey image, for charts. */
  readonly imageShape?: readonly [number, number]
}

/** @inline */
type IntegerArray =
  | Exclude<NumberArray, Float32Array | Float64Array>
  | (BigInt64Array | BigUint64Array)
/** @inline */
type Rows = ArrayLike<number> | readonly Rows[]

/** With what a data set has besides, which may be spread into another one and follows from its values. */
const SOURCE: Record<keyof DatasetSource | 'size' | 'targetShape', true> = {
  task: true,
  name: true,
  inputs: true,
  inputShape: true,
  scale: true,
  targets: true,
  classes: true,
  imageShape: true,
  size: true,
  targetShape: true,
}

/**
 * A data set, which may have been made by hand or be of another realm, as one whose arrays are what they
 * say they are.
 * @throws ArgumentError for what is none
 */
export function checkDataset<K extends TargetKind>(op: string, data: Dataset<K>): Dataset<K> {
  const { size, inputs, inputShape, targets, targetShape } = data ?? {}
  const isShape = (shape: unknown) =>
    Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 1)
  if (!isShape(inputShape) || !isShape(targetShape) || !(Number.isSafeInteger(size) && size >= 1)) {
    const found = size === 0 ? 'one without examples' : excerpt(data)
    throw new ArgumentError(`${op}: expected a data set, as dataset() makes it, got ${found}`)
  }
  return {
    ...data,
    inputs: valuesOf(op, 'inputs', inputs, ['Float32Array', 'Uint8Array']),
    targets: valuesOf(op, 'targets', targets, ['Float32Array', 'Int32Array']),
  }
}

function valuesOf<A extends NumberArray>(
  op: string,
  what: string,
  values: A,
  known: readonly string[],
): A {
  const typed = readTypedArray(op, values)
  if (typed && known.includes(typed.kind)) return typed.values as A
  throw new ArgumentError(
    `${op}: expected ${what} in a ${known.join(' or ')}, got ${excerpt(values)}`,
  )
}

type Values = Float32Array | Uint8Array | Int32Array

/** Without names for the classes, a label beyond this is taken for a mistake. */
const MAX_UNNAMED_CLASSES = 65536

/**
 * Makes a Dataset from arrays. Typed arrays are kept, not copied: do not change them afterwards.
 *
 * @throws ShapeError when rows, counts and shapes do not fit each other or there is no example
 * @throws ArgumentError when a value is not finite, a label is not an integer of a known class,
 *   or an argument has the wrong type
 */
export function dataset(source: DatasetSource & { readonly task: 'regress' }): Dataset<'values'>
export function dataset(source: DatasetSource & { readonly task: 'classify' }): Dataset<'labels'>
export function dataset(
  source: DatasetSource & {
    readonly targets: readonly number[] | IntegerArray
    readonly task?: undefined
  },
): Dataset<'labels'>
export function dataset(
  source: DatasetSource & {
    readonly targets: readonly ArrayLike<number>[] | Float32Array | Float64Array
    readonly task?: undefined
  },
): Dataset<'values'>
export function dataset(source: DatasetSource): Dataset
export function dataset(given: DatasetSource): Dataset {
  const source = optionsOf('dataset', given, SOURCE)
  const { name = 'dataset', imageShape, classes = [] } = source
  if (typeof name !== 'string') {
    throw new ArgumentError(`dataset: expected a name, got ${excerpt(name)}`)
  }
  if (!Array.isArray(classes) || !classes.every((label) => typeof label === 'string')) {
    throw new ArgumentError(`dataset: expected names of classes, got ${excerpt(classes)}`)
  }
  const { inputs, inputShape, size } = readInputs(source)
  const scale = source.scale ?? 1
  if (!Number.isFinite(scale) || (scale !== 1 && !(inputs instanceof Uint8Array))) {
    throw new ArgumentError(
      `dataset: expected a finite scale, and one other than 1 only for Uint8Array inputs, got ${scale}`,
    )
  }
  if (imageShape !== undefined) checkExtents('imageShape', imageShape)
  if (imageShape !== undefined && elements(imageShape) !== elements(inputShape)) {
    throw new ShapeError(
      `dataset: imageShape and inputShape differ in size, got [${imageShape}] and [${inputShape}]`,
    )
  }
  const common = {
    name,
    size,
    inputs,
    inputShape,
    scale,
    ...(imageShape && { imageShape }),
  }
  return { ...common, ...readTargets(source, size) }
}

/**
 * Parts a data set in two, at random but the same for the same seed.
 *
 * @param testFraction share of the examples that become the test part, between 0 and 1
 * @param seed from 0 to 2^53 - 1
 * @throws ArgumentError when the share is outside (0, 1) or would leave one part empty
 * @example const { train, test } = split(iris(), 0.2, 1)
 */
export function split<K extends TargetKind>(
  data: Dataset<K>,
  testFraction: number,
  seed: number,
): {
  /** The rest. */
  train: Dataset<K>
  /** `testFraction` of the examples. */
  test: Dataset<K>
} {
  const { train, test } = splitRows(checkDataset('split', data).size, testFraction, seed)
  return { train: subset(data, train), test: subset(data, test) }
}

/** The rows of both parts. */
export function splitRows(
  size: number,
  testFraction: number,
  seed: number,
): { train: Int32Array; test: Int32Array } {
  const count = isWithin(testFraction, 0, 1) ? Math.round(size * testFraction) : 0
  if (!(count > 0 && count < size)) {
    throw new ArgumentError(
      `split: expected a fraction in (0, 1) that leaves examples in both parts, got ${excerpt(testFraction)} of ${size} examples`,
    )
  }
  const order = permutation(size, seed, streams.split)
  return { train: order.subarray(count), test: order.subarray(0, count) }
}

/**
 * The examples at `rows`, in that order, copied; a row may be named more than once (bootstrap).
 *
 * @throws ArgumentError when there are no rows or one is not an integer in 0 .. size - 1
 */
export function subset<K extends TargetKind>(
  source: Dataset<K>,
  given: ArrayLike<number>,
): Dataset<K> {
  const data = checkDataset('subset', source)
  const rows = readList('subset', 'a list of rows', given)
  if (rows.length === 0) throw new ArgumentError('subset: expected at least one row, got none')
  for (let i = 0; i < rows.length; i++) {
    if (!Number.isInteger(rows[i]) || rows[i] < 0 || rows[i] >= data.size) {
      throw new ArgumentError(
        `subset: expected rows in 0..${data.size - 1}, got ${rows[i]} at position ${i}`,
      )
    }
  }
  return {
    ...data,
    size: rows.length,
    inputs: gather(data.inputs, rows, elements(data.inputShape)),
    targets: gather<TargetArray<K>>(data.targets, rows, elements(data.targetShape)),
  }
}

function gather<T extends Values>(from: T, rows: ArrayLike<number>, width: number): T {
  const length = rows.length * width
  requireMemory('dataset', `a copy of ${rows.length} rows`, length * from.BYTES_PER_ELEMENT)
  const out = emptyLike(from, length)
  for (let i = 0; i < rows.length; i++) {
    out.set(from.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
  }
  return out
}

/** Not `new from.constructor(…)`: a Buffer is a Uint8Array too. */
function emptyLike<T extends Values>(from: T, length: number): T
function emptyLike(from: Values, length: number): Values {
  if (from instanceof Uint8Array) return new Uint8Array(length)
  return from instanceof Int32Array ? new Int32Array(length) : new Float32Array(length)
}

function readInputs(source: DatasetSource): Pick<Dataset, 'inputs' | 'inputShape' | 'size'> {
  const { inputs } = source
  if (inputs?.length === 0) throw new ShapeError('dataset: expected at least one example, got none')
  const typed = readTypedArray('dataset: inputs', inputs)
  const { values, rowShape } = typed
    ? { values: keptInputs(typed), rowShape: undefined }
    : readRowsOf('inputs', inputs as readonly Rows[])
  const inputShape = source.inputShape ?? rowShape
  if (inputShape === undefined) {
    throw new ArgumentError('dataset: expected inputShape beside a typed array of inputs, got none')
  }
  checkExtents('inputShape', inputShape)
  const size = typed ? values.length / elements(inputShape) : (inputs as readonly Rows[]).length
  if (size === 0 || size * elements(inputShape) !== values.length || !Number.isInteger(size)) {
    throw new ShapeError(
      `dataset: expected inputs for whole examples of shape [${inputShape}], at least one, got ${values.length} values`,
    )
  }
  checkFinite(values, 'inputs')
  return { inputs: values, inputShape: [...inputShape], size }
}

function readTargets(
  { targets, classes, task }: DatasetSource,
  size: number,
): Pick<Dataset, 'targets' | 'targetShape' | 'classes'> {
  if (task !== undefined && task !== 'classify' && task !== 'regress') {
    throw new ArgumentError(`dataset: expected task classify or regress, got ${excerpt(task)}`)
  }
  const typed = readTypedArray('dataset: targets', targets)
  const flat = typed?.values ?? (isList(targets) ? targets : undefined)
  const isFloats = typed?.kind.startsWith('Float')
  if (flat && (task === 'classify' || (task === undefined && !isFloats))) {
    checkTargetCount(flat.length, size)
    return { ...readLabels(flat, classes), targetShape: [] }
  }
  if (task === 'classify') {
    throw new ArgumentError(
      `dataset: expected a label for each example to classify, got ${excerpt(targets)}`,
    )
  }
  if (classes !== undefined) {
    throw new ArgumentError(
      'dataset: expected classes only beside labels (number[] or Int32Array), got them with real targets',
    )
  }
  const values = flat
    ? floatsOf(flat, typed?.kind)
    : readRowsOf('targets', targets as readonly Rows[]).values
  // Flat values say nothing about rows, so any whole number of values per example will do.
  const isWhole = flat !== undefined && values.length % size === 0
  checkTargetCount(isWhole ? size : targets.length, size)
  if (values.length === 0) throw new ShapeError('dataset: expected values in targets, got none')
  checkFinite(values, 'targets')
  return { targets: values, targetShape: [values.length / size], classes: [] }
}

/** Whether targets are numbers one after another; refuses what are none. */
function isList(targets: DatasetSource['targets']): targets is readonly number[] {
  if (!Array.isArray(targets)) return false
  if (isRow(targets[0])) return false
  const at = [...targets].findIndex((value) => typeof value !== 'number')
  if (at < 0) return true
  const hints: Record<string, string> = {
    string: 'of names, take labels = names.map((name) => classes.indexOf(name))',
    boolean: 'targets.map(Number) makes labels of booleans, 0 for false and 1 for true',
    null: 'leave out the examples whose target is not known',
  }
  const hint = hints[targets[at] === null ? 'null' : typeof targets[at]]
  throw new ArgumentError(
    `dataset: expected numbers in targets, got ${excerpt(targets[at])} at row ${at}${hint ? `; ${hint}` : ''}`,
  )
}

function isRow(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value)
}

function checkTargetCount(targets: number, examples: number): void {
  if (targets === examples) return
  throw new ShapeError(
    `dataset: expected one target per example, got ${targets} targets and ${examples} examples`,
  )
}

function readLabels(
  labels: ArrayLike<number>,
  classes?: readonly string[],
): Pick<Dataset, 'targets' | 'classes'> {
  const limit = classes?.length ?? MAX_UNNAMED_CLASSES
  let largest = 0
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]
    if (!Number.isInteger(label) || label < 0 || label >= limit) {
      throw new ArgumentError(
        `dataset: expected integer labels in 0..${limit - 1} (values to predict: task: 'regress'), got ${excerpt(label)} at row ${i}`,
      )
    }
    largest = Math.max(largest, label)
  }
  return {
    targets: labels instanceof Int32Array ? labels : Int32Array.from(labels),
    classes: classes ? [...classes] : Array.from({ length: largest + 1 }, (_, label) => `${label}`),
  }
}

function checkExtents(what: string, shape: readonly number[]): void {
  if (Array.isArray(shape) && shape.every((n) => Number.isInteger(n) && n > 0)) return
  throw new ShapeError(`dataset: expected an ${what} of positive integers, got ${excerpt(shape)}`)
}

/** Inputs as a data set holds them: floats, or bytes. */
function keptInputs({ kind, values }: TypedNumbers): Float32Array | Uint8Array {
  const isBytes = kind === 'Uint8Array' || kind === 'Uint8ClampedArray'
  if (!isBytes) return floatsOf(values, kind)
  return new Uint8Array(values.buffer, values.byteOffset, values.length)
}

function floatsOf(values: ArrayLike<number>, kind?: string): Float32Array {
  return kind === 'Float32Array' ? (values as Float32Array) : Float32Array.from(values)
}

/** Rows of equal shape, one after another. */
function readRowsOf(
  what: string,
  rows: readonly Rows[],
): { values: Float32Array; rowShape: readonly number[] } {
  if (!Array.isArray(rows)) {
    throw new ArgumentError(
      `dataset: expected ${what} as rows or a typed array, got ${excerpt(rows)}`,
    )
  }
  const { values, shape, kind } = readNumbers(`dataset: ${what}`, rows, Float32Array)
  if (shape.length === 1 && rows.length > 0) {
    throw new ArgumentError(`dataset: expected rows in ${what}, got ${excerpt(rows)}`)
  }
  if (kind === 'boolean') {
    throw new ArgumentError(`dataset: expected numbers in ${what}, got booleans`)
  }
  return { values: values as Float32Array, rowShape: shape.slice(1) }
}

function checkFinite(values: Float32Array | Uint8Array, what: string): void {
  const at =
    values instanceof Uint8Array ? -1 : values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return
  throw new ArgumentError(
    `dataset: expected finite float32 values in ${what}, got ${values[at]} at position ${at}`,
  )
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}
