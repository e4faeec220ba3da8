import type { serialization } from '@tensorflow/tfjs-core'
import { ArgumentError, Module, type Regularizer, type Tensor } from '../../index.js'

/** What stands for a layer of tf.layers. */
export interface Converted {
  /** Of as many tensors as the layer takes. */
  module: Module<Tensor[]>
  /** What follows it in the same layer. */
  activation?: Module
  /** In the order of the layer's own. */
  weights: readonly Tensor[]
  /** The regularizers of each weight that has some. */
  penalties: ReadonlyMap<Tensor, readonly Regularizer[]>
}

/** A layer in its place. */
export interface Step extends Converted {
  /** The layer's name. */
  layer: string
  /** The steps whose results it takes, counted from 1; 0 is the input. */
  from: readonly number[]
}

/** A model as tf.layers describes it. */
export interface Topology {
  isSequential: boolean
  config: serialization.ConfigDict
}

/** Parameters with the regularizers that all of them have. */
export interface RegularizedGroup {
  /** What an optimizer moves. */
  parameters: readonly Tensor[]
  /** Absent where there are none. */
  regularizer?: readonly Regularizer[]
}

/**
 * What `fromLayersModel` makes: the layers of a model of tf.layers as modules, from one input to one output.
 */
export class LayersNetwork extends Module {
  /** By the layers' names; a nested model is a network of its own. */
  readonly layers: ReadonlyMap<string, Module<Tensor[]>>
  /** @internal */
  readonly topology: Topology
  readonly #steps: readonly Step[]

  /** @internal */
  constructor(topology: Topology, steps: readonly Step[]) {
    super()
    const layers = new Map<string, Module<Tensor[]>>()
    for (const { layer, module } of steps) {
      if ((layers.get(layer) ?? module) !== module) {
        throw new ArgumentError(
          `fromLayersModel: expected each layer to have a name of its own, got two of ${layer}`,
        )
      }
      layers.set(layer, module)
    }
    this.layers = layers
    this.topology = topology
    this.#steps = steps
  }

  /** Of inputs [batch, …], as the model has them. */
  forward(x: Tensor): Tensor {
    const results = [x]
    for (const { module, activation, from } of this.#steps) {
      const y = module.forward(...from.map((step) => results[step]))
      results.push(activation ? activation.forward(y) : y)
    }
    return results.at(-1)!
  }

  /**
   * The parameters in groups by their layers' `kernelRegularizer` and the like, for an optimizer: with the
   * plain `parameters()` weights are not regularized. L1 has its proximal step here, see `l1`.
   * @example new SGD(network.groups(), { lr: 0.01 })
   */
  groups(): RegularizedGroup[] {
    const penalties = this.#penalties()
    const others = this.parameters().filter((parameter) => !penalties.has(parameter))
    const regularized = [...penalties].map(([weight, regularizer]) => {
      return { parameters: [weight], regularizer }
    })
    return [{ parameters: others }, ...regularized]
  }

  #penalties(): Map<Tensor, readonly Regularizer[]> {
    return new Map(
      this.#steps.flatMap(({ module, penalties }) => [
        ...(module instanceof LayersNetwork ? module.#penalties() : penalties),
      ]),
    )
  }
}
