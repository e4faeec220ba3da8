/** `Sequential` runs modules one after the other; `mlp` makes a multi-layer perceptron of them. */

import { noteRead } from '../backend/record.js'
import { isKeyOf, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError, spelled } from '../base/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { ReLU, Sigmoid, Tanh } from './activations.js'
import { Dropout } from './dropout.js'
import { Linear, type LinearOptions } from './linear.js'
import { checkModule, Module } from './module.js'

/** Feeds each layer's outputs to the next. */
export class Sequential<Layers extends readonly Module[] = readonly Module[]> extends Module {
  /** The modules, first to last. */
  readonly layers: Layers

  /**
   * A network of these modules, in order.
   * @throws ArgumentError for what is no module
   */
  constructor(...layers: Layers) {
    super()
    for (const layer of layers) checkModule('Sequential', layer)
    this.layers = layers
  }

  /** @throws ShapeError that names the layer which its inputs do not fit */
  forward(x: Tensor): Tensor {
    noteRead(this, 'layers', this.layers)
    return this.layers.reduce((h: Tensor, layer, i) => {
      try {
        return layer.forward(h)
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error
        const { message } = error
        const joint = message.startsWith('layers.') ? '.' : ': '
        throw new ShapeError(`layers.${i}${joint}${message}`, { cause: error })
      }
    }, x)
  }
}

/** Hidden activations that `mlp` and the command line know by name. */
export const activations = { relu: ReLU, sigmoid: Sigmoid, tanh: Tanh }
/**
 * The hidden activations that are known by name.
 *
 * @useDeclaredType
 */
export type ActivationName = keyof typeof activations

/** Settings of `mlp`. */
export interface MlpOptions extends LinearOptions {
  /** Of the hidden units; relu by default. */
  activation?: ActivationName
  /** Probability of dropping a hidden unit, from 0 to below 1; 0 by default. */
  dropout?: number
  /** Probability of dropping an input, from 0 to below 1; 0 by default. */
  inputDropout?: number
}

/** Far beyond any network; so many modules still fit the arguments of a call. */
const MOST_LAYERS = 10_000

const OPTIONS: Record<keyof MlpOptions, true> = {
  activation: true,
  dropout: true,
  inputDropout: true,
  bias: true,
  init: true,
  generator: true,
}

/**
 * A multi-layer perceptron: affine layers between the given numbers of units, the activation after
 * each but the last, whose outputs are logits.
 * @param units of each layer, from the inputs to the outputs; two numbers at least
 * @throws ArgumentError for options that do not exist or are out of range, ShapeError for units below 1
 * @example mlp([784, 256, 10], { dropout: 0.5 })
 */
export function mlp(units: readonly number[], options: MlpOptions = {}): Sequential {
  if (!Array.isArray(units))
    throw new ArgumentError(`mlp: expected an array of units, got ${excerpt(units)}`)
  const given = optionsOf('mlp', options, OPTIONS)
  const { activation = 'relu', dropout = 0, inputDropout = 0, ...linear } = given
  if (units.length < 2 || units.length > MOST_LAYERS) {
    throw new ArgumentError(
      `mlp: expected units of 2 to ${MOST_LAYERS} layers, inputs and outputs included, got ${excerpt(units)}`,
    )
  }
  if (!isKeyOf(activations, activation)) {
    const known = Object.keys(activations).join(', ')
    throw new ArgumentError(`mlp: expected an activation of ${known}, got ${spelled(activation)}`)
  }
  return new Sequential(
    ...dropping(inputDropout, linear),
    ...perceptron(units, activation, dropout, linear),
  )
}

/**
 * The layers of a perceptron.
 * @internal
 */
export function perceptron(
  units: readonly number[],
  activation: ActivationName,
  dropout: number,
  linear: LinearOptions,
): Module[] {
  const layers: Module[] = []
  for (let i = 1; i < units.length; i++) {
    if (i > 1) layers.push(new activations[activation](), ...dropping(dropout, linear))
    layers.push(new Linear(units[i - 1], units[i], linear))
  }
  return layers
}

const dropping = (p: number, { generator }: LinearOptions) =>
  p === 0 ? [] : [new Dropout(p, generator?.fork())]
