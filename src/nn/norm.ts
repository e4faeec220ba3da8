/** Layer, group and RMS norm as modules. */
import { noteRead } from '../backend/record.js'
import { checkFlag, optionsOf } from '../base/arguments.js'
import { excerpt, ShapeError } from '../base/errors.js'
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
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module, Parameter } from './module.js'

/** Neither weights nor biases of norms are regularized: they scale what has no scale of its own. */
export const unregularized = (values: Tensor) => new Parameter(values, { regularized: false })

/** @throws ShapeError for what is no whole number from 1 */
export function checkChannels(op: string, name: string, channels: number): void {
  if (Number.isInteger(channels) && channels >= 1) return
  throw new ShapeError(`${op}: expected ${name} >= 1, got ${excerpt(channels)}`)
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
    this.weight = affine ? unregularized(ones(this.#shape)) : null
    this.bias = affine ? unregularized(zeros(this.#shape)) : null
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
    this.weight = affine ? unregularized(ones(this.#shape)) : null
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
    this.weight = affine ? unregularized(ones([channels])) : null
    this.bias = affine ? unregularized(zeros([channels])) : null
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
