/** Optimizers as Keras names them: settings, from which a model makes the library's own. */

import {
  ArgumentError,
  type Optimizer as EngineOptimizer,
  SGD as EngineSGD,
  type Parameter,
  type Regularizer,
} from '../../index.js'
import { AdamHat, refuseUnknown } from '../../internal.js'
import { named } from './names.js'

type Groups = { parameters: Parameter[]; regularizer?: Regularizer }[]

/** Base of the optimizers. */
export abstract class Optimizer {
  #learningRate: number
  #engine: EngineOptimizer | undefined

  /**
   * An optimizer with a learning rate.
   * @throws ArgumentError when it is below 0
   */
  constructor(learningRate: number) {
    this.#learningRate = learningRate
    this.learningRate = learningRate
  }

  /** The learning rate, >= 0. */
  get learningRate(): number {
    return this.#learningRate
  }

  /**
   * Takes effect with the next step.
   * @throws ArgumentError when it is below 0
   */
  set learningRate(lr: number) {
    if (!(lr >= 0 && lr < Infinity)) {
      throw new ArgumentError(`optimizer: expected learningRate >= 0, got ${lr}`)
    }
    this.#learningRate = lr
    for (const group of this.#engine?.groups ?? []) group.lr = lr
  }

  /**
   * The library's optimizer for these parameters.
   * @internal
   */
  build(groups: Groups): EngineOptimizer {
    this.#engine = this.make(groups)
    return this.#engine
  }

  protected abstract make(groups: Groups): EngineOptimizer
}

/** Settings of `SGD`. */
export interface SGDOptions {
  /** 0.01 by default. */
  learningRate?: number
  /** From 0 to below 1; 0 by default. The velocity holds gradients, as in PyTorch, not steps. */
  momentum?: number
  /** Looks ahead along the momentum; false by default. */
  nesterov?: boolean
}

/** Stochastic gradient descent, plain or with momentum. */
export class SGD extends Optimizer {
  /**
   * SGD with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(
    /** As they were given. */
    readonly options: SGDOptions = {},
  ) {
    refuseUnknown('SGD', options, ['learningRate', 'momentum', 'nesterov'])
    super(options.learningRate ?? 0.01)
  }

  protected make(groups: Groups): EngineOptimizer {
    const { momentum = 0, nesterov = false } = this.options
    return new EngineSGD(groups, { lr: this.learningRate, momentum, nesterov })
  }
}

/** Settings of `Adam`. */
export interface AdamOptions {
  /** 0.001 by default. */
  learningRate?: number
  /** 0.9 by default. */
  beta1?: number
  /** 0.999 by default. */
  beta2?: number
  /** Keras's ε̂; 1e-7 by default. */
  epsilon?: number
}

/** Adam with ε̂, as Keras computes it (the end of section 2 of Kingma and Ba 2015). */
export class Adam extends Optimizer {
  /**
   * Adam with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(
    /** As they were given. */
    readonly options: AdamOptions = {},
  ) {
    refuseUnknown('Adam', options, ['learningRate', 'beta1', 'beta2', 'epsilon'])
    super(options.learningRate ?? 0.001)
  }

  protected make(groups: Groups): EngineOptimizer {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = this.options
    return new AdamHat(groups, { lr: this.learningRate, beta1, beta2, epsilon })
  }
}

const byName = { sgd: () => new SGD(), adam: () => new Adam() }
/**
 * Optimizers by name, with their default settings.
 *
 * @useDeclaredType
 */
export type OptimizerName = keyof typeof byName

/** The optimizer of that name, or the one that is given. */
export function get(given: OptimizerName | Optimizer): Optimizer {
  if (given instanceof Optimizer) return given
  return named<() => Optimizer>('compile: optimizer', given, byName)()
}
