/** Activations as Keras names them. */
import {
  ELU,
  GELU,
  Hardtanh,
  LeakyReLU,
  LogSoftmax,
  Mish,
  type Module,
  ReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from '../../index.js'
import { type Named, named } from './names.js'

/** What makes each, where there is anything to compute. */
const activations = {
  linear: undefined,
  relu: () => new ReLU(),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
  softmax: () => new Softmax(),
  logSoftmax: () => new LogSoftmax(),
  elu: () => new ELU(),
  selu: () => new SELU(),
  gelu: () => new GELU(),
  silu: () => new SiLU(),
  swish: () => new SiLU(),
  mish: () => new Mish(),
  softplus: () => new Softplus(),
  softsign: () => new Softsign(),
  leakyRelu: () => new LeakyReLU(0.2),
  hardTanh: () => new Hardtanh(),
} satisfies Record<string, (() => Module) | undefined>

/** Activations by name, also in snake_case; `linear` is none, and `leakyRelu` has Keras's slope 0.2. */
export type ActivationName = Named<keyof typeof activations>

/**
 * What makes an activation, undefined of `linear`.
 * @throws ArgumentError for another name
 */
export function activationOf(what: string, name: ActivationName): (() => Module) | undefined {
  return named<(() => Module) | undefined>(what, name, activations)
}
