/** Values in one list, given with their shape. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type Numbers, readNumbers } from './numbers.js'
import { checkShape, type Shape, sizeOf } from './shape.js'

/** A typed array or a list of numbers, and its shape. */
export interface ShapedValues {
  /** Row-major. */
  readonly data: ArrayLike<number>
  /** [examples, ...shape of one] */
  readonly shape: Shape
}

export function isShaped(given: unknown): given is ShapedValues {
  return typeof given === 'object' && given !== null && 'data' in given && 'shape' in given
}

/** As `readNumbers`, and of `{ data, shape }`. @throws ArgumentError, ShapeError where the two differ */
export function readValues(op: string, given: unknown): Numbers {
  if (!isShaped(given)) return readNumbers(op, given)
  const read = readNumbers(op, given.data)
  return { ...read, shape: shapeFor(op, given.shape, read.values.length) }
}

/** The shape that so many values are given with. @throws ArgumentError, ShapeError */
export function shapeFor(op: string, given: Shape, count: number): number[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new ArgumentError(`${op}: expected a shape [examples, …], got ${excerpt(given)}`)
  }
  const shape = checkShape(op, given)
  if (sizeOf(shape) === count) return shape
  throw new ShapeError(
    `${op}: expected values for the shape ${excerpt(given)}, got ${count} of them`,
  )
}
