/** Pools as Keras names them. */
import {
  AvgPool1d,
  AvgPool2d,
  GlobalAvgPool2d,
  GlobalMaxPool2d,
  MaxPool1d,
  MaxPool2d,
  Module,
  type PerAxis,
  type Shape,
  type Tensor,
} from '../../index.js'
import { checkShape, optionsOf } from '../../internal.js'
import { type Built, LAYER_OPTIONS, Layer, type LayerOptions } from './layer.js'
import { checkPadding, checkSpace, spaceAfter } from './windows.js'

/** Settings of pools. */
export interface PoolingOptions extends LayerOptions {
  /** Extents of the window; 2 by default. */
  poolSize?: PerAxis
  /** How far apart windows begin; as large as the window by default. */
  strides?: PerAxis
  /** 'valid' by default; averages with 'same' count what is in the image alone. */
  padding?: 'valid' | 'same'
}

const OPTIONS: Record<keyof PoolingOptions, true> = {
  ...LAYER_OPTIONS,
  poolSize: true,
  strides: true,
  padding: true,
}

type MakePool = (size: PerAxis, settings: { stride: PerAxis; padding: 'valid' | 'same' }) => Module

abstract class Pooling extends Layer {
  readonly #op: string
  readonly #axes: number
  readonly #make: () => Module
  readonly #window: { size: PerAxis; strides: PerAxis; padding: 'valid' | 'same' }

  /** @internal */
  constructor(op: string, axes: number, make: MakePool, given: PoolingOptions) {
    const options = optionsOf(op, given, OPTIONS)
    super(options)
    const { poolSize: size = 2, strides = size, padding = 'valid' } = options
    checkPadding(op, padding)
    this.#op = op
    this.#axes = axes
    this.#window = { size, strides, padding }
    this.#make = () => make(size, { stride: strides, padding })
    this.#make()
  }

  build(given: Shape): Built {
    const shape = checkShape('build', given)
    checkSpace(this.#op, shape, this.#axes)
    const space = spaceAfter(this.#op, shape.slice(0, -1), this.#window)
    return { modules: [this.#make()], outputShape: [...space, shape[this.#axes]] }
  }
}

/** The largest of each window over lines [length, channels]. */
export class MaxPooling1D extends Pooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: PoolingOptions = {}) {
    super('MaxPooling1D', 1, (size, settings) => new MaxPool1d(size, settings), options)
  }
}

/** The largest of each window over images [height, width, channels]. */
export class MaxPooling2D extends Pooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: PoolingOptions = {}) {
    super('MaxPooling2D', 2, (size, settings) => new MaxPool2d(size, settings), options)
  }
}

/** The average of each window over lines [length, channels]. */
export class AveragePooling1D extends Pooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: PoolingOptions = {}) {
    const make: MakePool = (size, settings) =>
      new AvgPool1d(size, { ...settings, countIncludePad: false })
    super('AveragePooling1D', 1, make, options)
  }
}

/** The average of each window over images [height, width, channels]. */
export class AveragePooling2D extends Pooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: PoolingOptions = {}) {
    const make: MakePool = (size, settings) =>
      new AvgPool2d(size, { ...settings, countIncludePad: false })
    super('AveragePooling2D', 2, make, options)
  }
}

class OverLength extends Module {
  constructor(readonly pool: (x: Tensor) => Tensor) {
    super()
  }
  forward(x: Tensor): Tensor {
    return this.pool(x)
  }
}

abstract class GlobalPooling extends Layer {
  readonly #op: string
  readonly #axes: number
  readonly #make: () => Module

  /** @internal */
  constructor(op: string, axes: number, make: () => Module, options: LayerOptions) {
    super(optionsOf(op, options, LAYER_OPTIONS))
    this.#op = op
    this.#axes = axes
    this.#make = make
  }

  build(given: Shape): Built {
    const shape = checkShape('build', given)
    checkSpace(this.#op, shape, this.#axes)
    return { modules: [this.#make()], outputShape: [shape[this.#axes]] }
  }
}

/** The largest of each channel of lines [length, channels]. */
export class GlobalMaxPooling1D extends GlobalPooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super('GlobalMaxPooling1D', 1, () => new OverLength((x) => x.max(1)), options)
  }
}

/** The largest of each channel of images [height, width, channels]. */
export class GlobalMaxPooling2D extends GlobalPooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super('GlobalMaxPooling2D', 2, () => new GlobalMaxPool2d(), options)
  }
}

/** The average of each channel of lines [length, channels]. */
export class GlobalAveragePooling1D extends GlobalPooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super('GlobalAveragePooling1D', 1, () => new OverLength((x) => x.mean(1)), options)
  }
}

/** The average of each channel of images [height, width, channels]. */
export class GlobalAveragePooling2D extends GlobalPooling {
  /**
   * A pool.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super('GlobalAveragePooling2D', 2, () => new GlobalAvgPool2d(), options)
  }
}
