/** Norms as modules. */
import { noteRead } from '../backend/record.js'
import { checkFlag, checkNumber, optionsOf } from '../base/arguments.js'
import { excerpt, ShapeError } from '../base/errors.js'
import { batchNorm, batchNormTraining } from '../ops/batchNorm.js'
import {
  checkEpsilon,
  checkGroups,
  EPSILON,
  groupNorm,
  layerNorm,
  RMS_EPSILON,
  rmsNorm,
} from '../ops/norm.js'
import { requireFloat } from '../ops/require.js'
import { fullLike } from '../tensor/allocate.js'
import { ones, zeros } from '../tensor/create.js'
import { checkShape, format, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module, ModuleBuffer, Parameter } from './module.js'

/** Neither weights nor biases of norms are regularized: they scale what has no scale of its own. */
const parameter = (values: Tensor) => new Parameter(values, { regularized: false })

function checkChannels(op: string, name: string, channels: number): void {
  if (Number.isInteger(channels) && channels >= 1) return
  throw new ShapeError(`${op}: expected ${name} >= 1, got ${excerpt(channels)}`)
}

/** Settings of `BatchNorm1d` and `BatchNorm2d`; the defaults are PyTorch's. */
export interface BatchNormOptions {
  /** Added to the variance, so that it is never 0, > 0; 1e-5 by default, 1e-3 in Keras. */
  epsilon?: number
  /**
   * Share of a new batch in the running moments, from 0 to 1; 0.1 by default. In Keras momentum is the share
   * that is kept: its 0.99 is 0.01 here.
   */
  momentum?: number
  /** Whether there are weight and bias; true by default. */
  affine?: boolean
  /**
   * What is taken from the number of elements where the running variance is their sum of squares divided by
   * it: 1, so that it has no bias, by default; 0 in Keras.
   */
  correction?: 0 | 1
}

const BATCH_OPTIONS: Record<keyof BatchNormOptions, true> = {
  epsilon: true,
  momentum: true,
  affine: true,
  correction: true,
}

/**
 * What all batch norms share: channels, the last axis, normalized by the moments of the batch while
 * training, else by the running ones.
 */
export abstract class BatchNorm extends Module {
  /** [channels], 1 at first, which regularizers leave alone; null where there is none. */
  readonly weight: Parameter | null
  /** [channels], 0 at first, which regularizers leave alone; null where there is none. */
  readonly bias: Parameter | null
  /** [channels], 0 at first. */
  readonly runningMean: ModuleBuffer
  /** [channels], 1 at first. */
  readonly runningVar: ModuleBuffer
  /** Added to the variance. */
  readonly epsilon: number
  /** Share of a new batch in the running moments. */
  readonly momentum: number
  /** What is taken from the number of elements for the running variance. */
  readonly correction: 0 | 1
  readonly #name: string
  readonly #expected: string

  /**
   * A norm of so many channels.
   * @internal
   * @param name for errors
   * @param expected shapes of inputs, for errors
   */
  constructor(name: string, expected: string, channels: number, options: BatchNormOptions) {
    super()
    checkChannels(name, 'channels', channels)
    const {
      epsilon = EPSILON,
      momentum = 0.1,
      affine = true,
      correction = 1,
    } = optionsOf(name, options, BATCH_OPTIONS)
    checkEpsilon(name, epsilon)
    checkNumber(name, 'momentum', momentum, (share) => share >= 0 && share <= 1, 'from 0 to 1')
    checkFlag(name, 'affine', affine)
    checkNumber(name, 'correction', correction, (count) => count === 0 || count === 1, '0 or 1')
    this.weight = affine ? parameter(ones([channels])) : null
    this.bias = affine ? parameter(zeros([channels])) : null
    this.runningMean = new ModuleBuffer(zeros([channels]))
    this.runningVar = new ModuleBuffer(ones([channels]))
    this.epsilon = epsilon
    this.momentum = momentum
    this.correction = correction
    this.#name = name
    this.#expected = expected
  }

  /** Whether it takes inputs of so many axes. @internal */
  protected abstract takes(rank: number): boolean

