/** Adadelta (Zeiler 2012), in one pass over each parameter. */
import { checkNumber } from '../base/arguments.js'
import { above0, atLeast0, checkDecays } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of `Adadelta`. */
export interface AdadeltaSettings extends GroupSettings {
  /** Decay of the means of squared gradients and steps, from 0 to below 1; 0.9 by default. PyTorch's and Keras's rho. */
  decay?: number
  /** Makes the first steps possible, > 0; 1e-6 by default. */
  epsilon?: number
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
}

/**
 * Adadelta (Zeiler 2012): v ← decay·v + (1 - decay)·g², δ = √(u + ε) / √(v + ε)·g,
 * u ← decay·u + (1 - decay)·δ², θ ← θ - lr·δ for g = ∇ + weightDecay·θ + 2·l2·θ; then a soft threshold by
 * lr·l1. Zeiler's learning rate is 1.
 * @throws ArgumentError when a setting is out of range
 */
export class Adadelta extends Optimizer<AdadeltaSettings> {
  protected override readonly kept = {
    square: new ParameterState(),
    stepSquare: new ParameterState(),
  }

  protected override knownSettings(): Record<keyof AdadeltaSettings, true> {
    return {
      lr: true,
      decay: true,
      epsilon: true,
      weightDecay: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: AdadeltaSettings): void {
    super.check(group)
    const { decay = 0.9, epsilon = 1e-6, weightDecay = 0 } = group
    checkDecays('Adadelta', { decay })
    checkNumber('Adadelta', 'epsilon', epsilon, above0, '> 0')
    checkNumber('Adadelta', 'weightDecay', weightDecay, atLeast0, '>= 0')
  }

  protected override settings(group: AdadeltaSettings): number[] {
    const { decay = 0.9, epsilon = 1e-6, weightDecay = 0 } = group
    return [this.lrOf(group), 1 - decay, epsilon, weightDecay]
  }

  protected override update(group: Group<AdadeltaSettings>): void {
    const { square, stepSquare } = this.kept
    this.stepEach('adadelta', group, [square, stepSquare])
  }
}
