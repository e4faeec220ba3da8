/**
 * Random distortions of images, for training: elastic ones (Simard, Steinkraus and Platt 2003) and
 * affine ones, as Cireşan et al. 2010 combined them.
 */
import type { Backend } from '../../backend/backend.js'
import { currentBackend } from '../../backend/current.js'
import { underneath, unrecorded } from '../../backend/record.js'
import { checkNumber, optionsOf } from '../../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../../base/errors.js'
import type { Targets } from '../../nn/losses.js'
import { stack } from '../../ops/layout.js'
import { warp } from '../../ops/warp.js'
import { fullLike } from '../../tensor/allocate.js'
import { tensor } from '../../tensor/create.js'
import type { Generator } from '../../tensor/random.js'
import { format } from '../../tensor/shape.js'
import { within } from '../../tensor/storage.js'
import type { Tensor } from '../../tensor/tensor.js'

/**
 * Changes a batch of inputs [batch, ...inputShape] at random before a training step. What it draws
 * must come from the generator, and the result has the shape of the inputs.
 */
export type Augment = (inputs: Tensor, targets: Targets, generator: Generator) => Tensor

/** Settings of `distortion`. What is left out distorts nothing. */
export interface DistortionOptions {
  /** [rows, columns] of each image, such as a data set's `imageShape`. */
  imageShape: readonly [number, number]
  /** Strength of the displacement field, in pixels before it is smoothed; goes with sigma. */
  alpha?: number
  /** Standard deviation of the Gaussian that smooths the displacement field, in pixels. */
  sigma?: number
  /** Turns by up to so many degrees either way; a list has a limit for each class label. */
  rotation?: number | readonly number[]
  /** Shears horizontally by up to so many degrees either way, below 90; or a list as above. */
  shear?: number | readonly number[]
  /** Stretches each axis by a factor from 1 - scale to 1 + scale, below 1. */
  scale?: number
}

const OPTIONS: Record<keyof DistortionOptions, true> = {
  imageShape: true,
  alpha: true,
  sigma: true,
  rotation: true,
  shear: true,
  scale: true,
}

type Limit = number | readonly number[]

/**
 * A function for `fit`'s `augment` that distorts each image of a batch in its own way: displacements
 * uniform on ±1, smoothed by a Gaussian whose weights sum to 1 (beyond the image there is nothing to
 * smooth) and multiplied by alpha, after a random affine map around the centre. Bilinear between
 * pixels, 0 beyond the image. Inputs are [batch, rows·columns] or [batch, rows, columns].
 * @throws ArgumentError when an option is out of range
 * @example
 * distortion({ imageShape: [28, 28], alpha: 36, sigma: 6, rotation: 10, shear: 5, scale: 0.15 })
 */
