/** The forms of optimizers that scikit-learn and Keras compute. */
import { Adagrad, type AdagradSettings } from './adagrad.js'
import { Adam, type AdamSettings, AdamW } from './adam.js'
import { RMSprop, type RMSpropSettings } from './rmsprop.js'

/**
 * Adam with ε̂ (the end of section 2 of Kingma and Ba 2015): θ ← θ - lr·√(1 - β₂ᵗ) / (1 - β₁ᵗ)·m /
 * (√v + ε̂). Beside `Adam` its ε counts for more in the first steps, by 1 / √(1 - β₂ᵗ).
 */
export class AdamHat extends Adam {
  protected override stepOf(group: AdamSettings) {
    return { ...super.stepOf(group), epsilon: group.epsilon ?? 1e-8 }
  }
}

/** AdamW with ε̂. */
export class AdamWHat extends AdamW {
  protected override stepOf(group: AdamSettings) {
    return { ...super.stepOf(group), epsilon: group.epsilon ?? 1e-8 }
  }
}

/** RMSprop with ε inside the root: g / √(v + ε). */
export class RMSpropInside extends RMSprop {
  protected override epsilonsOf({ epsilon = 1e-7 }: RMSpropSettings): [number, number] {
    return [epsilon, 0]
  }
}

/** Adagrad with ε inside the root: g / √(s + ε). */
export class AdagradInside extends Adagrad {
  protected override epsilonsOf(group: AdagradSettings): [number, number] {
    const { initialAccumulatorValue = 0, epsilon = 1e-7 } = group
    return [initialAccumulatorValue + epsilon, 0]
  }
}
