/** Optimizers of Keras's that keep means of gradients and of their squares. */

import { NAdam as EngineNAdam, type Optimizer as EngineOptimizer } from '../../index.js'
import {
  AdamHat,
  AdamWHat,
  above0,
  atLeast0,
  checkDecays,
  checkFlag,
  checkNumber,
  optionsOf,
} from '../../internal.js'
import type { ParameterGroup } from './network.js'
import { Optimizer } from './optimizer.js'

/** Settings that these optimizers have. */
export interface MomentOptions {
  /** 0.001 by default. */
  learningRate?: number
  /** 0.9 by default. */
  beta1?: number
  /** 0.999 by default. */
  beta2?: number
  /** 1e-7 by default; Keras's ε̂ but for Nadam. */
  epsilon?: number
}

const MOMENTS = { learningRate: true, beta1: true, beta2: true, epsilon: true } as const

/** Base of these optimizers. */
export abstract class MomentOptimizer<Options extends MomentOptions> extends Optimizer {
  /** As they were given. */
  readonly options: Options

  protected constructor(name: string, options: Options) {
    super(options.learningRate)
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options
    checkDecays(name, { beta1, beta2 })
    checkNumber(name, 'epsilon', epsilon, above0, '> 0')
    this.options = options
  }

  /** What the engine's optimizers take. */
  protected get settings() {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = this.options
    return { lr: () => this.learningRate, beta1, beta2, epsilon }
  }
}

/** Settings of `Adam`. */
export interface AdamOptions extends MomentOptions {
  /** Divides by the largest mean of squares so far; false by default. */
  amsgrad?: boolean
}

/** Adam with ε̂, as Keras computes it (the end of section 2 of Kingma and Ba 2015). */
export class Adam extends MomentOptimizer<AdamOptions> {
  /**
   * Adam with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: AdamOptions = {}) {
    super('Adam', optionsOf('Adam', given, { ...MOMENTS, amsgrad: true }))
    checkFlag('Adam', 'amsgrad', this.options.amsgrad ?? false)
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    return new AdamHat(groups, { ...this.settings, amsgrad: this.options.amsgrad ?? false })
  }
}

/** Settings of `AdamW`. */
export interface AdamWOptions extends AdamOptions {
  /** Each step takes learningRate·weightDecay of the weights off them, of biases too; 0.004 by default. */
  weightDecay?: number
}

/** Adam with weights that decay by themselves (Loshchilov and Hutter 2019), with ε̂ as Keras has it. */
export class AdamW extends MomentOptimizer<AdamWOptions> {
  /**
   * AdamW with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: AdamWOptions = {}) {
    super('AdamW', optionsOf('AdamW', given, { ...MOMENTS, amsgrad: true, weightDecay: true }))
    const { amsgrad = false, weightDecay = 0.004 } = this.options
    checkFlag('AdamW', 'amsgrad', amsgrad)
    checkNumber('AdamW', 'weightDecay', weightDecay, atLeast0, '>= 0')
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    const { amsgrad = false, weightDecay = 0.004 } = this.options
    return new AdamWHat(groups, { ...this.settings, amsgrad, weightDecay })
  }
}

/** Adam with Nesterov's momentum (Dozat 2016), as Keras computes it. */
export class Nadam extends MomentOptimizer<MomentOptions> {
  /**
   * Nadam with these settings.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: MomentOptions = {}) {
    super('Nadam', optionsOf('Nadam', given, MOMENTS))
  }

  /** @internal */
  build(groups: ParameterGroup[]): EngineOptimizer {
    return new EngineNAdam(groups, { ...this.settings, momentumDecay: 1 })
  }
}
