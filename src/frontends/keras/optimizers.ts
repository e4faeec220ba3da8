/** Optimizers as Keras names them: settings, from which a model makes the library's own. */

import { type Optimizer as EngineOptimizer, SGD as EngineSGD } from '../../index.js'
import { checkFlag, checkNumber, optionsOf } from '../../internal.js'
import { Adadelta, Adagrad, Lion, RMSprop } from './adaptive.js'
import { Adam, AdamW, Nadam } from './moments.js'
import { named } from './names.js'
import type { ParameterGroup } from './network.js'
import { isKerasOptimizer, type Optimizer, VelocityOptimizer } from './optimizer.js'

export { Adadelta, Adagrad, Lion, RMSprop } from './adaptive.js'
export { Adam, AdamW, Nadam } from './moments.js'
export { Optimizer } from './optimizer.js'

/** Settings of `SGD`. */
export interface SGDOptions {
  /** 0.01 by default. */
  learningRate?: number
  /** From 0 to 1; 0 by default. The velocity holds steps, each of the learning rate that it was made with. */
  momentum?: number
  /** Looks ahead along the momentum; false by default. */
  nesterov?: boolean
}

/**
 * Stochastic gradient descent, plain or with momentum: v ← momentum·v - learningRate·gradient, θ ← θ + v,
 * so that a new learning rate leaves what the velocity holds as it is.
 */
export class SGD extends VelocityOptimizer {
  /** As they were given. */
  readonly options: SGDOptions

  /**
   * SGD with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: SGDOptions = {}) {
    const known = { learningRate: true, momentum: true, nesterov: true } as const
    const options = optionsOf('SGD', given, known)
    const { learningRate = 0.01, momentum = 0, nesterov = false } = options
    super(learningRate)
    checkNumber('SGD', 'momentum', momentum, (value) => value >= 0 && value <= 1, 'from 0 to 1')
    checkFlag('SGD', 'nesterov', nesterov)
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { momentum = 0, nesterov = false } = this.options
    if (momentum === 0) return new EngineSGD(groups, { lr: () => this.learningRate })
    const lr = () => this.velocityRate()
    return this.watch(new EngineSGD(groups, { lr, momentum, nesterov }))
  }
}

const byName = {
  sgd: () => new SGD(),
  rmsprop: () => new RMSprop(),
  adam: () => new Adam(),
  adamw: () => new AdamW(),
  adadelta: () => new Adadelta(),
  adagrad: () => new Adagrad(),
  nadam: () => new Nadam(),
  lion: () => new Lion(),
}
/**
 * Optimizers by name, with their default settings.
 *
 * @useDeclaredType
 */
export type OptimizerName = keyof typeof byName

/** The optimizer of that name, or the one that is given. */
export function get(given: OptimizerName | Optimizer): Optimizer {
  if (isKerasOptimizer(given)) return given
  return named<() => Optimizer>('compile: optimizer', given as OptimizerName, byName)()
}
