/** Functions that make tensors, on the current backend. */

import { currentBackend } from '../backend/current.js'
import { type DType, dtypes } from '../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { defaultFloat } from './defaultFloat.js'
import type { Nested } from './print.js'
import { defaultGenerator } from './random.js'
import { checkShape, format, type Shape, sizeOf } from './shape.js'
import { Storage } from './storage.js'
import { Tensor, writeElements } from './tensor.js'

/**
 * Nested arrays of booleans.
 * @inline
 */
type NestedBooleans = boolean | readonly NestedBooleans[]
/** @inline */
type Numbers = ArrayLike<number> & object

function make<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return new Tensor<D>(new Storage(currentBackend(), dtype, sizeOf(shape)), shape)
}

/** Floats of the default dtype, which are float32 to the type checker. */
function makeFloats(shape: Shape): Tensor {
  return make(defaultFloat(), shape) as Tensor
}

/** Shape of nested arrays, and their numbers in order. */
function valuesAndShape(data: Nested | NestedBooleans): { values: number[]; shape: number[] } {
  const shape: number[] = []
  for (let level: unknown = data; Array.isArray(level); level = level[0]) {
    shape.push(level.length)
    if (level.length === 0) break
  }
  const kind = typeof firstOf(data) === 'boolean' ? 'boolean' : 'number'
  const values: number[] = []
  const visit = (item: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof item !== kind) {
        throw new ArgumentError(`tensor: expected ${kind}s, got ${describe(item)}`)
      }
      values.push(Number(item))
      return
    }
    if (!Array.isArray(item) || item.length !== shape[depth]) {
      throw new ShapeError(
        `tensor: expected nested arrays of shape ${format(shape)}, got ${describe(item)} at depth ${depth}`,
      )
    }
    for (const inner of item) visit(inner, depth + 1)
  }
  visit(data, 0)
  return { values, shape }
}

function describe(item: unknown): string {
  return Array.isArray(item) ? `${item.length} elements` : typeof item
}

function dtypeOf(data: unknown): DType {
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Uint8Array) return 'uint8'
  return typeof firstOf(data) === 'boolean' ? 'bool' : defaultFloat()
}

function firstOf(data: unknown): unknown {
  let first = data
  while (Array.isArray(first)) first = first[0]
  return first
}

/**
 * A tensor from nested arrays or from a typed array, whose numbers are copied. Int32Array makes an
 * int32 tensor (labels, indices), Uint8Array a uint8 one, booleans a bool one, everything else a
 * float32 one, unless a dtype is given as the third argument.
 * @param shape for flat data; the data's own shape by default
 * @throws ShapeError when the counts do not agree or rows differ in length, ArgumentError for what are no
 * numbers, and for numbers that the dtype cannot hold as they are
 * @example tensor([[1, 2], [3, 4]])
 * @example tensor([0, 2, 1], [3], 'int32')
 */
export function tensor(data: Int32Array, shape?: Shape): Tensor<'int32'>
export function tensor(data: Uint8Array, shape?: Shape): Tensor<'uint8'>
export function tensor(data: Nested | Float32Array | Float64Array, shape?: Shape): Tensor
export function tensor(data: Int32Array | Float32Array, shape?: Shape): Tensor<'int32'> | Tensor
export function tensor(data: NestedBooleans, shape?: Shape): Tensor<'bool'>
export function tensor<D extends DType>(
  data: Nested | NestedBooleans | Numbers,
  shape: Shape | undefined,
  dtype: D,
): Tensor<D>
export function tensor(
  data: Nested | NestedBooleans | Numbers,
  shape?: Shape,
  dtype: DType = dtypeOf(data),
): Tensor<DType> {
  if (!Object.hasOwn(dtypes, dtype)) {
    const known = Object.keys(dtypes).join(', ')
    throw new ArgumentError(`tensor: expected a dtype among ${known}, got ${excerpt(dtype)}`)
  }
  // Views of bytes and of bigints hold no numbers.
  const isTyped = ArrayBuffer.isView(data) && !/^(DataView|Big)/.test(data.constructor.name)
  if (!['number', 'boolean'].includes(typeof data) && !Array.isArray(data) && !isTyped) {
    throw new ArgumentError(
      `tensor: expected a number, arrays or a typed array, got ${describe(data)}`,
    )
  }
  const { values, shape: own } = isTyped
    ? { values: data as Numbers, shape: [(data as Numbers).length] }
    : valuesAndShape(data as Nested | NestedBooleans)
  const wanted = shape ?? own
  checkShape('tensor', wanted)
  if (sizeOf(wanted) !== values.length) {
    throw new ShapeError(
      `tensor: expected ${sizeOf(wanted)} elements for shape ${format(wanted)}, got ${values.length}`,
    )
  }
  const y = make(dtype, [...wanted])
  writeElements('tensor', y, values)
  return y
}

/**
 * Every element the same value.
 * @throws ShapeError for what is no shape, ArgumentError for what is no number
 */
export function full(shape: Shape, value: number): Tensor {
  if (typeof value !== 'number')
    throw new ArgumentError(`full: expected a number, got ${excerpt(value)}`)
  return filled('full', shape, value)
}

function filled(op: string, shape: Shape, value: number): Tensor {
  checkShape(op, shape)
  const y = makeFloats([...shape])
  y.storage.backend.run('fill', y.handle, y.size, value)
  return y
}

/**
 * Every element 0.
 * @throws ShapeError for what is no shape
 */
export function zeros(shape: Shape): Tensor {
  return filled('zeros', shape, 0)
}

/**
 * Every element 1.
 * @throws ShapeError for what is no shape
 */
export function ones(shape: Shape): Tensor {
  return filled('ones', shape, 1)
}

/**
 * Numbers from start to before end, `step` apart; from 0 for a single argument.
 * @throws ArgumentError when a number is not finite or the step is 0
 * @example arange(2, 5) // [2. 3. 4.]
 */
export function arange(start: number, end?: number, step = 1): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end]
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (!Number.isFinite(count) || !Number.isFinite(from)) {
    throw new ArgumentError(
      `arange: expected finite numbers and a step, got ${from}, ${to}, ${step}`,
    )
  }
  checkShape('arange', [count])
  const y = makeFloats([count])
  writeElements(
    'arange',
    y,
    Float64Array.from({ length: count }, (_, i) => from + i * step),
  )
  return y
}

/**
 * The n × n identity.
 * @throws ShapeError when n is no whole number from 0
 */
export function eye(n: number): Tensor {
  checkShape('eye', [n, n])
  const y = makeFloats([n, n])
  const values = new Float64Array(y.size)
  for (let i = 0; i < n; i++) values[i * (n + 1)] = 1
  writeElements('eye', y, values)
  return y
}

/**
 * Normally distributed numbers (mean 0, variance 1) from the default generator; see `setSeed`.
 * @throws ShapeError for what is no shape
 */
export function randn(shape: Shape): Tensor {
  checkShape('randn', shape)
  return defaultGenerator().normal(shape)
}

/**
 * Uniformly distributed numbers from 0 to below 1 from the default generator; see `setSeed`.
 * @throws ShapeError for what is no shape
 */
export function rand(shape: Shape): Tensor {
  checkShape('rand', shape)
  return defaultGenerator().uniform(shape)
}
