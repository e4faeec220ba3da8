/** Random changes of pictures, for training: `imageAugmentation`, for images with channels. */
import { checkFlag, checkNumber, optionsOf } from '../../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../../base/errors.js'
import { stack } from '../../ops/layout.js'
import { warp } from '../../ops/warp.js'
import { format } from '../../tensor/shape.js'
import type { Augment } from './distortion.js'

/** Settings of `imageAugmentation`. What is left out changes nothing. */
export interface ImageAugmentationOptions {
  /** [height, width, channels] of each image, such as a data set's `inputShape`. */
  imageShape: readonly [height: number, width: number, channels: number]
  /** Turns by up to so many degrees either way. */
  rotation?: number
  /** Stretches by a factor from 1 - scale to 1 + scale, below 1, the same along both axes. */
  scale?: number
  /** Moves along each axis by up to this share of the extent either way. */
  shift?: number
  /** Whether half of the images are mirrored, left to right; where left and right tell no classes apart. */
  flip?: boolean
  /** Adds up to so much to all values, either way. */
  brightness?: number
  /** Multiplies differences from the mean of a channel by a factor from 1 - contrast to 1 + contrast, below 1. */
  contrast?: number
}

const OPTIONS: Record<keyof ImageAugmentationOptions, true> = {
  imageShape: true,
  rotation: true,
  scale: true,
  shift: true,
  flip: true,
  brightness: true,
  contrast: true,
}

/**
 * A function for `fit`'s `augment` that changes each image of a batch in its own way: it is turned, stretched and
 * mirrored around its centre, moved, and lit otherwise. Bilinear between pixels; beyond the image there is the mean of each
 * of its channels. Inputs are [batch, height, width, channels], or rows of as many values. These are the changes of
 * Keras's `RandomRotation`, `RandomZoom`, `RandomTranslation`, `RandomFlip`, `RandomBrightness` and `RandomContrast`.
 * @throws ArgumentError when an option is out of range
 * @example
 * imageAugmentation({ imageShape: [64, 64, 3], rotation: 10, scale: 0.1, shift: 0.1, flip: true, brightness: 0.2 })
 */
export function imageAugmentation(given: ImageAugmentationOptions): Augment {
  const op = 'imageAugmentation'
  const options = optionsOf(op, given, OPTIONS)
  const { imageShape, rotation = 0, scale = 0, shift = 0, flip = false } = options
  const { brightness = 0, contrast = 0 } = options
  const isCount = (extent: unknown) => Number.isSafeInteger(extent) && (extent as number) > 0
  if (!Array.isArray(imageShape) || imageShape.length !== 3 || !imageShape.every(isCount)) {
    throw new ArgumentError(
      `${op}: expected imageShape to be [height, width, channels], got ${excerpt(imageShape)}`,
    )
  }
  const limits = { rotation, scale, shift, brightness, contrast }
  for (const [name, limit] of Object.entries(limits)) {
    const [end, what] =
      name === 'scale' || name === 'contrast' ? [1, 'from 0 to below 1'] : [Infinity, '>= 0']
    checkNumber(op, name, limit, (value) => value >= 0 && value < end, what)
  }
  checkFlag(op, 'flip', flip)
  const [height, width, channels] = imageShape

  return (inputs, _, generator) => {
    const [count] = inputs.shape
    if (inputs.size !== count * height * width * channels) {
      throw new ShapeError(
        `${op}: expected images of ${height} x ${width} x ${channels}, got inputs ${format(inputs.shape)}`,
      )
    }
    const drawn = generator.uniform([7, count], -1, 1)
    const upTo = (limit: number, row: number) =>
      drawn
        .slice([row, row + 1])
        .reshape([count])
        .mul(limit)
    const angle = upTo((rotation * Math.PI) / 180, 0)
    const size = upTo(scale, 1).add(1)
    const side = flip ? upTo(2, 2).greaterEqual(0).mul(2).sub(1) : 1
    const [cos, sin] = [angle.cos().mul(size), angle.sin().mul(size)]
    // Of (row, column), and the same for all channels.
    const maps = stack([cos, sin.neg().mul(side), sin, cos.mul(side)], 1)
      .reshape([count, 1, 4])
      .broadcastTo([count, channels, 4])
    const shifts = stack([upTo(shift * height, 3), upTo(shift * width, 4)], 1)
      .reshape([count, 1, 2, 1, 1])
      .broadcastTo([count, channels, 2, height, width])
    const ofImage = [count, 1, 1, 1]
    const images = inputs.reshape([count, height, width, channels]).transpose([0, 3, 1, 2])
    const mean = images.mean([2, 3], true)
    const differences = images.sub(mean).mul(upTo(contrast, 5).add(1).reshape(ofImage))
    const planes = [count * channels, height, width]
    return warp(
      differences.reshape(planes),
      maps.reshape([count * channels, 4]),
      shifts.reshape([count * channels, 2, height, width]),
    )
      .reshape([count, channels, height, width])
      .add(mean.add(upTo(brightness, 6).reshape(ofImage)))
      .transpose([0, 2, 3, 1])
      .reshape(inputs.shape)
  }
}