export function distortion(given: DistortionOptions): Augment {
  const options = optionsOf('distortion', given, OPTIONS)
  if (!Array.isArray(options.imageShape) || options.imageShape.length !== 2) {
    throw new ArgumentError(
      `distortion: expected imageShape to be [rows, columns], got ${excerpt(options.imageShape)}`,
    )
  }
  const { imageShape, alpha = 0, sigma = 1, rotation = 0, shear = 0, scale = 0 } = options
  const [rows, cols] = imageShape
  const checkLimit = (name: string, limit: Limit, end: number, expected: string) => {
    for (const value of [limit].flat() as number[]) {
      checkNumber('distortion', name, value, (value) => value >= 0 && value < end, expected)
    }
  }
  for (const [name, extent] of Object.entries({ rows, columns: cols })) {
    checkNumber('distortion', name, extent, (n) => Number.isInteger(n) && n > 0, 'an integer > 0')
  }
  checkLimit('alpha', alpha, Infinity, '>= 0')
  checkNumber('distortion', 'sigma', sigma, (sigma) => sigma > 0 && sigma < Infinity, '> 0')
  checkLimit('rotation', rotation, Infinity, '>= 0')
  checkLimit('shear', shear, 90, 'from 0 to below 90')
  checkLimit('scale', scale, 1, 'from 0 to below 1')

  const smoothRows = kept(() => smoothing(rows, sigma, 1))
  const smoothCols = kept(() => smoothing(cols, sigma, alpha))
  const angles = limitOf(rotation, (degrees) => (degrees * Math.PI) / 180)
  const slants = limitOf(shear, (degrees) => Math.tan((degrees * Math.PI) / 180))

  /** Displacements [count, 2, rows, cols], made the other way round for the first product. */
  const shifts = (count: number, generator: Generator): Tensor => {
    if (alpha === 0) return fullLike(smoothRows(), 0, [count, 2, rows, cols])
    return generator
      .uniform([2 * count * cols, rows], -1, 1)
      .matmul(smoothRows())
      .reshape([2 * count, cols, rows])
      .transpose([0, 2, 1])
      .reshape([2 * count * rows, cols])
      .matmul(smoothCols())
  }

  /** Rotation · shear · stretching of (row, column), [count, 4]. */
  const maps = (count: number, targets: Targets, generator: Generator): Tensor => {
    const drawn = generator.uniform([4, count], -1, 1)
    const of = (row: number) => drawn.slice([row, row + 1]).reshape([count])
    const angle = of(0).mul(angles(targets))
    const slant = of(1).mul(slants(targets))
    const [height, width] = [of(2).mul(scale).add(1), of(3).mul(scale).add(1)]
    const [cos, sin] = [angle.cos(), angle.sin()]
    return stack(
      [
        cos.sub(sin.mul(slant)).mul(height),
        sin.neg().mul(width),
        sin.add(cos.mul(slant)).mul(height),
        cos.mul(width),
      ],
      1,
    )
  }

  return (inputs, targets, generator) => {
    const [count] = inputs.shape
    if (inputs.size !== count * rows * cols) {
      throw new ShapeError(
        `distortion: expected images of ${rows} x ${cols} pixels, got inputs ${format(inputs.shape)}`,
      )
    }
    const images = inputs.reshape([count, rows, cols])
    return warp(images, maps(count, targets, generator), shifts(count, generator)).reshape(
      inputs.shape,
    )
  }
}

/** The limit of each example, by its class where there is a list. */
function limitOf(
  limit: Limit,
  convert: (value: number) => number,
): (targets: Targets) => number | Tensor {
  if (typeof limit === 'number') return () => convert(limit)
  const table = kept(() => tensor(limit.map(convert)))
  return (targets) => {
    if (targets.dtype !== 'int32') {
      throw new ArgumentError('distortion: expected class labels beside limits for each class')
    }
    return table().indexSelect(0, targets as Tensor<'int32'>) as Tensor
  }
}

/** A tensor that is made once on each backend and outlives scopes and recordings. */
function kept(make: () => Tensor): () => Tensor {
  const made = new Map<Backend, Tensor>()
  return () => {
    const backend = underneath(currentBackend())
    let found = made.get(backend)
    if (found === undefined) {
      found = unrecorded(() => within(null, make))
      made.set(backend, found)
    }
    return found
  }
}

/** [n, n]: element [i, j] is factor times the Gaussian's weight at i - j; all weights sum to 1. */
function smoothing(n: number, sigma: number, factor: number): Tensor {
  const weight = (distance: number) => Math.exp(-((distance / sigma) ** 2) / 2)
  // From sigma 1 on, the sum over all integers is the integral to 6e-9 (Poisson); below, few count.
  let total = sigma * Math.sqrt(2 * Math.PI)
  if (sigma < 1) {
    total = 1
    for (let distance = 1; weight(distance) > 0; distance++) total += 2 * weight(distance)
  }
  const values = Float32Array.from(
    { length: n * n },
    (_, i) => (factor * weight(Math.floor(i / n) - (i % n))) / total,
  )
  return tensor(values, [n, n])
}
