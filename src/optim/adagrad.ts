/** Adagrad (Duchi et al. 2011), in one pass over each parameter. */
import { checkNumber } from '../base/arguments.js'
import { above0, atLeast0 } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of `Adagrad`. */
export interface AdagradSettings extends GroupSettings {
  /** The learning rate of step t, from 0, is lr / (1 + t·lrDecay); >= 0, 0 by default. */
  lrDecay?: number
  /** What the sum of squares begins with, >= 0; 0 by default. It is added when the root is taken. */
  initialAccumulatorValue?: number
  /** Keeps the step finite where gradients are tiny, > 0; 1e-10 by default. */
  epsilon?: number
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
}

/**
 * Adagrad (Duchi et al. 2011): s ← s + g², θ ← θ - lr·g / (√(initialAccumulatorValue + s) + ε) for
 * g = ∇ + weightDecay·θ + 2·l2·θ; then a soft threshold by lr·l1.
 * @throws ArgumentError when a setting is out of range
 */
export class Adagrad extends Optimizer<AdagradSettings> {
  protected override readonly kept = { sum: new ParameterState() }

  protected override knownSettings(): Record<keyof AdagradSettings, true> {
    return {
      lr: true,
      lrDecay: true,
      initialAccumulatorValue: true,
      epsilon: true,
      weightDecay: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: AdagradSettings): void {
    super.check(group)
    const { lrDecay = 0, initialAccumulatorValue = 0, epsilon = 1e-10, weightDecay = 0 } = group
    for (const [name, value] of Object.entries({ lrDecay, initialAccumulatorValue, weightDecay })) {
      checkNumber('Adagrad', name, value, atLeast0, '>= 0')
    }
    checkNumber('Adagrad', 'epsilon', epsilon, above0, '> 0')
  }

  /** What is added to the sum, and to its root. */
  protected epsilonsOf(group: AdagradSettings): [inner: number, outer: number] {
    return [group.initialAccumulatorValue ?? 0, group.epsilon ?? 1e-10]
  }

  protected override settings(group: AdagradSettings): number[] {
    const { lrDecay = 0, weightDecay = 0 } = group
    const lr = this.lrOf(group) / (1 + this.steps * lrDecay)
    return [lr, ...this.epsilonsOf(group), weightDecay]
  }

  protected override update(group: Group<AdagradSettings>): void {
    this.stepEach('adagrad', group, [this.kept.sum])
  }
}
