/**
 * Examples with their targets, held in plain typed arrays: what every reader in this folder returns
 * and what batches are made from. Not a loader: nothing here batches, scales or makes tensors.
 */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import type { TargetKind } from '../nn/losses.js'
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
  /** One row per example, or all values row by row together with `inputShape`. */
  readonly inputs: readonly ArrayLike<number>[] | Float32Array | Uint8Array
  /** Shape of one example; needed for typed arrays, otherwise the length of a row. */
  readonly inputShape?: readonly number[]
  /** For byte inputs only: what they are multiplied by when batched (default 1). */
  readonly scale?: number
  /**
   * number[], Int32Array: whole numbers from 0, which are class labels, or counts for a network with
   * one output. number[][], Float32Array: values to regress on.
   */
  readonly targets: readonly number[] | Int32Array | readonly ArrayLike<number>[] | Float32Array
  /** `regress` makes values of any numbers, `classify` labels of whole ones. */
  readonly task?: Task
  /** Names of the classes; by default the labels themselves, '0' to the largest. */
  readonly classes?: readonly string[]
  /** [rows, columns] when each example is a grey image, for charts. */
  readonly imageShape?: readonly [number, number]
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
    readonly targets: readonly number[] | Int32Array
    readonly task?: undefined
  },
): Dataset<'labels'>
export function dataset(
  source: DatasetSource & {
    readonly targets: readonly ArrayLike<number>[] | Float32Array
    readonly task?: undefined
  },
): Dataset<'values'>
export function dataset(source: DatasetSource): Dataset
export function dataset(source: DatasetSource): Dataset {
  const { name = 'dataset', imageShape } = source
  const { inputs, inputShape, size } = readInputs(source)
  const scale = source.scale ?? 1
  if (!Number.isFinite(scale) || (scale !== 1 && !(inputs instanceof Uint8Array))) {
    throw new ArgumentError(
      `dataset: expected a finite scale, and one other than 1 only for Uint8Array inputs, got ${scale}`,
    )
  }
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
  const { train, test } = splitRows(data.size, testFraction, seed)
  return { train: subset(data, train), test: subset(data, test) }
}

/** The rows of both parts. */
export function splitRows(
  size: number,
  testFraction: number,
  seed: number,
): { train: Int32Array; test: Int32Array } {
  const count = Math.round(size * testFraction)
  if (!(testFraction > 0 && testFraction < 1 && count > 0 && count < size)) {
    throw new ArgumentError(
      `split: expected a fraction in (0, 1) that leaves examples in both parts, got ${testFraction} of ${size} examples`,
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
  data: Dataset<K>,
  rows: ArrayLike<number>,
): Dataset<K> {
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
  const out = emptyLike(from, rows.length * width)
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
  const typed = inputs instanceof Float32Array || inputs instanceof Uint8Array
  const values = typed ? inputs : flattenRows(inputs, 'inputs')
  const inputShape = source.inputShape ?? (typed ? undefined : [values.length / inputs.length])
  if (inputShape === undefined) {
    throw new ArgumentError('dataset: expected inputShape beside a typed array of inputs, got none')
  }
  if (!inputShape.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError(
      `dataset: expected an inputShape of positive integers, got [${inputShape}]`,
    )
  }
  const size = typed ? values.length / elements(inputShape) : inputs.length
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
  const isFlat = isList(targets)
  if (isFlat && (task === 'classify' || (task === undefined && !isFloats(targets)))) {
    checkTargetCount(targets.length, size)
    return { ...readLabels(targets, classes), targetShape: [] }
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
  const values = isFlat ? toFloats(targets) : flattenRows(targets, 'targets')
  // Flat values say nothing about rows, so any whole number of values per example will do.
  checkTargetCount(isFlat && values.length % size === 0 ? size : targets.length, size)
  if (values.length === 0) throw new ShapeError('dataset: expected values in targets, got none')
  checkFinite(values, 'targets')
  return { targets: values, targetShape: [values.length / size], classes: [] }
}

const isFloats = (values: unknown) => values instanceof Float32Array
const toFloats = (values: ArrayLike<number>) =>
  values instanceof Float32Array ? values : Float32Array.from(values)

/** Whether targets are numbers one after another; refuses what are none. */
function isList(
  targets: DatasetSource['targets'],
): targets is readonly number[] | Int32Array | Float32Array {
  if (!Array.isArray(targets)) return ArrayBuffer.isView(targets)
  if (isRow(targets[0])) return false
  const at = targets.findIndex((value) => typeof value !== 'number')
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
        `dataset: expected integer labels in 0..${limit - 1} (values to predict: task: 'regress'), got ${label} at row ${i}`,
      )
    }
    largest = Math.max(largest, label)
  }
  return {
    targets: labels instanceof Int32Array ? labels : Int32Array.from(labels),
    classes: classes ? [...classes] : Array.from({ length: largest + 1 }, (_, label) => `${label}`),
  }
}

/** Rows of equal length, one after another. */
function flattenRows(rows: readonly ArrayLike<number>[], what: string): Float32Array {
  if (!Array.isArray(rows)) {
    throw new ArgumentError(
      `dataset: expected ${what} as rows or a typed array, got ${excerpt(rows)}`,
    )
  }
  const width = rows[0]?.length ?? 0
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    if (rows[i]?.length !== width) {
      throw new ShapeError(
        `dataset: expected ${width} values in every row of ${what} as in the first, got ${rows[i]?.length} in row ${i}`,
      )
    }
    const row = rows[i]
    for (let j = 0; j < width; j++) {
      // An empty field or a null would become a 0.
      if (typeof row[j] !== 'number') {
        throw new ArgumentError(
          `dataset: expected numbers in ${what}, got ${JSON.stringify(row[j])} in row ${i}`,
        )
      }
      out[i * width + j] = row[j]
    }
  }
  return out
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
