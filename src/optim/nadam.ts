/** Adam with Nesterov's momentum (Dozat 2016), in one pass over each parameter. */
import { checkNumber } from '../base/arguments.js'
import { AdamFamily, MOMENT_SETTINGS, type MomentSettings, type MomentStep } from './adamFamily.js'
import { atLeast0 } from './groups.js'

/** Settings of `NAdam`. */
export interface NAdamSettings extends MomentSettings {
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
  /** How fast the momentum grows towards beta1, >= 0; 0.004 by default, as in PyTorch. Keras has 1. */
  momentumDecay?: number
}

interface KnownProduct {
  beta1: number
  momentumDecay: number
  steps: number
  product: number
}

/**
 * NAdam (Dozat 2016): Adam's moments, with μₜ = β₁·(1 - ½·0.96^(t·momentumDecay)) and the step
 * lr·(μₜ₊₁·m / (1 - Πμ·μₜ₊₁) + (1 - μₜ)·g / (1 - Πμ)) / (√v̂ + ε), where Πμ = μ₁·…·μₜ.
 * @throws ArgumentError when a setting is out of range
 */
export class NAdam extends AdamFamily<NAdamSettings> {
  /** Of each group Πμ after some steps with some settings, from which the next is one factor away. */
  readonly #known = new WeakMap<NAdamSettings, KnownProduct>()

  protected override knownSettings(): Record<keyof NAdamSettings, true> {
    return { ...MOMENT_SETTINGS, momentumDecay: true }
  }

  protected override check(group: NAdamSettings): void {
    super.check(group)
    checkNumber('NAdam', 'momentumDecay', group.momentumDecay ?? 0.004, atLeast0, '>= 0')
  }

  protected override stepOf(group: NAdamSettings): MomentStep {
    const { beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = group
    const t = this.steps + 1
    const lr = this.lrOf(group)
    const root = Math.sqrt(1 - beta2 ** t)
    const [mu, next] = [momentumAt(t, group), momentumAt(t + 1, group)]
    const product = this.#productUpTo(t, group)
    return {
      meanStep: (lr * root * next) / (1 - product * next),
      gradientStep: (lr * root * (1 - mu)) / (1 - product),
      epsilon: epsilon * root,
      weightDecay,
    }
  }

  #productUpTo(t: number, group: NAdamSettings): number {
    const { beta1 = 0.9, momentumDecay = 0.004 } = group
    const known = this.#known.get(group)
    const isNear =
      known?.beta1 === beta1 && known.momentumDecay === momentumDecay && known.steps <= t
    let { steps, product } = isNear ? known : { steps: 0, product: 1 }
    // All later factors are β₁, or the product is 0, before 50,000 steps, whatever the settings are.
    while (steps < t && product > 0 && momentumAt(steps, group) !== beta1) {
      product *= momentumAt(++steps, group)
    }
    this.#known.set(group, { beta1, momentumDecay, steps, product })
    return product * beta1 ** (t - steps)
  }
}

function momentumAt(t: number, { beta1 = 0.9, momentumDecay = 0.004 }: NAdamSettings): number {
  return beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay))
}
