/** What all layers have in common: a description, from which a model builds its modules. */

import {
  ArgumentError,
  type Module,
  type Regularizer,
  type Shape,
  ShapeError,
} from '../../index.js'
import { excerpt, spelled } from '../../internal.js'
import type { ActivationName } from './activations.js'

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

/** Their names; each layer allows these beside its own. */
export const LAYER_OPTIONS: Record<keyof LayerOptions, true> = {
  inputShape: true,
  name: true,
  trainable: true,
}

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
      throw new ArgumentError(`trainable: expected true or false, got ${spelled(trainable)}`)
    }
    this.#trainable = trainable
    if (this.#built) setTrainable(this.#built.part, trainable)
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
    setTrainable(part, this.#trainable)
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

function setTrainable({ modules }: Built, trainable: boolean): void {
  for (const module of modules) module.trainable = trainable
}
