/** Layers as Keras names them. Each is a description, from which a model builds its modules. */

import {
  ArgumentError,
  Dropout as DropoutModule,
  type init,
  Linear,
  l1,
  l2,
  Module,
  type Regularizer,
  ReLU,
  type Shape,
  ShapeError,
  Sigmoid,
  Softmax,
  Tanh,
  type Tensor,
} from '../../index.js'
import { refuseUnknown } from '../../internal.js'
import { type InitializerName, initializers } from './initializers.js'
import { named } from './names.js'

/** Activations by name; `linear` is none. */
export type ActivationName = 'linear' | 'relu' | 'sigmoid' | 'tanh' | 'softmax'

const activations: Record<ActivationName, (() => Module) | undefined> = {
  linear: undefined,
  relu: () => new ReLU(),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
  softmax: () => new Softmax(),
}

// Keras's strengths for those that are given by name.
const regularizers = { l1: l1(0.01), l2: l2(0.01) } satisfies Record<string, Regularizer>
/**
 * Regularizers by name, of strength 0.01 as in Keras.
 *
 * @useDeclaredType
 */
export type RegularizerName = keyof typeof regularizers

/** What a layer becomes when the shape of its inputs, that of one example, is known. */
export interface Built {
  /** What computes it, in order. */
  modules: Module[]
  /** Shape of one example of its outputs. */
  outputShape: Shape
  /** Of this layer's weights. */
  regularizer?: Regularizer
}

/** Settings of every layer. */
export interface LayerOptions {
  /** Shape of one example, for the first layer; without it, that of the first data. */
  inputShape?: Shape
  /** What `summary` calls it. */
  name?: string
}

const layerOptions = ['inputShape', 'name']

/** Base of the layers. One that stands in several places, or models, has the same weights in all. */
export abstract class Layer {
  /** Shape of one example of its inputs, where it was given. */
  readonly inputShape: Shape | undefined
  /** What `summary` calls it, where it was given. */
  readonly name: string | undefined

  /**
   * A description of a layer.
   * @param activation what the last of its modules is, where that is one
   * @throws ShapeError for an inputShape of other than whole numbers from 1
   */
  constructor(
    { inputShape, name }: LayerOptions,
    /** What the last of its modules is, where that is one. */
    readonly activation?: ActivationName,
  ) {
    if (inputShape?.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new ShapeError(`inputShape: expected whole numbers >= 1, got [${inputShape}]`)
    }
    this.inputShape = inputShape
    this.name = name
  }

  /**
   * Makes its modules, with new weights, for inputs of this shape.
   * @throws ShapeError for inputs that it cannot take
   */
  abstract build(inputShape: Shape): Built

  #built: { shape: Shape; part: Built } | undefined

  /**
   * Its modules, made at the first call.
   * @throws ShapeError as `build`, and for another shape than the one that its weights were made for
   * @internal
   */
  partFor(shape: Shape): Built {
    const built = this.#built
    if (built && built.shape.join() === shape.join()) return built.part
    if (built?.part.modules.some((module) => module.parameters().length > 0)) {
      throw new ShapeError(
        `${this.name ?? this.constructor.name}: expected inputs [${built.shape}] in every place, got [${shape}]`,
      )
    }
    const part = this.build(shape)
    this.#built = { shape, part }
    return part
  }

  /**
   * The weights are freed: it gets new ones when it is used again.
   * @internal
   */
  forget(): void {
    this.#built = undefined
  }
}

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
  constructor(options: DenseOptions) {
    refuseUnknown('Dense', options, [
      'units',
      'activation',
      'useBias',
      'kernelInitializer',
      'kernelRegularizer',
      ...layerOptions,
    ])
    super(options, options.activation ?? 'linear')
    if (!Number.isInteger(options.units) || options.units < 1) {
      throw new ArgumentError(`Dense: expected units >= 1, got ${options.units}`)
    }
    named('Dense: activation', options.activation ?? 'linear', activations)
    this.options = options
  }

  build(inputShape: Shape): Built {
    const { units, activation = 'linear', useBias: bias = true } = this.options
    const { kernelInitializer = 'glorotUniform', kernelRegularizer } = this.options
    if (inputShape.length !== 1) {
      throw new ShapeError(
        `Dense: expected inputs of one axis, got shape [${inputShape}]; put a Flatten before it`,
      )
    }
    const init =
      typeof kernelInitializer === 'string'
        ? named<init.Initializer>('Dense: kernelInitializer', kernelInitializer, initializers)
        : kernelInitializer
    const after = activations[activation]
    return {
      modules: [new Linear(inputShape[0], units, { init, bias }), ...(after ? [after()] : [])],
      outputShape: [units],
      ...(kernelRegularizer && {
        regularizer:
          typeof kernelRegularizer === 'string'
            ? named<Regularizer>('Dense: kernelRegularizer', kernelRegularizer, regularizers)
            : kernelRegularizer,
      }),
    }
  }
}

/** An activation as a layer of its own. */
export class Activation extends Layer {
  /**
   * An activation by name.
   * @throws ArgumentError for another name or options that do not exist
   */
  constructor(activation: ActivationName, options: LayerOptions = {}) {
    refuseUnknown('Activation', options, layerOptions)
    super(options, activation)
    named('Activation', activation, activations)
  }

  build(inputShape: Shape): Built {
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
  constructor(options: DropoutOptions) {
    refuseUnknown('Dropout', options, ['rate', ...layerOptions])
    super(options)
    const { rate } = options
    if (!(rate >= 0 && rate < 1)) {
      throw new ArgumentError(`Dropout: expected a rate from 0 to below 1, got ${rate}`)
    }
    this.rate = rate
  }

  build(inputShape: Shape): Built {
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
    refuseUnknown('Flatten', options, layerOptions)
    super(options)
  }

  build(inputShape: Shape): Built {
    return {
      modules: [new FlattenModule()],
      outputShape: [inputShape.reduce((product, extent) => product * extent, 1)],
    }
  }
}
