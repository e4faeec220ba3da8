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
export const activations = {
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

/**
 * Activations by name, also in snake_case: `linear`, which is none, `relu`, `sigmoid`, `tanh`, `softmax`, `logSoftmax`,
 * `elu`, `selu`, `gelu`, `silu` or `swish`, `mish`, `softplus`, `softsign`, `leakyRelu` (with Keras's slope 0.2), `hardTanh`.
 *
 * @useDeclaredType
 */
export type ActivationName = Named<keyof typeof activations>

/**
 * What makes an activation, undefined of `linear`.
 * @throws ArgumentError for another name
 */
export function activationOf(what: string, name: ActivationName): (() => Module) | undefined {
  return named<(() => Module) | undefined>(what, name, activations)
}
