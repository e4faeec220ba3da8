/**
 * Making tensors, all on the current backend.
 */

import { currentBackend } from '../backend/current.js'
import type { DType } from '../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import type { Nested } from './print.js'
import { defaultGenerator } from './random.js'
import { checkShape, format, type Shape, sizeOf } from './shape.js'
import { Storage } from './storage.js'
import { Tensor, writeElements } from './tensor.js'

type Numbers = ArrayLike<number> & object

function make<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return new Tensor<D>(new Storage(currentBackend(), dtype, sizeOf(shape)), shape)
}

/** Shape of nested arrays, and their numbers in order. */
function valuesAndShape(data: Nested): { values: number[]; shape: number[] } {
  const shape: number[] = []
  for (let level: Nested = data; Array.isArray(level); level = level[0]) {
    shape.push(level.length)
    if (level.length === 0) break
  }
  const values: number[] = []
  const visit = (item: Nested, depth: number): void => {
    if (depth === shape.length) {
      if (typeof item !== 'number') {
        throw new ArgumentError(`tensor: expected numbers, got ${describe(item)}`)
      }
      values.push(item)
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
  return data instanceof Uint8Array ? 'uint8' : 'float32'
}

/**
 * A tensor from nested arrays or from a typed array, whose numbers are copied. Int32Array makes an
 * int32 tensor (labels, indices), Uint8Array a uint8 one, everything else a float32 one.
 * @param shape for flat data; the data's own shape by default
 * @throws ShapeError when the counts do not agree or rows differ in length, ArgumentError
 * @example tensor([[1, 2], [3, 4]])
 * @example tensor([0, 2, 1], [3], 'int32')
 */
export function tensor(data: Int32Array, shape?: Shape): Tensor<'int32'>
export function tensor(data: Uint8Array, shape?: Shape): Tensor<'uint8'>
export function tensor(data: Nested | Float32Array | Float64Array, shape?: Shape): Tensor
export function tensor(data: Int32Array | Float32Array, shape?: Shape): Tensor<'int32'> | Tensor
export function tensor<D extends DType>(
  data: Nested | Numbers,
  shape: Shape | undefined,
  dtype: D,
): Tensor<D>
export function tensor(
  data: Nested | Numbers,
  shape?: Shape,
  dtype: DType = dtypeOf(data),
): Tensor<DType> {
  if (!['float32', 'int32', 'uint8'].includes(dtype)) {
    throw new ArgumentError(`tensor: expected dtype float32, int32 or uint8, got ${dtype}`)
  }
  // Views of bytes and of bigints hold no numbers.
  const isTyped = ArrayBuffer.isView(data) && !/^(DataView|Big)/.test(data.constructor.name)
  if (typeof data !== 'number' && !Array.isArray(data) && !isTyped) {
    throw new ArgumentError(
      `tensor: expected a number, arrays or a typed array, got ${describe(data)}`,
    )
  }
  const { values, shape: own } = isTyped
    ? { values: data as Numbers, shape: [(data as Numbers).length] }
    : valuesAndShape(data as Nested)
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

/** Every element the same value. */
export function full(shape: Shape, value: number): Tensor {
  checkShape('full', shape)
  if (typeof value !== 'number')
    throw new ArgumentError(`full: expected a number, got ${excerpt(value)}`)
  const y = make('float32', [...shape])
  y.storage.backend.run('fill', y.handle, y.size, value)
  return y
}

export function zeros(shape: Shape): Tensor {
  return full(shape, 0)
}

export function ones(shape: Shape): Tensor {
  return full(shape, 1)
}

/** Numbers from start to before end, `step` apart; from 0 for a single argument. */
export function arange(start: number, end?: number, step = 1): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end]
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (!Number.isFinite(count) || !Number.isFinite(from)) {
    throw new ArgumentError(
      `arange: expected finite numbers and a step, got ${from}, ${to}, ${step}`,
    )
  }
  checkShape('arange', [count])
  const y = make('float32', [count])
  writeElements(
    'arange',
    y,
    Float64Array.from({ length: count }, (_, i) => from + i * step),
  )
  return y
}

/** The n × n identity. */
export function eye(n: number): Tensor {
  checkShape('eye', [n, n])
  const y = make('float32', [n, n])
  const values = new Float32Array(y.size)
  for (let i = 0; i < n; i++) values[i * (n + 1)] = 1
  writeElements('eye', y, values)
  return y
}

/** Normally distributed numbers (mean 0, variance 1) from the default generator; see `setSeed`. */
export function randn(shape: Shape): Tensor {
  return defaultGenerator().normal(shape)
}

/** Uniformly distributed numbers in [0, 1) from the default generator; see `setSeed`. */
export function rand(shape: Shape): Tensor {
  return defaultGenerator().uniform(shape)
}
