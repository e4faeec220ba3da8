/** Optimizers as Keras names them: settings, from which a model makes the library's own. */

import { type Optimizer as EngineOptimizer, SGD as EngineSGD } from '../../index.js'
import { AdamHat, checkFlag, checkNumber, isBranded, optionsOf } from '../../internal.js'
import { named } from './names.js'
import type { ParameterGroup } from './network.js'

const BRAND = Symbol.for('neuroblas.keras.Optimizer')

const atLeast0 = (value: number) => value >= 0 && value < Infinity
const below1 = (value: number) => value >= 0 && value < 1

/** Base of the optimizers. Each model that is compiled with one has a state of its own. */
export abstract class Optimizer {
  #learningRate: number

  /**
   * An optimizer with a learning rate.
   * @throws ArgumentError when it is below 0
   */
  constructor(learningRate: number) {
    this.#learningRate = learningRate
    this.learningRate = learningRate
  }

  /**
   * What `get` asks for.
   * @internal
   */
  get [BRAND](): boolean {
    return #learningRate in this
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
    checkNumber('optimizer', 'learningRate', lr, atLeast0, '>= 0')
    const before = this.#learningRate
    this.#learningRate = lr
    if (lr !== before) this.rateChanged(before)
  }

  /**
   * The library's optimizer for these parameters.
   * @internal
   */
  abstract build(groups: ParameterGroup[]): EngineOptimizer

  /**
   * Frees what one that was built keeps.
   * @internal
   */
  free(engine: EngineOptimizer): void {
    engine.dispose()
  }

  /** Told when the learning rate is another one. */
  protected rateChanged(_before: number): void {}
}

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
export class SGD extends Optimizer {
  /** As they were given. */
  readonly options: SGDOptions
  #engines: WeakRef<EngineSGD>[] = []

  /**
   * SGD with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: SGDOptions = {}) {
    const known = { learningRate: true, momentum: true, nesterov: true } as const
    const options = optionsOf('SGD', given, known)
    super(options.learningRate ?? 0.01)
    const { momentum = 0, nesterov = false } = options
    checkNumber('SGD', 'momentum', momentum, (value) => value >= 0 && value <= 1, 'from 0 to 1')
    checkFlag('SGD', 'nesterov', nesterov)
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineSGD {
    const { momentum = 0, nesterov = false } = this.options
    if (momentum === 0) return new EngineSGD(groups, { lr: () => this.learningRate })
    const lr = () => velocityRate(this.learningRate)
    const engine = new EngineSGD(groups, { lr, momentum, nesterov })
    this.#engines = [...this.#engines.filter((old) => old.deref()), new WeakRef(engine)]
    return engine
  }

  /** @internal */
  override free(engine: EngineOptimizer): void {
    this.#engines = this.#engines.filter((built) => built.deref() !== engine)
    super.free(engine)
  }

  /** The engine's velocity is that of gradients, -v / learningRate: v stays. */
  protected override rateChanged(before: number): void {
    const factor = velocityRate(before) / velocityRate(this.learningRate)
    for (const engine of this.#engines) {
      const state = engine.deref()?.stateDict()
      if (state === undefined) continue
      const tensors = new Map(
        [...state.tensors].map(([name, { shape, data }]) => [
          name,
          { shape, data: data.map((value) => value * factor) },
        ]),
      )
      engine.deref()!.loadStateDict({ ...state, tensors })
    }
  }
}

/** What the velocity is divided by: at a rate of 0 it is kept, and gradients count for nothing. */
function velocityRate(learningRate: number): number {
  return Math.max(learningRate, 1e-20)
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
  /** As they were given. */
  readonly options: AdamOptions

  /**
   * Adam with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: AdamOptions = {}) {
    const known = { learningRate: true, beta1: true, beta2: true, epsilon: true } as const
    const options = optionsOf('Adam', given, known)
    super(options.learningRate ?? 0.001)
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options
    checkNumber('Adam', 'beta1', beta1, below1, 'from 0 to below 1')
    checkNumber('Adam', 'beta2', beta2, below1, 'from 0 to below 1')
    checkNumber('Adam', 'epsilon', epsilon, (value) => value > 0 && value < Infinity, '> 0')
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = this.options
    return new AdamHat(groups, { lr: () => this.learningRate, beta1, beta2, epsilon })
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
  if (isBranded(given, BRAND)) return given as Optimizer
  return named<() => Optimizer>('compile: optimizer', given as OptimizerName, byName)()
}
