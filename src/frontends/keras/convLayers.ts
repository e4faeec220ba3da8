/** Convolutions as Keras names them. */
import {
  Conv1d,
  Conv2d,
  Conv3d,
  DepthwiseConv2d,
  init,
  type Module,
  type PerAxis,
  type Shape,
} from '../../index.js'
import { checkCount, checkShape, optionsOf } from '../../internal.js'
import { checkKernel, KERNEL_OPTIONS, type KernelOptions, withKernel } from './kernel.js'
import { type Built, Layer } from './layer.js'
import { checkPadding, checkSpace, spaceAfter } from './windows.js'

interface Windowed extends KernelOptions {
  /** Extents of the kernel, each from 1. */
  kernelSize: PerAxis
  /** How far apart its places are; 1 by default. */
  strides?: PerAxis
  /** 'valid' by default. */
  padding?: 'valid' | 'same'
  /** How far apart the elements that it reads are; 1 by default. */
  dilationRate?: PerAxis
}

/** Settings of `Conv1D`, `Conv2D` and `Conv3D`. */
export interface ConvOptions extends Windowed {
  /** Channels of the outputs, a whole number from 1. */
  filters: number
  /** Groups that channels and filters are divided into; 1 by default. */
  groups?: number
}

/** Settings of `DepthwiseConv2D`. */
export interface DepthwiseConvOptions extends Windowed {
  /** Filters of each channel; 1 by default. */
  depthMultiplier?: number
}

const WINDOWED = {
  ...KERNEL_OPTIONS,
  kernelSize: true,
  strides: true,
  padding: true,
  dilationRate: true,
} as const
const OPTIONS: Record<keyof ConvOptions, true> = { ...WINDOWED, filters: true, groups: true }
const DEPTHWISE: Record<keyof DepthwiseConvOptions, true> = { ...WINDOWED, depthMultiplier: true }

type Weights = Parameters<Parameters<typeof withKernel>[3]>[0]
type Settings = { stride: PerAxis; padding: 'valid' | 'same'; dilation: PerAxis } & Weights

/**
 * Extents, strides and groups are checked by a module that is made of them and thrown away.
 * @throws ArgumentError for options that are out of range
 */
function checkWindow(op: string, options: Windowed, make: (settings: Settings) => Module): void {
  const { padding = 'valid', strides: stride = 1, dilationRate: dilation = 1 } = options
  checkPadding(op, padding)
  checkKernel(op, options)
  make({ stride, padding, dilation, init: init.zeros, bias: false }).dispose()
}

function convolution(
  op: string,
  axes: number,
  options: Windowed,
  shape: Shape,
  filters: number,
  make: (channels: number, settings: Settings) => Module,
): Built {
  checkSpace(op, shape, axes)
  const { kernelSize: size, strides = 1, padding = 'valid', dilationRate: dilation = 1 } = options
  const space = spaceAfter(op, shape.slice(0, -1), { size, strides, padding, dilation })
  return withKernel(op, options, [...space, filters], (weights) =>
    make(shape[axes], { stride: strides, padding, dilation, ...weights }),
  )
}

abstract class Conv extends Layer {
  /** As they were given. */
  readonly options: ConvOptions
  readonly #op: string
  readonly #module: typeof Conv1d | typeof Conv2d | typeof Conv3d
  readonly #axes: number

  /** @internal */
  constructor(
    op: string,
    module: typeof Conv1d | typeof Conv2d | typeof Conv3d,
    axes: number,
    given: ConvOptions,
  ) {
    const options = optionsOf(op, given, OPTIONS)
    super(options, options.activation ?? 'linear')
    checkCount(op, 'filters', options.filters)
    const { filters, kernelSize, groups = 1 } = options
    checkCount(op, 'groups', groups)
    checkWindow(
      op,
      options,
      (settings) => new module(groups, filters, kernelSize, { ...settings, groups }),
    )
    this.options = options
    this.#op = op
    this.#module = module
    this.#axes = axes
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const { filters, kernelSize, groups = 1 } = this.options
    return convolution(
      this.#op,
      this.#axes,
      this.options,
      inputShape,
      filters,
      (channels, settings) =>
        new this.#module(channels, filters, kernelSize, { ...settings, groups }),
    )
  }
}

/** Convolution of lines [length, channels]. */
export class Conv1D extends Conv {
  /**
   * A convolution.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: ConvOptions) {
    super('Conv1D', Conv1d, 1, options)
  }
}

/** Convolution of images [height, width, channels]. */
export class Conv2D extends Conv {
  /**
   * A convolution.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: ConvOptions) {
    super('Conv2D', Conv2d, 2, options)
  }
}

/** Convolution of volumes [depth, height, width, channels]. */
export class Conv3D extends Conv {
  /**
   * A convolution.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: ConvOptions) {
    super('Conv3D', Conv3d, 3, options)
  }
}

/** Convolution of each channel of images by itself. */
export class DepthwiseConv2D extends Layer {
  /** As they were given. */
  readonly options: DepthwiseConvOptions

  /**
   * A convolution.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: DepthwiseConvOptions) {
    const options = optionsOf('DepthwiseConv2D', given, DEPTHWISE)
    super(options, options.activation ?? 'linear')
    checkCount('DepthwiseConv2D', 'depthMultiplier', options.depthMultiplier ?? 1)
    checkWindow(
      'DepthwiseConv2D',
      options,
      (settings) => new DepthwiseConv2d(1, 1, options.kernelSize, settings),
    )
    this.options = options
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const { kernelSize, depthMultiplier = 1 } = this.options
    const filters = (inputShape.at(-1) ?? 1) * depthMultiplier
    return convolution(
      'DepthwiseConv2D',
      2,
      this.options,
      inputShape,
      filters,
      (channels, settings) => new DepthwiseConv2d(channels, filters, kernelSize, settings),
    )
  }
}
