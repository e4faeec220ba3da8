/** Rectified Adam (Liu et al. 2020), in one pass over each parameter. */
import { AdamFamily, MOMENT_SETTINGS, type MomentSettings, type MomentStep } from './adamFamily.js'

/** Settings of `RAdam`. */
export interface RAdamSettings extends MomentSettings {
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
}

/**
 * Rectified Adam (Liu et al. 2020): steps along m̂ alone while too few squares have been seen, ρₜ <= 5, then
 * Adam's, times r = √((ρₜ - 4)(ρₜ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρₜ)), with ρ∞ = 2 / (1 - β₂) - 1 and
 * ρₜ = ρ∞ - 2tβ₂ᵗ / (1 - β₂ᵗ). As in PyTorch, ε is added to √v, not to √v̂.
 * @throws ArgumentError when a setting is out of range
 */
export class RAdam extends AdamFamily<RAdamSettings> {
  protected override knownSettings(): Record<keyof RAdamSettings, true> {
    return MOMENT_SETTINGS
  }

  protected override stepOf(group: RAdamSettings): MomentStep {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = group
    const t = this.steps + 1
    const along = this.lrOf(group) / (1 - beta1 ** t)
    const last = 2 / (1 - beta2) - 1
    const rho = last - (2 * t * beta2 ** t) / (1 - beta2 ** t)
    if (!(rho > 5)) return { meanStep: along, rootScale: 0, epsilon: 1, weightDecay }
    const seen = ((rho - 4) * (rho - 2) * last) / ((last - 4) * (last - 2) * rho)
    const meanStep = along * Math.sqrt(seen) * Math.sqrt(1 - beta2 ** t)
    return { meanStep, epsilon, weightDecay }
  }
}
