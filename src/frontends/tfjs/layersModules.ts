/** Modules that tf.layers has a layer or a name for, and this library a method. */
import { ArgumentError, GELU, Hardtanh, Module, type Tensor } from '../../index.js'
import { activations as ofKeras } from '../keras/activations.js'
import { type GivenLayer, refuse } from './layersGiven.js'

/** A function of tensors, without weights. */
export class Apply extends Module<Tensor[]> {
  readonly #function: (...inputs: Tensor[]) => Tensor

  constructor(fn: (...inputs: Tensor[]) => Tensor) {
    super()
    this.#function = fn
  }
  forward(...inputs: Tensor[]): Tensor {
    return this.#function(...inputs)
  }
}

class HardSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.mul(0.2).add(0.5).clip(0, 1)
  }
}

const activations: Readonly<Record<string, (() => Module) | undefined>> = {
  ...ofKeras,
  gelu_new: () => new GELU('tanh'),
  hardSigmoid: () => new HardSigmoid(),
  relu6: () => new Hardtanh(0, 6),
}

/** The activation that ends a layer, if it has one; without it the layer's results are logits. */
export function activationOf(layer: GivenLayer, logits: boolean): Module | undefined {
  const name = layer.kind === 'Softmax' ? 'softmax' : (layer.config.activation ?? 'linear')
  if (logits) {
    if (name === 'softmax' || name === 'sigmoid') return undefined
    throw new ArgumentError(
      `fromLayersModel: expected a softmax or sigmoid at the model's end for logits, got ${name} in ${layer.name}`,
    )
  }
  if (typeof name === 'string' && Object.hasOwn(activations, name)) return activations[name]?.()
  return refuse(layer, 'activation', `one of ${Object.keys(activations).join(', ')}`)
}
