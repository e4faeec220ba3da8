/** Reads examples from nested arrays, typed arrays and tensors into one flat array. */
import { ArgumentError, ShapeError } from '../base/errors.js'
import { Tensor } from '../tensor/tensor.js'

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
  const { values, shape } =
    rows instanceof Tensor
      ? { values: Float32Array.from(rows.data()), shape: rows.shape }
      : flattenNested(what, rows)
  if (shape.length === 0 || values.length === 0) {
    throw new ShapeError(`${what}: expected at least one example, got shape [${shape.join(', ')}]`)
  }
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new ArgumentError(
      `${what}: expected finite numbers, got ${values[bad]} in example ${Math.floor(bad / (values.length / shape[0]))}`,
    )
  }
  return { values, shape }
}

function isList(item: unknown): item is ArrayLike<unknown> {
  return Array.isArray(item) || (ArrayBuffer.isView(item) && !(item instanceof DataView))
}

function flattenNested(what: string, rows: unknown): Values {
  const shape: number[] = []
  for (let level = rows; isList(level); level = level[0]) {
    shape.push(level.length)
    if (level.length === 0) break
  }
  if (shape.length === 0) {
    throw new ArgumentError(`${what}: expected arrays of numbers or a tensor, got ${typeof rows}`)
  }
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1))
  let at = 0
  const visit = (item: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof item !== 'number') {
        throw new ArgumentError(`${what}: expected numbers, got ${typeof item}`)
      }
      values[at++] = item
      return
    }
    if (!isList(item) || item.length !== shape[depth]) {
      throw new ShapeError(
        `${what}: expected ${shape[depth]} values in every row as in the first, got ${isList(item) ? item.length : typeof item}`,
      )
    }
    for (let i = 0; i < item.length; i++) visit(item[i], depth + 1)
  }
  visit(rows, 0)
  return { values, shape }
}
