/** Optimizers of Keras's that scale the gradient of each weight, or take its sign. */

import {
  Adadelta as EngineAdadelta,
  Lion as EngineLion,
  type Optimizer as EngineOptimizer,
} from '../../index.js'
import {
  AdagradInside,
  above0,
  atLeast0,
  checkDecays,
  checkFlag,
  checkNumber,
  optionsOf,
  RMSpropInside,
} from '../../internal.js'
import type { ParameterGroup } from './network.js'
import { Optimizer, VelocityOptimizer } from './optimizer.js'

/** Settings of `RMSprop`. */
export interface RMSpropOptions {
  /** 0.001 by default. */
  learningRate?: number
  /** Decay of the mean of squared gradients, from 0 to below 1; 0.9 by default. */
  rho?: number
  /** From 0 to 1; 0 by default. The velocity holds steps, each of the learning rate that it was made with. */
  momentum?: number
  /** Added inside the root, > 0; 1e-7 by default. */
  epsilon?: number
  /** Divides by the deviation from the mean gradient; false by default. */
  centered?: boolean
}

/** RMSprop (Tieleman and Hinton 2012), as Keras computes it. */
export class RMSprop extends VelocityOptimizer {
  /** As they were given. */
  readonly options: RMSpropOptions

  /**
   * RMSprop with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: RMSpropOptions = {}) {
    const known = {
      learningRate: true,
      rho: true,
      momentum: true,
      epsilon: true,
      centered: true,
    } as const
    const options = optionsOf('RMSprop', given, known)
    super(options.learningRate)
    const { rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = options
    checkDecays('RMSprop', { rho })
    checkNumber('RMSprop', 'momentum', momentum, (v) => v >= 0 && v <= 1, 'from 0 to 1')
    checkNumber('RMSprop', 'epsilon', epsilon, above0, '> 0')
    checkFlag('RMSprop', 'centered', centered)
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { rho: decay = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = this.options
    const settings = { decay, momentum, epsilon, centered }
    if (momentum === 0) {
      return new RMSpropInside(groups, { lr: () => this.learningRate, ...settings })
    }
    return this.watch(new RMSpropInside(groups, { lr: () => this.velocityRate(), ...settings }))
  }
}

/** Settings of `Adagrad`. */
export interface AdagradOptions {
  /** 0.001 by default. */
  learningRate?: number
  /** What the sums of squares begin with, >= 0; 0.1 by default. */
  initialAccumulatorValue?: number
  /** Added inside the root, > 0; 1e-7 by default. */
  epsilon?: number
}

/** Adagrad (Duchi et al. 2011), as Keras computes it. */
export class Adagrad extends Optimizer {
  /** As they were given. */
  readonly options: AdagradOptions

  /**
   * Adagrad with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: AdagradOptions = {}) {
    const known = { learningRate: true, initialAccumulatorValue: true, epsilon: true } as const
    const options = optionsOf('Adagrad', given, known)
    super(options.learningRate)
    const { initialAccumulatorValue = 0.1, epsilon = 1e-7 } = options
    checkNumber('Adagrad', 'initialAccumulatorValue', initialAccumulatorValue, atLeast0, '>= 0')
    checkNumber('Adagrad', 'epsilon', epsilon, above0, '> 0')
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { initialAccumulatorValue = 0.1, epsilon = 1e-7 } = this.options
    const lr = () => this.learningRate
    return new AdagradInside(groups, { lr, initialAccumulatorValue, epsilon })
  }
}

/** Settings of `Adadelta`. */
export interface AdadeltaOptions {
  /** 0.001 by default. Zeiler's is 1. */
  learningRate?: number
  /** Decay of the means of squares, from 0 to below 1; 0.95 by default. */
  rho?: number
  /** > 0; 1e-7 by default. */
  epsilon?: number
}

/** Adadelta (Zeiler 2012). */
export class Adadelta extends Optimizer {
  /** As they were given. */
  readonly options: AdadeltaOptions

  /**
   * Adadelta with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: AdadeltaOptions = {}) {
    const options = optionsOf('Adadelta', given, { learningRate: true, rho: true, epsilon: true })
    super(options.learningRate)
    const { rho = 0.95, epsilon = 1e-7 } = options
    checkDecays('Adadelta', { rho })
    checkNumber('Adadelta', 'epsilon', epsilon, above0, '> 0')
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { rho: decay = 0.95, epsilon = 1e-7 } = this.options
    return new EngineAdadelta(groups, { lr: () => this.learningRate, decay, epsilon })
  }
}

/** Settings of `Lion`. */
export interface LionOptions {
  /** 0.001 by default. */
  learningRate?: number
  /** 0.9 by default. */
  beta1?: number
  /** 0.99 by default. */
  beta2?: number
}

/** Lion (Chen et al. 2023). */
export class Lion extends Optimizer {
  /** As they were given. */
  readonly options: LionOptions

  /**
   * Lion with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: LionOptions = {}) {
    const options = optionsOf('Lion', given, { learningRate: true, beta1: true, beta2: true })
    super(options.learningRate)
    const { beta1 = 0.9, beta2 = 0.99 } = options
    checkDecays('Lion', { beta1, beta2 })
    this.options = options
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { beta1 = 0.9, beta2 = 0.99 } = this.options
    return new EngineLion(groups, { lr: () => this.learningRate, beta1, beta2 })
  }
}
