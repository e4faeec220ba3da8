/** Functions that make tensors, on the current backend. */

import { currentBackend } from '../backend/current.js'
import { type DType, dtypes } from '../backend/dtype.js'
import { checkNumber, isKeyOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import type { NumberArray } from '../base/typedArrays.js'
import { defaultFloat } from './defaultFloat.js'
import { arrayOf, readNumbers } from './numbers.js'
import { defaultGenerator } from './random.js'
import { checkShape, format, type Shape, sizeOf } from './shape.js'
import { Storage } from './storage.js'
import { Tensor, writeElements } from './tensor.js'

/** @inline */
type Integers = Int32Array | BigInt64Array | BigUint64Array
/** @inline */
type Bytes = Uint8Array | Uint8ClampedArray
/** @inline */
type Floats = Exclude<NumberArray, Int32Array | Bytes>
/**
 * Nested arrays, whose innermost may be typed.
 * @inline
 */
type NestedIn<Innermost> = Innermost | readonly NestedIn<Innermost>[]
/** @inline */
type Data = NestedIn<number | boolean | NumberArray | Integers>

function make<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return new Tensor<D>(new Storage(currentBackend(), dtype, sizeOf(shape)), shape)
}

/** Floats of the default dtype, which are float32 to the type checker. */
function makeFloats(shape: Shape): Tensor {
  return make(defaultFloat(), shape) as Tensor
}

/** What typed arrays and booleans make; everything else makes floats. */
const OWN_DTYPES: Readonly<Record<string, DType | undefined>> = {
  Int32Array: 'int32',
  BigInt64Array: 'int32',
  BigUint64Array: 'int32',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  boolean: 'bool',
}

/**
 * A tensor from a number, a typed array, or nested arrays, whose innermost may be typed; the numbers are
 * copied. Int32Array and big integers make an int32 tensor (labels, indices), Uint8Array and
 * Uint8ClampedArray a uint8 one, booleans a bool one, everything else a float32 one, unless a dtype is
 * given as the third argument.
 * @param shape for flat data; the data's own shape by default
 * @throws ShapeError when the counts do not agree, rows differ in length or arrays are nested more than
 * 8 deep; ArgumentError for what are no numbers, and for numbers that the dtype cannot hold as they are
 * @example tensor([[1, 2], [3, 4]])
 * @example tensor([0, 2, 1], [3], 'int32')
 */
export function tensor(data: Integers, shape?: Shape): Tensor<'int32'>
export function tensor(data: Bytes, shape?: Shape): Tensor<'uint8'>
export function tensor(data: NestedIn<number | Floats>, shape?: Shape): Tensor
export function tensor(data: Int32Array | Float32Array, shape?: Shape): Tensor<'int32'> | Tensor
export function tensor(data: NestedIn<boolean>, shape?: Shape): Tensor<'bool'>
export function tensor(data: NestedIn<Integers>, shape?: Shape): Tensor<'int32'>
export function tensor(data: NestedIn<Bytes>, shape?: Shape): Tensor<'uint8'>
export function tensor<D extends DType>(
  data: Data | (ArrayLike<number> & object),
  shape: Shape | undefined,
  dtype: D,
): Tensor<D>
export function tensor(
  data: Data | (ArrayLike<number> & object),
  shape?: Shape,
  dtype?: DType,
): Tensor<DType> {
  if (dtype !== undefined && !isKeyOf(dtypes, dtype)) {
    const known = Object.keys(dtypes).join(', ')
    throw new ArgumentError(`tensor: expected a dtype among ${known}, got ${excerpt(dtype)}`)
  }
  const { values, shape: own, kind } = readNumbers('tensor', data)
  const wanted = checkShape('tensor', shape ?? own)
  if (sizeOf(wanted) !== values.length) {
    throw new ShapeError(
      `tensor: expected ${sizeOf(wanted)} elements for shape ${format(wanted)}, got ${values.length}`,
    )
  }
  const y = make(dtype ?? OWN_DTYPES[kind] ?? defaultFloat(), wanted)
  writeElements('tensor', y, values)
  return y
}

/**
 * Every element the same value.
 * @throws ShapeError for what is no shape, ArgumentError for what is no number
 */
export function full(shape: Shape, value: number): Tensor {
  return filled('full', shape, value)
}

function filled(op: string, shape: Shape, value: number): Tensor {
  const checked = checkShape(op, shape)
  if (typeof value !== 'number') {
    throw new ArgumentError(`${op}: expected a number, got ${excerpt(value)}`)
  }
  const y = makeFloats(checked)
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
  const isRange = [from, to, step].every((value) => Number.isFinite(value))
  const count = isRange ? Math.max(0, Math.ceil((to - from) / step)) : Number.NaN
  if (!Number.isFinite(count)) {
    throw new ArgumentError(
      `arange: expected finite numbers and a step, got ${[from, to, step].map(excerpt).join(', ')}`,
    )
  }
  const y = makeFloats(checkShape('arange', [count]))
  const values = arrayOf('arange', y.shape, Float64Array)
  for (let i = 0; i < count; i++) values[i] = from + i * step
  writeElements('arange', y, values)
  return y
}

/**
 * So many numbers from start to end, both included, at equal distances; one is start.
 * @throws ArgumentError when start or end is not finite, ShapeError when steps is no whole number from 0
 * @example linspace(0, 1, 5) // [0. 0.25 0.5 0.75 1.]
 */
export function linspace(start: number, end: number, steps: number): Tensor {
  checkNumber('linspace', 'start', start, Number.isFinite, 'finite')
  checkNumber('linspace', 'end', end, Number.isFinite, 'finite')
  const y = makeFloats(checkShape('linspace', [steps]))
  const values = arrayOf('linspace', y.shape, Float64Array)
  for (let i = 0; i < steps; i++) {
    const share = steps === 1 ? 0 : i / (steps - 1)
    values[i] = start * (1 - share) + end * share
  }
  writeElements('linspace', y, values)
  return y
}

/**
 * The n × n identity.
 * @throws ShapeError when n is no whole number from 0
 */
export function eye(n: number): Tensor {
  const y = makeFloats(checkShape('eye', [n, n]))
  const values = arrayOf('eye', y.shape, Float64Array)
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

/**
 * Whole numbers from low to below high, all as likely, from the default generator; see `setSeed`.
 * @param high at most 2^31, above low, which is at least -2^31
 * @throws ShapeError for what is no shape, ArgumentError for such bounds
 * @example randint(0, 10, [3]) // int32 [3]
 */
export function randint(low: number, high: number, shape: Shape): Tensor<'int32'> {
  return defaultGenerator().randint(shape, low, high)
}

/**
 * Categories drawn with the probabilities of weights [..., categories], which need not add up to 1, by
 * the default generator; see `setSeed`.
 * @param count how many to draw of each row
 * @param replacement whether one may be drawn several times; false by default
 * @returns int32 [..., count]
 * @throws KernelError for weights that are below 0 or not finite, and where too few are above 0;
 * ShapeError, ArgumentError
 * @example multinomial(tensor([0, 1, 3]), 1) // 1, or three times as often 2
 */
export function multinomial(weights: Tensor, count: number, replacement = false): Tensor<'int32'> {
  return defaultGenerator().multinomial(weights, count, replacement)
}
