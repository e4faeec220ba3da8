/** Norms as Keras names them, with its defaults. */
import {
  ArgumentError,
  BatchNorm1d,
  BatchNorm2d,
  GroupNorm,
  LayerNorm,
  type Module,
  type Shape,
  ShapeError,
} from '../../index.js'
import {
  checkCount,
  checkFlag,
  checkNumber,
  checkShape,
  excerpt,
  optionsOf,
} from '../../internal.js'
import { type Built, LAYER_OPTIONS, Layer, type LayerOptions } from './layer.js'

/** Settings of norms. */
export interface NormalizationOptions extends LayerOptions {
  /** Added to the variance, > 0; 1e-3 by default. */
  epsilon?: number
  /** Whether there is a beta; true by default, and the same as `scale`. */
  center?: boolean
  /** Whether there is a gamma; true by default. */
  scale?: boolean
}

/** Settings of `BatchNormalization`. */
export interface BatchNormalizationOptions extends NormalizationOptions {
  /** Share of the running moments that a batch leaves as it is, from 0 to 1; 0.99 by default. */
  momentum?: number
}

/** Settings of `GroupNormalization`. */
export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Groups that the channels are divided into; 32 by default. */
  groups?: number
}

const OPTIONS: Record<keyof NormalizationOptions, true> = {
  ...LAYER_OPTIONS,
  epsilon: true,
  center: true,
  scale: true,
}

/** Keras's epsilon and one switch for both weights, as the library has it. */
function settingsOf(
  op: string,
  { epsilon = 1e-3, center = true, scale = true }: NormalizationOptions,
): { epsilon: number; affine: boolean } {
  checkNumber(op, 'epsilon', epsilon, (value) => value > 0 && value < Infinity, '> 0')
  checkFlag(op, 'center', center)
  checkFlag(op, 'scale', scale)
  if (center === scale) return { epsilon, affine: scale }
  throw new ArgumentError(
    `${op}: expected center and scale to be the same, got center ${excerpt(center)} and scale ${excerpt(scale)}`,
  )
}

/**
 * Batch norm over the last axis. A layer that is not trainable normalizes by its running moments and leaves
 * them as they are.
 */
export class BatchNormalization extends Layer {
  /** As they were given. */
  readonly options: BatchNormalizationOptions

  /**
   * A norm.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: BatchNormalizationOptions = {}) {
    const options = optionsOf('BatchNormalization', given, { ...OPTIONS, momentum: true })
    super(options)
    const { momentum = 0.99 } = options
    const isShare = (value: number) => value >= 0 && value <= 1
    checkNumber('BatchNormalization', 'momentum', momentum, isShare, 'from 0 to 1')
    settingsOf('BatchNormalization', options)
    this.options = options
  }

  build(given: Shape): Built {
    const shape = checkShape('build', given)
    if (shape.length < 1 || shape.length > 3) {
      throw new ShapeError(
        `BatchNormalization: expected inputs [channels], [length, channels] or [height, width, channels], got shape [${shape}]`,
      )
    }
    const settings = settingsOf('BatchNormalization', this.options)
    const momentum = 1 - (this.options.momentum ?? 0.99)
    const Norm = shape.length === 3 ? BatchNorm2d : BatchNorm1d
    const module = new Norm(shape.at(-1)!, { ...settings, momentum, correction: 0 })
    return { modules: [module], outputShape: shape }
  }
}

abstract class Norm<Options extends NormalizationOptions> extends Layer {
  /** As they were given. */
  readonly options: Options
  readonly #op: string

  /** @internal */
  constructor(op: string, options: Options) {
    super(options)
    settingsOf(op, options)
    this.options = options
    this.#op = op
  }

  build(given: Shape): Built {
    const shape = checkShape('build', given)
    if (shape.length === 0)
      throw new ShapeError(`${this.#op}: expected inputs [..., channels], got []`)
    const module = this.make(shape.at(-1)!, settingsOf(this.#op, this.options))
    return { modules: [module], outputShape: shape }
  }

  /** @internal */
  protected abstract make(channels: number, settings: ReturnType<typeof settingsOf>): Module
}

/** Layer norm over the last axis. */
export class LayerNormalization extends Norm<NormalizationOptions> {
  /**
   * A norm.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: NormalizationOptions = {}) {
    super('LayerNormalization', optionsOf('LayerNormalization', options, OPTIONS))
  }

  /** @internal */
  protected make(channels: number, settings: ReturnType<typeof settingsOf>): Module {
    return new LayerNorm(channels, settings)
  }
}

/** Group norm over the last axis. */
export class GroupNormalization extends Norm<GroupNormalizationOptions> {
  /**
   * A norm.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: GroupNormalizationOptions = {}) {
    const options = optionsOf('GroupNormalization', given, { ...OPTIONS, groups: true })
    super('GroupNormalization', options)
    checkCount('GroupNormalization', 'groups', options.groups ?? 32)
  }

  /** @internal */
  protected make(channels: number, settings: ReturnType<typeof settingsOf>): Module {
    return new GroupNorm(this.options.groups ?? 32, channels, settings)
  }
}