  /**
   * @throws ShapeError for other inputs, and while training for a single element of each channel, whose
   *   variance is nothing
   */
  forward(x: Tensor): Tensor {
    requireFloat(this.#name, x)
    const { runningMean, runningVar, epsilon, momentum, correction } = this
    for (const name of ['weight', 'bias', 'runningMean', 'runningVar'] as const) {
      noteRead(this, name, this[name])
    }
    const channels = runningMean.size
    const { shape } = x
    if (!this.takes(shape.length) || shape.at(-1) !== channels) {
      const isFirst = this.takes(shape.length) && shape.length > 2 && shape[1] === channels
      throw new ShapeError(
        `${this.#name}: expected inputs ${this.#expected.replaceAll('channels', `${channels}`)}, got ${format(shape)}${isFirst ? '; channels are the last axis here' : ''}`,
      )
    }
    const weight = this.weight ?? fullLike(x, 1, [channels])
    const bias = this.bias ?? fullLike(x, 0, [channels])
    if (!this.training) {
      return batchNorm(x, runningMean, runningVar, weight, bias, { epsilon })
    }
    if (x.size <= correction * channels) {
      throw new ShapeError(
        `${this.#name}: expected more than one element of each channel to train on, got ${format(shape)}; leave a batch of one out, or use eval()`,
      )
    }
    const running = { runningMean, runningVar, momentum, correction }
    return batchNormTraining(x, weight, bias, { running, epsilon })
  }
}

/**
 * Batch norm (Ioffe and Szegedy 2015) of features [batch, channels], or of sequences
 * [batch, length, channels]: (x - mean)/√(variance + epsilon)·weight + bias, channel by channel. While
 * training, mean and variance are those of the batch, and the running ones follow; else they are the
 * running ones.
 * @example new Sequential(new Linear(4, 64), new BatchNorm1d(64), new ReLU(), new Linear(64, 3))
 * @example new BatchNorm1d(64, { momentum: 0.01, epsilon: 1e-3, correction: 0 }) // as Keras
 */
export class BatchNorm1d extends BatchNorm {
  /**
   * @param channels a whole number from 1
   * @throws ShapeError when it is out of range, ArgumentError for options that are, or do not exist
   */
  constructor(channels: number, options: BatchNormOptions = {}) {
    super('BatchNorm1d', '[batch, channels] or [batch, length, channels]', channels, options)
  }

  /** @internal */
  protected takes(rank: number): boolean {
    return rank === 2 || rank === 3
  }
}

/** The same of images [batch, height, width, channels]. */
export class BatchNorm2d extends BatchNorm {
  /**
   * @param channels a whole number from 1
   * @throws ShapeError when it is out of range, ArgumentError for options that are, or do not exist
   */
  constructor(channels: number, options: BatchNormOptions = {}) {
    super('BatchNorm2d', '[batch, height, width, channels]', channels, options)
  }

  /** @internal */
  protected takes(rank: number): boolean {
    return rank === 4
  }
}

/** Settings of `LayerNorm` and `GroupNorm`. */
export interface LayerNormOptions {
  /** Added to the variance, so that it is never 0, > 0; 1e-5 by default. */
  epsilon?: number
  /** Whether there are weight and bias; true by default. */
  affine?: boolean
}

/** Settings of `RMSNorm`. */
export interface RMSNormOptions {
  /** Added to the mean square, so that it is never 0, > 0; 2^-23 by default. */
  epsilon?: number
  /** Whether there is a weight; true by default. */
  affine?: boolean
}

const OPTIONS: Record<keyof LayerNormOptions, true> = { epsilon: true, affine: true }

function settingsOf(
  op: string,
  options: LayerNormOptions,
  usual: number,
): Required<LayerNormOptions> {
  const { epsilon = usual, affine = true } = optionsOf(op, options, OPTIONS)
  checkEpsilon(op, epsilon)
  checkFlag(op, 'affine', affine)
  return { epsilon, affine }
}

/** The extents of the last axes, given as one number or several. */
function rowShape(op: string, given: number | Shape): Shape {
  const shape = typeof given === 'number' ? [given] : checkShape(op, given)
  if (shape.length > 0 && shape.every(Number.isInteger) && sizeOf(shape) >= 1) return shape
  throw new ShapeError(`${op}: expected extents >= 1 of the last axes, got ${excerpt(given)}`)
}

/**
 * Layer norm (Ba et al. 2016): the last axes of x [..., n] brought to mean 0 and variance 1, then
 * ·weight + bias.
 */
export class LayerNorm extends Module {
  /** Of the shape of the axes, 1 at first, which regularizers leave alone; null where there is none. */
  readonly weight: Parameter | null
  /** The same, 0 at first. */
  readonly bias: Parameter | null
  /** Added to the variance. */
  readonly epsilon: number
  readonly #shape: Shape

