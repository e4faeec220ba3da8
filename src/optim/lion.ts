/** Lion (Chen et al. 2023), in one pass over each parameter. */
import { checkNumber } from '../base/arguments.js'
import { atLeast0, checkDecays } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of `Lion`. */
export interface LionSettings extends GroupSettings {
  /** How much of the mean of the gradients is in the step, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** Decay of that mean, from 0 to below 1; 0.99 by default. */
  beta2?: number
  /** Each step takes lr·weightDecay·w off the weights, of biases too; >= 0, 0 by default. */
  weightDecay?: number
}

/**
 * Lion (Chen et al. 2023): θ ← (1 - lr·weightDecay)·θ - lr·sign(β₁m + (1 - β₁)g), m ← β₂m + (1 - β₂)g for
 * g = ∇ + 2·l2·θ; then a soft threshold by lr·l1. Each weight moves by lr, so that lr is a third to a tenth
 * of Adam's.
 * @throws ArgumentError when a setting is out of range
 */
export class Lion extends Optimizer<LionSettings> {
  protected override readonly kept = { mean: new ParameterState() }

  protected override knownSettings(): Record<keyof LionSettings, true> {
    return {
      lr: true,
      beta1: true,
      beta2: true,
      weightDecay: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: LionSettings): void {
    super.check(group)
    const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = group
    checkDecays('Lion', { beta1, beta2 })
    checkNumber('Lion', 'weightDecay', weightDecay, atLeast0, '>= 0')
  }

  protected override settings(group: LionSettings): number[] {
    const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = group
    const lr = this.lrOf(group)
    return [lr, 1 - beta1, 1 - beta2, 1 - lr * weightDecay]
  }

  protected override update(group: Group<LionSettings>): void {
    this.stepEach('lion', group, [this.kept.mean])
  }
}
