/** Layers as Keras names them. Each is a description, from which a model builds its modules. */

import {
  Dropout as DropoutModule,
  type init,
  Linear,
  l1,
  l2,
  Module,
  type Regularizer,
  type Shape,
  ShapeError,
  type Tensor,
} from '../../index.js'
import { checkFlag, checkNumber, checkShape, optionsOf } from '../../internal.js'
import { type ActivationName, activations } from './activations.js'
import { type InitializerName, initializers } from './initializers.js'
import { type Built, LAYER_OPTIONS, Layer, type LayerOptions } from './layer.js'
import { named } from './names.js'

export type { ActivationName } from './activations.js'
export { type Built, Layer, type LayerOptions } from './layer.js'

// Keras's strengths for those that are given by name.
const regularizers = { l1: l1(0.01), l2: l2(0.01) } satisfies Record<string, Regularizer>
/**
 * Regularizers by name, of strength 0.01 as in Keras.
 *
 * @useDeclaredType
 */
export type RegularizerName = keyof typeof regularizers

/** Settings of `Dense`. */
export interface DenseOptions extends LayerOptions {
  /** Outputs, a whole number from 1. */
  units: number
  /** 'linear' by default. */
  activation?: ActivationName
  /** Whether there is a bias; true by default. */
  useBias?: boolean
  /** By name, or any initializer of the library; 'glorotUniform' by default. */
  kernelInitializer?: InitializerName | init.Initializer
  /** 'l1' or 'l2' (of 0.01), or any regularizer of the library. */
  kernelRegularizer?: RegularizerName | Regularizer
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
    const options = optionsOf('Dense', given, {
      ...LAYER_OPTIONS,
      units: true,
      activation: true,
      useBias: true,
      kernelInitializer: true,
      kernelRegularizer: true,
    })
    super(options, options.activation ?? 'linear')
    checkNumber('Dense', 'units', options.units, (n) => Number.isInteger(n) && n >= 1, '>= 1')
    named('Dense: activation', options.activation ?? 'linear', activations)
    checkFlag('Dense', 'useBias', options.useBias ?? true)
    initializerOf(options)
    regularizerOf(options)
    this.options = options
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const { units, activation = 'linear', useBias: bias = true } = this.options
    if (inputShape.length !== 1) {
      throw new ShapeError(
        `Dense: expected inputs of one axis, got shape [${inputShape}]; put a Flatten before it`,
      )
    }
    const init = initializerOf(this.options)
    const regularizer = regularizerOf(this.options)
    const after = activations[activation]
    return {
      modules: [new Linear(inputShape[0], units, { init, bias }), ...(after ? [after()] : [])],
      outputShape: [units],
      ...(regularizer && { regularizer }),
    }
  }
}

function initializerOf({ kernelInitializer = 'glorotUniform' }: DenseOptions): init.Initializer {
  if (typeof kernelInitializer === 'function') return kernelInitializer
  return named<init.Initializer>('Dense: kernelInitializer', kernelInitializer, initializers)
}

function regularizerOf({ kernelRegularizer }: DenseOptions): Regularizer | undefined {
  if (kernelRegularizer === undefined) return undefined
  if (typeof (kernelRegularizer as Regularizer)?.penalty === 'function') {
    return kernelRegularizer as Regularizer
  }
  return named<Regularizer>(
    'Dense: kernelRegularizer',
    kernelRegularizer as RegularizerName,
    regularizers,
  )
}

/** An activation as a layer of its own. */
export class Activation extends Layer {
  /**
   * An activation by name.
   * @throws ArgumentError for another name or options that do not exist
   */
  constructor(activation: ActivationName, options: LayerOptions = {}) {
    super(optionsOf('Activation', options, LAYER_OPTIONS), activation)
    named('Activation', activation, activations)
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    const make = activations[this.activation!]
    return { modules: make ? [make()] : [], outputShape: inputShape }
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

class FlattenModule extends Module {
  forward(x: Tensor): Tensor {
    return x.reshape([x.shape[0], -1])
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
    const inputShape = checkShape('build', given)
    return {
      modules: [new FlattenModule()],
      outputShape: [inputShape.reduce((product, extent) => product * extent, 1)],
    }
  }
}
