/**
 * Numbers that callers pass, alone, as a list or in nested arrays, whose innermost may be typed: each
 * is read once, checked, and copied into one flat array.
 */
import { type DType, dtypes, type TypedArray } from '../backend/dtype.js'
import { requireMemory } from '../base/availableMemory.js'
import { ArgumentError, excerpt, OutOfMemoryError, ShapeError } from '../base/errors.js'
import { isList, kindOfTypedArray, type NumberArray, readTypedArray } from '../base/typedArrays.js'
import { format, MAX_RANK, type Shape, sizeOf } from './shape.js'

/** Numbers in row-major order. */
export interface Numbers {
  /** Of a typed array its own, else a copy. */
  values: NumberArray
  shape: number[]
  /** `number`, `boolean` (as 0 and 1), or the class of the typed arrays that they are in. */
  kind: string
}

type FloatArrayType = Float32ArrayConstructor | Float64ArrayConstructor

/**
 * The numbers, or booleans, of a number, a typed array or nested arrays.
 * @param into what numbers in nested arrays are copied to
 * @throws ArgumentError for what is none, naming its place, and ShapeError when rows differ in length
 * or arrays are nested deeper than MAX_RANK
 */
export function readNumbers(
  op: string,
  data: unknown,
  into: FloatArrayType = Float64Array,
): Numbers {
  const typed = readTypedArray(op, data)
  if (typed) return { ...typed, shape: [typed.values.length] }
  if (!Array.isArray(data) && typeof data !== 'number' && typeof data !== 'boolean') {
    throw new ArgumentError(
      `${op}: expected a number, arrays or a typed array, got ${excerpt(data)}`,
    )
  }
  const { shape, kind } = outline(op, data)
  const values = arrayOf(op, shape, into)
  fill(op, values, data, shape, kind)
  return { values, shape, kind }
}

/**
 * A flat list of numbers.
 * @throws ArgumentError for what is no list, and for what in it is no number, naming its place
 */
export function readList(op: string, what: string, list: unknown): NumberArray {
  const typed = readTypedArray(op, list)
  if (typed) return typed.values
  if (!Array.isArray(list)) {
    throw new ArgumentError(`${op}: expected ${what}, got ${excerpt(list)}`)
  }
  const shape = [list.length]
  const values = arrayOf(op, shape, Float64Array)
  fill(op, values, list, shape, 'number')
  return values
}

/** Shape of nested arrays and kind of their elements, as far as the first of each tell. */
function outline(op: string, data: unknown): { shape: number[]; kind: string } {
  const shape: number[] = []
  let level = data
  while (isList(level)) {
    if (shape.length === MAX_RANK) {
      throw new ShapeError(`${op}: expected at most ${MAX_RANK} axes, got arrays nested deeper`)
    }
    const typed = readTypedArray(op, level)
    if (typed) return { shape: [...shape, typed.values.length], kind: typed.kind }
    const list = level as readonly unknown[]
    shape.push(list.length)
    if (list.length === 0) break
    level = list[0]
  }
  return { shape, kind: typeof level === 'boolean' ? 'boolean' : 'number' }
}

/** An array of zeros for a shape. @throws OutOfMemoryError */
export function arrayOf(
  op: string,
  shape: Shape,
  into: FloatArrayType,
): Float32Array | Float64Array {
  const size = sizeOf(shape)
  requireMemory(op, `${size} numbers of shape ${format(shape)}`, size * into.BYTES_PER_ELEMENT)
  try {
    return new into(size)
  } catch {
    throw new OutOfMemoryError(`${op}: no memory for ${size} numbers of shape ${format(shape)}`)
  }
}

/** Copies the elements in order, each of which must be of the same kind. */
function fill(
  op: string,
  values: Float32Array | Float64Array,
  data: unknown,
  shape: Shape,
  kind: string,
): void {
  const expected = kind === 'boolean' ? 'boolean' : 'number'
  const at: number[] = []
  let next = 0
  const put = (item: unknown): void => {
    if (typeof item !== expected) {
      const place = at.length > 1 ? ` at ${format(at)}` : at.length > 0 ? ` at ${at[0]}` : ''
      throw new ArgumentError(`${op}: expected ${expected}s, got ${excerpt(item)}${place}`)
    }
    values[next++] = Number(item)
  }
  const visit = (item: unknown, depth: number): void => {
    if (depth === shape.length) {
      put(item)
      return
    }
    const typed = readTypedArray(op, item)?.values
    const list = (typed ?? item) as ArrayLike<unknown>
    const found = typed || Array.isArray(item) ? list.length : undefined
    if (found !== shape[depth]) {
      const got = found === undefined ? excerpt(item) : `${found} elements`
      throw new ShapeError(
        `${op}: expected nested arrays of shape ${format(shape)}, got ${got} at depth ${depth}`,
      )
    }
    if (typed && depth === shape.length - 1 && expected === 'number') {
      values.set(typed, next)
      next += found
      return
    }
    at.length = depth + 1
    for (let i = 0; i < found; i++) {
      at[depth] = i
      visit(list[i], depth + 1)
    }
  }
  visit(data, 0)
}

/**
 * Numbers as the typed array of a dtype; a typed array of its class as it is.
 * @throws ArgumentError where the dtype, which is not of floats, does not hold a number as it is
 */
export function toArrayOf(op: string, dtype: DType, values: ArrayLike<number>): TypedArray {
  const { array: type, isFloat } = dtypes[dtype]
  const isKept = kindOfTypedArray(values) === type.name && dtype !== 'bool'
  if (isKept) return values as TypedArray
  const array = type.from(values)
  if (isFloat) return array
  for (let i = 0; i < array.length; i++) {
    const fits = dtype === 'bool' ? array[i] <= 1 : true
    if (array[i] !== Number(values[i]) || !fits) {
      throw new ArgumentError(`${op}: expected elements of ${dtype}, got ${values[i]} at ${i}`)
    }
  }
  return array
}
