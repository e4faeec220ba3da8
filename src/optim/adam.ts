/** Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), in one pass over each parameter. */
import { checkFlag } from '../base/arguments.js'
import { AdamFamily, MOMENT_SETTINGS, type MomentSettings, type MomentStep } from './adamFamily.js'
import type { Group } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of `Adam`. */
export interface AdamSettings extends MomentSettings {
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
  /** Divides by the largest v̂ so far (Reddi et al. 2018); false by default. */
  amsgrad?: boolean
}

/**
 * Adam (Kingma and Ba 2015): m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², θ ← θ - lr·m̂ / (√v̂ + ε)
 * with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ), for g = ∇ + weightDecay·θ + 2·l2·θ; then a soft
 * threshold by lr·l1.
 * @throws ArgumentError when a setting is out of range
 */
export class Adam extends AdamFamily<AdamSettings> {
  protected override readonly kept = {
    mean: new ParameterState(),
    square: new ParameterState(),
    largest: new ParameterState(),
  }

  protected override knownSettings(): Record<keyof AdamSettings, true> {
    return { ...MOMENT_SETTINGS, amsgrad: true }
  }

  protected override check(group: AdamSettings): void {
    super.check(group)
    checkFlag(this.constructor.name, 'amsgrad', group.amsgrad ?? false)
  }

  protected override choices(group: AdamSettings): number {
    return super.choices(group) + (group.amsgrad ? 2 : 0)
  }

  protected override stepOf(group: AdamSettings): MomentStep {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = group
    const t = this.steps + 1
    // The corrections go into the step size and into ε, so that the kernel divides once.
    const root = Math.sqrt(1 - beta2 ** t)
    const meanStep = (this.lrOf(group) * root) / (1 - beta1 ** t)
    return { meanStep, epsilon: epsilon * root, weightDecay }
  }

  protected override update(group: Group<AdamSettings>): void {
    const { mean, square, largest } = this.kept
    if (group.amsgrad) this.stepEach('amsgrad', group, [mean, square, largest])
    else super.update(group)
  }
}

/** Settings of `AdamW`. */
export interface AdamWSettings extends AdamSettings {
  /** Each step takes lr·weightDecay·w off the weights, of biases too; >= 0, 0.01 by default. */
  weightDecay?: number
}

/**
 * Adam with weights that decay by themselves (Loshchilov and Hutter 2019): θ ← (1 - lr·weightDecay)·θ, then
 * Adam's step along gradients without weightDecay. A regularizer `l2` still is part of the gradient.
 * @throws ArgumentError when a setting is out of range
 */
export class AdamW extends Adam {
  protected override stepOf(group: AdamWSettings): MomentStep {
    const { weightDecay = 0.01 } = group
    const keep = 1 - this.lrOf(group) * weightDecay
    return { ...super.stepOf(group), keep, weightDecay: 0 }
  }
}
