/** `convnet` makes a convolutional network for classifying images. */
import { isKeyOf, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError, spelled } from '../base/errors.js'
import { BatchNorm2d } from './batchNorm.js'
import { Conv2d } from './conv.js'
import type { Module } from './module.js'
import { GlobalAvgPool2d, MaxPool2d } from './pool.js'
import { activations, type MlpOptions, perceptron, Sequential } from './sequential.js'
import { Flatten, Reshape } from './shapes.js'

/** [height, width, channels] of an image. */
export type ImageShape = readonly [height: number, width: number, channels: number]

/** Settings of `convnet`; those of a perceptron are for the layers after the convolutions. */
export interface ConvnetOptions
  extends Pick<MlpOptions, 'activation' | 'dropout' | 'init' | 'generator'> {
  /**
   * `avg`: what the perceptron gets is the mean of each channel over what is left of the image, wherever in the image
   * something is, as by Keras's `pooling`; by default it gets all of it.
   */
  pooling?: 'avg'
}

const OPTIONS: Record<keyof ConvnetOptions, true> = {
  pooling: true,
  activation: true,
  dropout: true,
  init: true,
  generator: true,
}

/** Extents of the kernels, and of the windows of the pools. */
const KERNEL = 3
const WINDOW = 2

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1

function checkImage(image: ImageShape, filters: readonly number[]): void {
  if (!Array.isArray(image) || image.length !== 3 || !image.every(isCount)) {
    throw new ShapeError(
      `convnet: expected an image [height, width, channels], got ${excerpt(image)}`,
    )
  }
  if (!Array.isArray(filters) || filters.length === 0 || !filters.every(isCount)) {
    throw new ShapeError(
      `convnet: expected filters of one stage or more, each from 1, got ${excerpt(filters)}`,
    )
  }
  const most = Math.floor(Math.log2(Math.min(image[0], image[1])))
  if (filters.length > most) {
    throw new ShapeError(
      `convnet: expected at most ${most} stages, each of which halves an image of ${image[0]} x ${image[1]}, got ${filters.length}`,
    )
  }
}

/**
 * A convolutional network: stages of a convolution of 3 × 3 without a bias, batch norm, the activation
 * and a pool that takes the largest of 2 × 2, then a perceptron on what is left of the image, whose outputs
 * are logits. Its inputs are images [batch, height, width, channels] or rows of as many pixels.
 * @param image [height, width, channels]
 * @param filters of each stage
 * @param units of the layers after them, to the outputs
 * @throws ShapeError for extents below 1, and more stages than the image can be halved; ArgumentError for
 *   options that do not exist or are out of range
 * @example convnet([28, 28, 1], [32, 64], [128, 10], { dropout: 0.5 })
 */
export function convnet(
  image: ImageShape,
  filters: readonly number[],
  units: readonly number[],
  options: ConvnetOptions = {},
): Sequential {
  const given = optionsOf('convnet', options, OPTIONS)
  const { activation = 'relu', dropout = 0, pooling, ...weights } = given
  if (!isKeyOf(activations, activation)) {
    const known = Object.keys(activations).join(', ')
    throw new ArgumentError(
      `convnet: expected an activation of ${known}, got ${spelled(activation)}`,
    )
  }
  if (pooling !== undefined && pooling !== 'avg') {
    throw new ArgumentError(`convnet: expected pooling avg or none, got ${spelled(pooling)}`)
  }
  if (!Array.isArray(units) || units.length === 0) {
    throw new ArgumentError(`convnet: expected units of one layer or more, got ${excerpt(units)}`)
  }
  checkImage(image, filters)
  const layers: Module[] = [new Reshape(image)]
  let [height, width, channels] = image
  for (const count of filters) {
    layers.push(
      new Conv2d(channels, count, KERNEL, { padding: 'same', bias: false, ...weights }),
      new BatchNorm2d(count),
      new activations[activation](),
      new MaxPool2d(WINDOW),
    )
    height = Math.floor(height / WINDOW)
    width = Math.floor(width / WINDOW)
    channels = count
  }
  const features = pooling ? channels : height * width * channels
  return new Sequential(
    ...layers,
    pooling ? new GlobalAvgPool2d() : new Flatten(),
    ...perceptron([features, ...units], activation, dropout, weights),
  )
}