  /**
   * @param shape extents of the last axes, or of the last one
   * @throws ShapeError for extents below 1, ArgumentError for options that are out of range, or do not exist
   */
  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    super()
    this.#shape = rowShape('LayerNorm', shape)
    const { epsilon, affine } = settingsOf('LayerNorm', options, EPSILON)
    this.weight = affine ? parameter(ones(this.#shape)) : null
    this.bias = affine ? parameter(zeros(this.#shape)) : null
    this.epsilon = epsilon
  }

  /** @throws ShapeError when x does not end with these axes */
  forward(x: Tensor): Tensor {
    requireFloat('LayerNorm', x)
    noteRead(this, 'weight', this.weight)
    noteRead(this, 'bias', this.bias)
    const weight = this.weight ?? fullLike(x, 1, this.#shape)
    const bias = this.bias ?? fullLike(x, 0, this.#shape)
    return layerNorm(x, weight, bias, { epsilon: this.epsilon })
  }
}

/** RMS norm (Zhang and Sennrich 2019): x/√(mean of x² + epsilon)·weight over the last axes of x [..., n]. */
export class RMSNorm extends Module {
  /** Of the shape of the axes, 1 at first, which regularizers leave alone; null where there is none. */
  readonly weight: Parameter | null
  /** Added to the mean square. */
  readonly epsilon: number
  readonly #shape: Shape

  /**
   * @param shape extents of the last axes, or of the last one
   * @throws ShapeError for extents below 1, ArgumentError for options that are out of range, or do not exist
   */
  constructor(shape: number | Shape, options: RMSNormOptions = {}) {
    super()
    this.#shape = rowShape('RMSNorm', shape)
    const { epsilon, affine } = settingsOf('RMSNorm', options, RMS_EPSILON)
    this.weight = affine ? parameter(ones(this.#shape)) : null
    this.epsilon = epsilon
  }

  /** @throws ShapeError when x does not end with these axes */
  forward(x: Tensor): Tensor {
    requireFloat('RMSNorm', x)
    noteRead(this, 'weight', this.weight)
    const weight = this.weight ?? fullLike(x, 1, this.#shape)
    return rmsNorm(x, weight, { epsilon: this.epsilon })
  }
}

/**
 * Group norm (Wu and He 2018): of each example of x [batch, ..., channels], every group of neighbouring
 * channels brought to mean 0 and variance 1, then ·weight + bias, channel by channel.
 */
export class GroupNorm extends Module {
  /** [channels], 1 at first, which regularizers leave alone; null where there is none. */
  readonly weight: Parameter | null
  /** [channels], 0 at first, which regularizers leave alone; null where there is none. */
  readonly bias: Parameter | null
  /** Groups that the channels are divided into. */
  readonly groups: number
  /** Added to the variance. */
  readonly epsilon: number
  readonly #channels: number

  /**
   * @param groups that divide the channels
   * @param channels a whole number from 1
   * @throws ShapeError for channels out of range, ArgumentError for groups that do not divide them, and for
   *   options that are out of range, or do not exist
   */
  constructor(groups: number, channels: number, options: LayerNormOptions = {}) {
    super()
    checkChannels('GroupNorm', 'channels', channels)
    checkGroups('GroupNorm', groups, channels)
    const { epsilon, affine } = settingsOf('GroupNorm', options, EPSILON)
    this.weight = affine ? parameter(ones([channels])) : null
    this.bias = affine ? parameter(zeros([channels])) : null
    this.groups = groups
    this.epsilon = epsilon
    this.#channels = channels
  }

  /** @throws ShapeError when x is not [batch, ..., channels] */
  forward(x: Tensor): Tensor {
    requireFloat('GroupNorm', x)
    noteRead(this, 'weight', this.weight)
    noteRead(this, 'bias', this.bias)
    const weight = this.weight ?? fullLike(x, 1, [this.#channels])
    const bias = this.bias ?? fullLike(x, 0, [this.#channels])
    return groupNorm(x, this.groups, weight, bias, { epsilon: this.epsilon })
  }
}
