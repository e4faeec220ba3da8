/**
 * Initial weights. Each initializer is a function from a weight's shape, [fanIn, fanOut], to its
 * values, drawn from the default generator (`setSeed`) or from one that is given.
 */

import { checkNumber } from '../base/arguments.js'
import { ArgumentError } from '../base/errors.js'
import { tensor, zeros as zeroTensor } from '../tensor/create.js'
import { checkGenerator, defaultGenerator, type Generator } from '../tensor/random.js'
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** Makes initial weights of a shape, drawn from the default generator or from one that is given. */
export type Initializer = (shape: Shape, generator?: Generator) => Tensor

/**
 * Inputs of a unit and outputs that an input goes into, of a layer whose weights have this shape: [fanIn,
 * fanOut] or, of a convolution, [...kernel, channels, filters], whose kernel is applied to many places; as
 * in Keras.
 * @throws ShapeError for what is no shape
 */
export function fans(given: Shape): {
  /** Product of all extents but the last; 1 without any. */
  fanIn: number
  /** The last extent times those of the kernel; 1 without any. */
  fanOut: number
} {
  const shape = checkShape('fans', given)
  return {
    fanIn: sizeOf(shape.slice(0, -1)),
    fanOut: sizeOf(shape.slice(0, -2)) * (shape.at(-1) ?? 1),
  }
}

/**
 * All 0, as biases are at first.
 * @function
 */
export const zeros: Initializer = (shape) => zeroTensor(shape)

/**
 * Uniform from low to high.
 * @throws ArgumentError, when it draws, for bounds that are not finite or out of order
 */
export function uniform(low: number, high: number): Initializer {
  return (shape, generator = defaultGenerator()) => {
    checkGenerator('init', generator)
    return generator.uniform(shape, low, high)
  }
}

/**
 * Normal with a mean and a standard deviation >= 0.
 * @throws ArgumentError, when it draws, for numbers that are out of range
 */
export function normal(mean: number, std: number): Initializer {
  return (shape, generator = defaultGenerator()) => {
    checkGenerator('init', generator)
    return generator.normal(shape, mean, std)
  }
}

/** Variance `scale / fan`, uniform or normal. */
function scaled(
  distribution: 'uniform' | 'normal',
  variance: (fanIn: number, fanOut: number) => number,
): Initializer {
  return (shape, generator = defaultGenerator()) => {
    checkGenerator('init', generator)
    const { fanIn, fanOut } = fans(shape)
    const std = Math.sqrt(variance(fanIn, fanOut))
    if (distribution === 'normal') return generator.normal(shape, 0, std)
    // A uniform distribution on ±b has variance b² / 3.
    const bound = Math.sqrt(3) * std
    return generator.uniform(shape, -bound, bound)
  }
}

const glorot = (fanIn: number, fanOut: number) => 2 / (fanIn + fanOut)
const he = (fanIn: number) => 2 / fanIn
const lecun = (fanIn: number) => 1 / fanIn

/**
 * Uniform on ±sqrt(6 / (fanIn + fanOut)); Glorot and Bengio 2010, for sigmoid and tanh.
 * @function
 */
export const glorotUniform = scaled('uniform', glorot)
/**
 * Normal with variance 2 / (fanIn + fanOut).
 * @function
 */
export const glorotNormal = scaled('normal', glorot)
/**
 * Uniform with variance 2 / fanIn; He et al. 2015, for relu.
 * @function
 */
export const heUniform = scaled('uniform', he)
/**
 * Normal with variance 2 / fanIn.
 * @function
 */
export const heNormal = scaled('normal', he)
/**
 * Uniform with variance 1 / fanIn; LeCun et al. 1998, "Efficient backprop".
 * @function
 */
export const lecunUniform = scaled('uniform', lecun)
/**
 * Normal with variance 1 / fanIn.
 * @function
 */
export const lecunNormal = scaled('normal', lecun)

/**
 * Orthonormal rows or columns, whichever are fewer, times gain (Saxe et al. 2014): a normally
 * distributed matrix, orthonormalized by Gram and Schmidt in float64, twice over because once
 * leaves rounding behind.
 * @throws ArgumentError for a gain that is not finite and, when it draws, for a shape of other than two
 * axes
 */
export function orthogonal(gain = 1): Initializer {
  checkNumber('orthogonal', 'gain', gain, Number.isFinite, 'finite')
  return (given, generator = defaultGenerator()) => {
    const shape = checkShape('orthogonal', given)
    checkGenerator('orthogonal', generator)
    if (shape.length !== 2) {
      throw new ArgumentError(`orthogonal: expected a matrix, got ${shape.length} axes`)
    }
    const [rows, cols] = shape
    // Of a matrix without elements the other extent may be any number.
    if (rows === 0 || cols === 0) return zeroTensor(shape)
    const [count, length] = rows < cols ? [rows, cols] : [cols, rows]
    const drawn = generator.normal([count, length])
    const basis = orthonormalize(Float64Array.from(drawn.data()), count, length)
    drawn.dispose()
    const values = new Float32Array(rows * cols)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        values[i * cols + j] = gain * (rows < cols ? basis[i * length + j] : basis[j * length + i])
      }
    }
    return tensor(values, shape)
  }
}

/** Makes the vectors (rows of `length` in v) orthonormal in place. */
function orthonormalize(v: Float64Array, count: number, length: number): Float64Array {
  const dot = (a: number, b: number) => {
    let sum = 0
    for (let i = 0; i < length; i++) sum += v[a + i] * v[b + i]
    return sum
  }
  for (let row = 0; row < count; row++) {
    const at = row * length
    for (let pass = 0; pass < 2; pass++) {
      for (let before = 0; before < at; before += length) {
        const projection = dot(at, before)
        for (let i = 0; i < length; i++) v[at + i] -= projection * v[before + i]
      }
    }
    const norm = Math.sqrt(dot(at, at))
    for (let i = 0; i < length; i++) v[at + i] /= norm
  }
  return v
}
