/** The form of Adam that scikit-learn and Keras compute. */
import { Adam, type AdamSettings } from './adam.js'

/**
 * Adam with ε̂ (the end of section 2 of Kingma and Ba 2015): θ ← θ - lr·√(1 - β₂ᵗ) / (1 - β₁ᵗ)·m /
 * (√v + ε̂). Beside `Adam` its ε counts for more in the first steps, by 1 / √(1 - β₂ᵗ).
 */
export class AdamHat extends Adam {
  protected override settings(group: AdamSettings): number[] {
    const { beta2 = 0.999, epsilon = 1e-8 } = group
    const root = Math.sqrt(1 - beta2 ** (this.steps + 1))
    return super.settings({ ...group, epsilon: epsilon / root })
  }
}
