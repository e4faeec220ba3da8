/** Convolution layers: a kernel with trained weights, and a bias for each filter. */
import { noteRead } from '../backend/record.js'
import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, ShapeError } from '../base/errors.js'
import {
  type ConvOptions,
  checkConvolution,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
} from '../ops/conv.js'
import { requireTensor } from '../ops/require.js'
import type { PerAxis } from '../ops/window.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { initialWeights, type LinearOptions } from './linear.js'
import { Module, type Parameter } from './module.js'
import { ownSizeOf, vectorsOf } from './summary.js'

/** Settings of a convolution layer. */
export interface ConvLayerOptions extends ConvOptions, LinearOptions {}

const OPTIONS: Record<keyof ConvLayerOptions, true> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
  init: true,
  generator: true,
}

const SPACES = ['length', 'height, width', 'depth, height, width']

/** What kind of layer it is. */
interface Kind {
  name: string
  /** Of space. */
  axes: number
  apply: typeof conv2d
  isTransposed?: boolean
}

/** What all convolution layers have in common. */
export abstract class ConvLayer extends Module {
  /** The kernel's extents, then channels / groups and filters; transposed filters / groups and channels. */
  readonly weight: Parameter
  /** [filters], which regularizers leave alone; null where there is none. */
  readonly bias: Parameter | null
  readonly #kind: Kind
  readonly #channels: number
  readonly #options: ConvOptions

  /** @internal */
  constructor(
    kind: Kind,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    given: ConvLayerOptions,
  ) {
    super()
    const { name, axes, isTransposed } = kind
    const { bias, init, generator, ...options } = optionsOf(name, given, OPTIONS)
    checkCount(name, 'inChannels', inChannels)
    checkCount(name, 'outChannels', outChannels)
    const { window, groups } = checkConvolution(name, kernelSize, axes, options)
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `${name}: expected groups that divide inChannels ${inChannels} and outChannels ${outChannels}, got ${groups}`,
      )
    }
    const [inner, outer] = isTransposed ? [outChannels, inChannels] : [inChannels, outChannels]
    this.#kind = kind
    this.#channels = inChannels
    this.#options = options
    const shape = [...window.size, inner / groups, outer]
    const weights = initialWeights(name, shape, outChannels, { bias, init, generator })
    this.weight = weights.weight
    this.bias = weights.bias
  }

  /** @throws ShapeError for other inputs than [batch, …, inChannels], and those that the kernel is larger than */
  forward(x: Tensor): Tensor {
    const { name, axes, apply } = this.#kind
    const channels = this.#channels
    requireTensor(name, x)
    const { weight, bias } = this
    noteRead(this, 'weight', weight)
    noteRead(this, 'bias', bias)
    if (x.shape.length !== axes + 2 || x.shape[axes + 1] !== channels) {
      const isFirst = x.shape.length === axes + 2 && x.shape[1] === channels
      const hint = isFirst ? '; ChannelsLast moves channels to the end' : ''
      throw new ShapeError(
        `${name}: expected inputs [batch, ${SPACES[axes - 1]}, ${channels}], got ${format(x.shape)}${hint}`,
      )
    }
    return apply(x, weight, bias, this.#options)
  }

  /** @internal */
  override multiplyAdds(outputs: Tensor): number {
    return vectorsOf(outputs) * ownSizeOf(this)
  }
}

/**
 * Convolution of lines [batch, length, inChannels] to [batch, length, outChannels]; weights are [length,
 * inChannels / groups, outChannels]. As Keras's `Conv1D`; PyTorch's has channels first (`ChannelsLast`).
 */
export class Conv1d extends ConvLayer {
  /**
   * A layer with new weights.
   * @param kernelSize its length, from 1
   * @throws ArgumentError for sizes and options that do not exist or are out of range
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    const kind = { name: 'Conv1d', axes: 1, apply: conv1d }
    super(kind, inChannels, outChannels, kernelSize, options)
  }
}

/**
 * Convolution of images [batch, height, width, inChannels] to [batch, height, width, outChannels]; weights
 * are [height, width, inChannels / groups, outChannels]. As Keras's `Conv2D`; PyTorch's has channels first
 * (`ChannelsLast`).
 * @example new Sequential(new Conv2d(1, 32, 3, { padding: 'same' }), new ReLU(), new Flatten(), new Linear(25088, 10))
 */
export class Conv2d extends ConvLayer {
  /**
   * A layer with new weights.
   * @param kernelSize its extent, from 1, or [height, width]
   * @throws ArgumentError for sizes and options that do not exist or are out of range
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    const kind = { name: 'Conv2d', axes: 2, apply: conv2d }
    super(kind, inChannels, outChannels, kernelSize, options)
  }
}

/**
 * Convolution of volumes [batch, depth, height, width, inChannels] to [batch, depth, height, width,
 * outChannels]; weights are [depth, height, width, inChannels / groups, outChannels]. A loop over
 * convolutions of images, see `conv3d`.
 */
export class Conv3d extends ConvLayer {
  /**
   * A layer with new weights.
   * @param kernelSize its extent, from 1, or [depth, height, width]
   * @throws ArgumentError for sizes and options that do not exist or are out of range
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    const kind = { name: 'Conv3d', axes: 3, apply: conv3d }
    super(kind, inChannels, outChannels, kernelSize, options)
  }
}

/**
 * Transposed convolution of images [batch, height, width, inChannels] to larger ones [batch, height, width,
 * outChannels], see `convTranspose2d`; weights are [height, width, outChannels / groups, inChannels], as in
 * Keras's `Conv2DTranspose`.
 */
export class ConvTranspose2d extends ConvLayer {
  /**
   * A layer with new weights.
   * @param kernelSize its extent, from 1, or [height, width]
   * @throws ArgumentError for sizes and options that do not exist or are out of range
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    const kind = { name: 'ConvTranspose2d', axes: 2, apply: convTranspose2d, isTransposed: true }
    super(kind, inChannels, outChannels, kernelSize, options)
  }
}

const { groups: _, ...DEPTHWISE_OPTIONS } = OPTIONS

/**
 * Convolution of each channel by itself: images [batch, height, width, inChannels] to [batch, height, width,
 * outChannels], where outChannels is a multiple of inChannels, and the filters of a channel lie side by side.
 * Weights are [height, width, 1, outChannels]: the numbers of Keras's [height, width, inChannels,
 * multiplier] in their order.
 */
export class DepthwiseConv2d extends ConvLayer {
  /**
   * A layer with new weights.
   * @param outChannels a multiple of inChannels
   * @param kernelSize its extent, from 1, or [height, width]
   * @throws ArgumentError for sizes and options that do not exist or are out of range
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Omit<ConvLayerOptions, 'groups'> = {},
  ) {
    const kind = { name: 'DepthwiseConv2d', axes: 2, apply: conv2d }
    const given = optionsOf(kind.name, options, DEPTHWISE_OPTIONS)
    super(kind, inChannels, outChannels, kernelSize, { ...given, groups: inChannels })
  }
}
