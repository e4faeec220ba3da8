/** What Adam, AdamW, NAdam and RAdam share: two moments for each parameter, and one kernel. */
import { checkNumber } from '../base/arguments.js'
import { above0, atLeast0, checkDecays } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of the moments of gradients. */
export interface MomentSettings extends GroupSettings {
  /** Decay of the mean of the gradients, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** Decay of the mean of their squares, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** Keeps the step finite where gradients are tiny, > 0; 1e-8 by default. */
  epsilon?: number
}

/** How the kernels step: keep·θ - (meanStep·m + gradientStep·g) / (rootScale·√v + epsilon). */
export interface MomentStep {
  meanStep: number
  gradientStep?: number
  rootScale?: number
  epsilon: number
  keep?: number
  /** The gradient gets weightDecay·θ. */
  weightDecay?: number
}

/** Names of the settings that all of them have. */
export const MOMENT_SETTINGS = {
  lr: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  weightDecay: true,
  regularizer: true,
  maxNorm: true,
} as const

/** Base of the optimizers with two moments. */
export abstract class AdamFamily<
  Settings extends MomentSettings & { weightDecay?: number },
> extends Optimizer<Settings> {
  protected override readonly kept: Readonly<Record<'mean' | 'square', ParameterState>> = {
    mean: new ParameterState(),
    square: new ParameterState(),
  }

  /** The next step, the one after `this.steps`. */
  protected abstract stepOf(group: Settings): MomentStep

  protected override check(group: Settings): void {
    super.check(group)
    const op = this.constructor.name
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = group
    checkDecays(op, { beta1, beta2 })
    checkNumber(op, 'epsilon', epsilon, above0, '> 0')
    checkNumber(op, 'weightDecay', weightDecay, atLeast0, '>= 0')
  }

  protected override settings(group: Settings): number[] {
    const { beta1 = 0.9, beta2 = 0.999 } = group
    const step = this.stepOf(group)
    const { meanStep, gradientStep = 0, rootScale = 1, epsilon, keep = 1, weightDecay = 0 } = step
    // 1 - β₂ from a β₂ rounded to float32 would be off by 5e-5.
    const rates = [1 - beta1, 1 - beta2]
    const scales = [rootScale, epsilon, keep, weightDecay]
    return [this.lrOf(group), meanStep, gradientStep, ...rates, ...scales]
  }

  protected override update(group: Group<Settings>): void {
    const { mean, square } = this.kept
    this.stepEach('adam', group, [mean, square])
  }
}
