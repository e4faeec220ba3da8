/** Batch norm as modules. */
import { noteRead, noteSet } from '../backend/record.js'
import { checkFlag, checkNumber, optionsOf } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { batchNorm, batchNormTraining } from '../ops/batchNorm.js'
import { checkEpsilon, EPSILON } from '../ops/norm.js'
import { requireFloat } from '../ops/require.js'
import { fullLike } from '../tensor/allocate.js'
import { ones, zeros } from '../tensor/create.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module, ModuleBuffer, type Parameter } from './module.js'
import { checkChannels, unregularized } from './norm.js'

function checkMomentum(op: string, momentum: number): void {
  checkNumber(op, 'momentum', momentum, (share) => share >= 0 && share <= 1, 'from 0 to 1')
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
 * training and trainable, else by the running ones.
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
  /** What is taken from the number of elements for the running variance. */
  readonly correction: 0 | 1
  #momentum: number
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
    checkMomentum(name, momentum)
    checkFlag(name, 'affine', affine)
    checkNumber(name, 'correction', correction, (count) => count === 0 || count === 1, '0 or 1')
    this.weight = affine ? unregularized(ones([channels])) : null
    this.bias = affine ? unregularized(zeros([channels])) : null
    this.runningMean = new ModuleBuffer(zeros([channels]))
    this.runningVar = new ModuleBuffer(ones([channels]))
    this.epsilon = epsilon
    this.#momentum = momentum
    this.correction = correction
    this.#name = name
    this.#expected = expected
  }

  /** Share of a new batch in the running moments, from 0 to 1; a new one counts from the next batch. */
  get momentum(): number {
    noteRead(this, 'momentum', this.#momentum)
    return this.#momentum
  }

  /** Throws ArgumentError when it is out of range. */
  set momentum(momentum: number) {
    checkMomentum(this.#name, momentum)
    noteSet(this, 'momentum', this.#momentum)
    this.#momentum = momentum
  }

  /** Whether it takes inputs of so many axes. @internal */
  protected abstract takes(rank: number): boolean

  /**
   * @throws ShapeError for other inputs, and while training for a single element of each channel, whose
   *   variance is nothing
   */
  forward(x: Tensor): Tensor {
    requireFloat(this.#name, x)
    const { runningMean, runningVar, epsilon, correction } = this
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
    if (!this.training || !this.trainable) {
      return batchNorm(x, runningMean, runningVar, weight, bias, { epsilon })
    }
    if (x.size <= correction * channels) {
      throw new ShapeError(
        `${this.#name}: expected more than one element of each channel to train on, got ${format(shape)}; leave a batch of one out, or use eval()`,
      )
    }
    const running = { runningMean, runningVar, momentum: this.momentum, correction }
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
