/**
 * What a data set is made from, read: inputs and targets in rows or typed arrays, checked and brought
 * into the arrays that the data set holds.
 */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type NumberArray, readTypedArray, type TypedNumbers } from '../base/typedArrays.js'
import { readNumbers } from '../tensor/numbers.js'
import { sizeOf } from '../tensor/shape.js'

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
export type IntegerArray =
  | Exclude<NumberArray, Float32Array | Float64Array>
  | (BigInt64Array | BigUint64Array)
/** @inline */
type Rows = ArrayLike<number> | readonly Rows[]

interface Inputs {
  inputs: Float32Array | Uint8Array
  inputShape: readonly number[]
  size: number
}

interface Targets {
  targets: Int32Array | Float32Array
  targetShape: readonly number[]
  classes: readonly string[]
}

/** Without names for the classes, a label beyond this is taken for a mistake. */
const MAX_UNNAMED_CLASSES = 65536

/**
 * The inputs of a source, as a data set holds them.
 * @throws ShapeError, ArgumentError as `dataset` does
 */
export function readInputs(source: DatasetSource): Inputs {
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
  const size = typed ? values.length / sizeOf(inputShape) : (inputs as readonly Rows[]).length
  if (size === 0 || size * sizeOf(inputShape) !== values.length || !Number.isInteger(size)) {
    throw new ShapeError(
      `dataset: expected inputs for whole examples of shape [${inputShape}], at least one, got ${values.length} values`,
    )
  }
  checkFinite(values, 'inputs')
  return { inputs: values, inputShape: [...inputShape], size }
}

/**
 * The targets of a source, one for each of `size` examples, as a data set holds them.
 * @throws ShapeError, ArgumentError as `dataset` does
 */
export function readTargets({ targets, classes, task }: DatasetSource, size: number): Targets {
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
): Pick<Targets, 'targets' | 'classes'> {
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

export function checkExtents(what: string, shape: readonly number[]): void {
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
