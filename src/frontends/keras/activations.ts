/** Activations as Keras names them. */
import { type Module, ReLU, Sigmoid, Softmax, Tanh } from '../../index.js'

/** Activations by name; `linear` is none. */
export type ActivationName = 'linear' | 'relu' | 'sigmoid' | 'tanh' | 'softmax'

/** What makes each, where there is anything to compute. */
export const activations: Record<ActivationName, (() => Module) | undefined> = {
  linear: undefined,
  relu: () => new ReLU(),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
  softmax: () => new Softmax(),
}
