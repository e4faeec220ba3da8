/** Adam (Kingma and Ba 2015), in one pass over each parameter. */
import { isWithin } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of `Adam`. */
export interface AdamSettings extends GroupSettings {
  /** Decay of the mean of the gradients, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** Decay of the mean of their squares, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** Keeps the step finite where gradients are tiny, > 0; 1e-8 by default. */
  epsilon?: number
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
}

/**
 * Adam (Kingma and Ba 2015): m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², θ ← θ - lr·m̂ / (√v̂ + ε)
 * with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ), for g = ∇ + weightDecay·θ + 2·l2·θ; then a soft
 * threshold by lr·l1.
 * @throws ArgumentError when a setting is out of range
 */
export class Adam extends Optimizer<AdamSettings> {
  protected override readonly kept = { mean: new ParameterState(), square: new ParameterState() }

  protected override knownSettings(): Record<keyof AdamSettings, true> {
    return {
      lr: true,
      beta1: true,
      beta2: true,
      epsilon: true,
      weightDecay: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: AdamSettings): void {
    super.check(group)
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = group
    for (const [name, beta] of Object.entries({ beta1, beta2 })) {
      if (!isWithin(beta, 0, 1)) {
        throw new ArgumentError(`Adam: expected ${name} from 0 to below 1, got ${excerpt(beta)}`)
      }
    }
    if (!isWithin(epsilon, Number.MIN_VALUE, Infinity)) {
      throw new ArgumentError(`Adam: expected epsilon > 0, got ${excerpt(epsilon)}`)
    }
    if (!isWithin(weightDecay, 0, Infinity)) {
      throw new ArgumentError(`Adam: expected weightDecay >= 0, got ${excerpt(weightDecay)}`)
    }
  }

  protected override settings(group: AdamSettings): number[] {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = group
    const t = this.steps + 1
    // The corrections go into the step size and into ε, so that the kernel divides once.
    const root = Math.sqrt(1 - beta2 ** t)
    const stepSize = (this.lrOf(group) * root) / (1 - beta1 ** t)
    // 1 - β₂ from a β₂ rounded to float32 would be off by 5e-5.
    return [this.lrOf(group), stepSize, 1 - beta1, 1 - beta2, epsilon * root, weightDecay]
  }

  protected override update(group: Group<AdamSettings>): void {
    for (const w of group.parameters) {
      if (w.grad === null) continue
      w.storage.backend.run(
        'adam',
        w.handle,
        w.grad.handle,
        this.kept.mean.of(w).handle,
        this.kept.square.of(w).handle,
        this.settingsOf(group, w),
        w.size,
      )
      w.storage.version++
    }
  }
}
