/** The forms of Adam and AdamW that scikit-learn and Keras compute. */
import { Adam, type AdamSettings, AdamW } from './adam.js'

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
