/** RMSprop (Tieleman and Hinton 2012), in one pass over each parameter. */
import { checkFlag, checkNumber } from '../base/arguments.js'
import { above0, atLeast0, checkDecays } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { ParameterState } from './state.js'

/** Settings of `RMSprop`. */
export interface RMSpropSettings extends GroupSettings {
  /** Decay of the mean of squared gradients, from 0 to below 1; 0.99 by default. PyTorch's alpha, Keras's rho. */
  decay?: number
  /** Keeps the step finite where gradients are tiny, > 0; 1e-8 by default. */
  epsilon?: number
  /** The gradient gets weightDecay·w, for biases too; >= 0, 0 by default. */
  weightDecay?: number
  /** How much of the last step is kept, >= 0; 0 by default. */
  momentum?: number
  /** Divides by the deviation from the mean gradient (Graves 2013); false by default. */
  centered?: boolean
}

/**
 * RMSprop (Tieleman and Hinton 2012): v ← decay·v + (1 - decay)·g², θ ← θ - lr·g / (√v + ε) for
 * g = ∇ + weightDecay·θ + 2·l2·θ; centered, v less the square of the mean gradient. With momentum,
 * u ← momentum·u + g / (√v + ε), θ ← θ - lr·u. Then a soft threshold by lr·l1.
 * @throws ArgumentError when a setting is out of range
 */
export class RMSprop extends Optimizer<RMSpropSettings> {
  protected override readonly kept = {
    square: new ParameterState(),
    velocity: new ParameterState(),
    mean: new ParameterState(),
  }

  protected override knownSettings(): Record<keyof RMSpropSettings, true> {
    return {
      lr: true,
      decay: true,
      epsilon: true,
      weightDecay: true,
      momentum: true,
      centered: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: RMSpropSettings): void {
    super.check(group)
    const { decay = 0.99, epsilon = 1e-8, weightDecay = 0, momentum = 0, centered = false } = group
    checkDecays('RMSprop', { decay })
    checkNumber('RMSprop', 'epsilon', epsilon, above0, '> 0')
    checkNumber('RMSprop', 'weightDecay', weightDecay, atLeast0, '>= 0')
    checkNumber('RMSprop', 'momentum', momentum, atLeast0, '>= 0')
    checkFlag('RMSprop', 'centered', centered)
  }

  protected override choices(group: RMSpropSettings): number {
    return super.choices(group) + (group.momentum ? 2 : 0) + (group.centered ? 4 : 0)
  }

  /** What is added to v, and to its root. */
  protected epsilonsOf({ epsilon = 1e-8 }: RMSpropSettings): [inner: number, outer: number] {
    return [0, epsilon]
  }

  protected override settings(group: RMSpropSettings): number[] {
    const { decay = 0.99, weightDecay = 0, momentum = 0 } = group
    return [this.lrOf(group), 1 - decay, ...this.epsilonsOf(group), momentum, weightDecay]
  }

  protected override update(group: Group<RMSpropSettings>): void {
    const { square, velocity, mean } = this.kept
    if (group.momentum && group.centered) {
      this.stepEach('rmspropCenteredMomentum', group, [square, velocity, mean])
    } else if (group.momentum) this.stepEach('rmspropMomentum', group, [square, velocity])
    else if (group.centered) this.stepEach('rmspropCentered', group, [square, mean])
    else this.stepEach('rmsprop', group, [square])
  }
}
