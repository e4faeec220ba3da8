/** Reads examples from nested arrays, typed arrays and tensors into one flat array. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { kindOfTypedArray, type NumberArray } from '../base/typedArrays.js'
import { readNumbers } from '../tensor/numbers.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'

type Nested = readonly (number | ArrayLike<number> | Nested)[]

/**
 * Examples as nested arrays, whose innermost may be typed, or as a tensor: [examples, ...shape of
 * one].
 */
export type Rows = Nested | ArrayLike<number> | Tensor | Tensor<'int32'> | Tensor<'uint8'>

export interface Values {
  /** Row-major. */
  values: Float32Array
  /** [examples, ...shape of one] */
  shape: readonly number[]
}

/**
 * The numbers of some rows, in one array.
 * @param what what they are, for errors
 * @throws ArgumentError for what is no finite number, ShapeError when rows differ in length or there
 * are none
 */
export function readRows(what: string, rows: Rows): Values {
  const { values, shape } = isTensor(rows)
    ? { values: Float32Array.from(rows.data() as NumberArray), shape: rows.shape }
    : readArrays(what, rows)
  requireExamples(what, shape, values.length)
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new ArgumentError(
      `${what}: expected finite numbers, got ${values[bad]} in example ${Math.floor(bad / (values.length / shape[0]))}`,
    )
  }
  return { values, shape }
}

/** @throws ShapeError for a scalar, and where there are no values */
export function requireExamples(what: string, shape: readonly number[], count: number): void {
  if (shape.length > 0 && count > 0) return
  throw new ShapeError(`${what}: expected at least one example, got shape [${shape.join(', ')}]`)
}

function readArrays(what: string, rows: unknown): Values {
  const isTyped = kindOfTypedArray(rows) !== undefined
  if (!Array.isArray(rows) && !isTyped) {
    throw new ArgumentError(`${what}: expected arrays of numbers or a tensor, got ${excerpt(rows)}`)
  }
  const { values, shape, kind } = readNumbers(what, rows, Float32Array)
  if (kind === 'boolean') throw new ArgumentError(`${what}: expected numbers, got booleans`)
  // The elements of a typed array are still the caller's.
  return { values: isTyped ? Float32Array.from(values) : (values as Float32Array), shape }
}
