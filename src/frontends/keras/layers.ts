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
import { checkFlag, checkNumber, checkShape, excerpt, optionsOf } from '../../internal.js'
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
  /** Whether training changes its weights; true by default. */
  trainable?: boolean
}

const OPTIONS: Record<keyof LayerOptions, true> = { inputShape: true, name: true, trainable: true }

const BRAND = Symbol.for('neuroblas.keras.Layer')

/** Base of the layers. One that stands in several places, or models, has the same weights in all. */
export abstract class Layer {
  /** Shape of one example of its inputs, where it was given. */
  readonly inputShape: Shape | undefined
  /** What `summary` calls it, where it was given. */
  readonly name: string | undefined
  #trainable = true

  /**
   * A description of a layer.
   * @param activation what the last of its modules is, where that is one
   * @throws ShapeError for an inputShape of other than whole numbers from 1, ArgumentError for a name that
   *   is no text and a `trainable` that is no boolean
   */
  constructor(
    { inputShape, name, trainable = true }: LayerOptions,
    /** What the last of its modules is, where that is one. */
    readonly activation?: ActivationName,
  ) {
    const isExtent = (extent: unknown) => Number.isInteger(extent) && (extent as number) >= 1
    if (inputShape !== undefined && !(Array.isArray(inputShape) && inputShape.every(isExtent))) {
      throw new ShapeError(`inputShape: expected whole numbers >= 1, got ${excerpt(inputShape)}`)
    }
    if (name !== undefined && typeof name !== 'string') {
      throw new ArgumentError(`name: expected text, got ${excerpt(name)}`)
    }
    this.inputShape = inputShape
    this.name = name
    this.trainable = trainable
  }

  /** Whether training changes its weights. */
  get trainable(): boolean {
    return this.#trainable
  }

  /**
   * Takes effect with the next step, also where Keras wants `compile` to be called again.
   * @throws ArgumentError for what is no boolean
   */
  set trainable(trainable: boolean) {
    if (typeof trainable !== 'boolean') {
      throw new ArgumentError(`trainable: expected true or false, got ${String(trainable)}`)
    }
    this.#trainable = trainable
    if (this.#built) freeze(this.#built.part, !trainable)
  }

  /**
   * What `isLayer` asks for (see given.ts).
   * @internal
   */
  get [BRAND](): boolean {
    return true
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
    freeze(part, !this.#trainable)
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

function freeze({ modules }: Built, isFrozen: boolean): void {
  for (const parameter of modules.flatMap((module) => module.parameters())) {
    parameter.requiresGrad = !isFrozen
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
  constructor(given: DenseOptions) {
    const options = optionsOf('Dense', given, {
      ...OPTIONS,
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
    super(optionsOf('Activation', options, OPTIONS), activation)
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
    const options = optionsOf('Dropout', given, { ...OPTIONS, rate: true })
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
    super(optionsOf('Flatten', options, OPTIONS))
  }

  build(given: Shape): Built {
    const inputShape = checkShape('build', given)
    return {
      modules: [new FlattenModule()],
      outputShape: [inputShape.reduce((product, extent) => product * extent, 1)],
    }
  }
}
