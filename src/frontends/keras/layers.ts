/** Layers as Keras names them. Each is a description, from which a model builds its modules. */

import {
  Dropout as DropoutModule,
  Linear,
  Reshape as ReshapeModule,
  type Shape,
  ShapeError,
} from '../../index.js'
import { checkNumber, checkShape, optionsOf, sizeOf } from '../../internal.js'
import { type ActivationName, activationOf } from './activations.js'
import { checkKernel, KERNEL_OPTIONS, type KernelOptions, withKernel } from './kernel.js'
import { type Built, LAYER_OPTIONS, Layer, type LayerOptions } from './layer.js'

export type { ActivationName } from './activations.js'
export {
  Conv1D,
  Conv2D,
  Conv3D,
  type ConvOptions,
  DepthwiseConv2D,
  type DepthwiseConvOptions,
} from './convLayers.js'
export { Embedding, type EmbeddingOptions } from './embedding.js'
export type { KernelOptions, RegularizerName } from './kernel.js'
export { type Built, Layer, type LayerOptions } from './layer.js'
export {
  BatchNormalization,
  type BatchNormalizationOptions,
  GroupNormalization,
  type GroupNormalizationOptions,
  LayerNormalization,
  type NormalizationOptions,
} from './normLayers.js'
export {
  AveragePooling1D,
  AveragePooling2D,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  MaxPooling1D,
  MaxPooling2D,
  type PoolingOptions,
} from './poolLayers.js'

/** Settings of `Dense`. */
export interface DenseOptions extends KernelOptions {
  /** Outputs, a whole number from 1. */
  units: number
}

/** activation(x·kernel + bias) for x [batch, inputs]: kernel [inputs, units], bias [units]. */
export class Dense extends Layer {
  /** As they were given. */
  readonly options: DenseOptions

  /**
   * A dense layer.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: DenseOptions) {
    const options = optionsOf('Dense', given, { ...KERNEL_OPTIONS, units: true })
    super(options, options.activation ?? 'linear')
    checkNumber('Dense', 'units', options.units, (n) => Number.isInteger(n) && n >= 1, '>= 1')
    checkKernel('Dense', options)
    this.options = options
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const { units } = this.options
    if (inputShape.length !== 1) {
      throw new ShapeError(
        `Dense: expected inputs of one axis, got shape [${inputShape}]; put a Flatten before it`,
      )
    }
    return withKernel(
      'Dense',
      this.options,
      [units],
      (weights) => new Linear(inputShape[0], units, weights),
    )
  }
}

/** An activation as a layer of its own. */
export class Activation extends Layer {
  /**
   * An activation by name.
   * @throws ArgumentError for another name or options that do not exist
   */
  constructor(activation: ActivationName, options: LayerOptions = {}) {
    super(optionsOf('Activation', options, LAYER_OPTIONS), activation)
    activationOf('Activation', activation)
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const make = activationOf('Activation', this.activation!)
    return { modules: make ? [make()] : [], outputShape: inputShape }
  }
}

/** max(0, x) as a layer of its own. */
export class ReLU extends Activation {
  /**
   * The activation.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super('relu', options)
  }
}

/** Softmax as a layer of its own. */
export class Softmax extends Activation {
  /**
   * The activation.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super('softmax', options)
  }
}

/** Settings of `Reshape`. */
export interface ReshapeOptions extends LayerOptions {
  /** Shape of one example. */
  targetShape: Shape
}

/** Each example in another shape. */
export class Reshape extends Layer {
  /** Shape of one example. */
  readonly targetShape: Shape

  /**
   * A reshaping layer.
   * @throws ArgumentError for options that do not exist, ShapeError for what is no shape
   */
  constructor(given: ReshapeOptions) {
    const options = optionsOf('Reshape', given, { ...LAYER_OPTIONS, targetShape: true })
    super(options)
    this.targetShape = checkShape('Reshape', options.targetShape)
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const { targetShape } = this
    if (sizeOf(inputShape) !== sizeOf(targetShape)) {
      throw new ShapeError(
        `Reshape: expected inputs of ${sizeOf(targetShape)} elements for shape [${targetShape}], got shape [${inputShape}]`,
      )
    }
    return { modules: [new ReshapeModule(targetShape)], outputShape: targetShape }
  }
}

/** Settings of `Dropout`. */
export interface DropoutOptions extends LayerOptions {
  /** Probability of dropping, from 0 to below 1. */
  rate: number
}

/** Drops inputs while training; see the library's `Dropout`. */
export class Dropout extends Layer {
  /** Probability of dropping. */
  readonly rate: number

  /**
   * A dropout layer.
   * @throws ArgumentError for options that do not exist or a rate out of range
   */
  constructor(given: DropoutOptions) {
    const options = optionsOf('Dropout', given, { ...LAYER_OPTIONS, rate: true })
    super(options)
    const { rate } = options
    checkNumber('Dropout', 'a rate', rate, (rate) => rate >= 0 && rate < 1, 'from 0 to below 1')
    this.rate = rate
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    return { modules: [new DropoutModule(this.rate)], outputShape: inputShape }
  }
}

/** Each example as one row. */
export class Flatten extends Layer {
  /**
   * A flattening layer.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options: LayerOptions = {}) {
    super(optionsOf('Flatten', options, LAYER_OPTIONS))
  }

  build(given: Shape): Built {
    const outputShape = [sizeOf(checkShape('build', given))]
    return { modules: [new ReshapeModule(outputShape)], outputShape }
  }
}
