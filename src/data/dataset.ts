/**
 * Examples with their targets, held in plain typed arrays: what every reader in this folder returns
 * and what batches are made from. Not a loader: nothing here batches, scales or makes tensors.
 */
import { isWithin, optionsOf } from '../base/arguments.js'
import { requireMemory } from '../base/availableMemory.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type NumberArray, readTypedArray } from '../base/typedArrays.js'
import type { TargetKind } from '../nn/losses.js'
import { readList } from '../tensor/numbers.js'
import { permutation, streams } from '../tensor/random.js'
import { sizeOf } from '../tensor/shape.js'
import {
  checkExtents,
  type DatasetSource,
  type IntegerArray,
  readInputs,
  readTargets,
} from './datasetSource.js'

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

/** What examples are, whatever their inputs; with the targets of those that are at hand. */
export type ExampleForm = Omit<Dataset, 'size' | 'inputs'>

/**
 * The array that targets of a kind are held in.
 * @inline
 */
export type TargetArray<K extends TargetKind> = K extends 'labels' ? Int32Array : Float32Array

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
  if (imageShape !== undefined && sizeOf(imageShape) !== sizeOf(inputShape)) {
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
    inputs: gather(data.inputs, rows, sizeOf(data.inputShape)),
    targets: gather<TargetArray<K>>(data.targets, rows, sizeOf(data.targetShape)),
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
