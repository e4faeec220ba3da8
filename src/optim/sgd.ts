/** Stochastic gradient descent, in one pass over each parameter. */
import { checkFlag, checkNumber } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { atLeast0, checkGroup } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import type { Schedule } from './schedules.js'
import { ParameterState } from './state.js'

/** Settings of `SGD`. */
export interface SGDSettings extends GroupSettings {
  /** How much of the last step is kept, from 0 to 1, or its schedule; 0 by default. */
  momentum?: number | Schedule
  /**
   * What of the gradient is kept out of the velocity, from 0 to 1; 0 by default. As in PyTorch, the first
   * step takes all of it.
   */
  dampening?: number
  /** Looks ahead along the momentum (Sutskever et al. 2013); needs momentum, and no dampening. */
  nesterov?: boolean
  /** PyTorch's: the gradient gets weightDecay·w, for biases too; l2(lambda) is weightDecay/2 on weights. */
  weightDecay?: number
}

/**
 * Stochastic gradient descent: θ ← θ - lr·(∇ + weightDecay·θ + 2·l2·θ), with momentum
 * v ← momentum·v + (1 - dampening)·gradient in place of the gradient, and a soft threshold by lr·l1 after it.
 * @throws ArgumentError when a setting is out of range
 */
export class SGD extends Optimizer<SGDSettings> {
  protected override readonly kept = { velocity: new ParameterState() }

  protected override knownSettings(): Record<keyof SGDSettings, true> {
    return {
      lr: true,
      momentum: true,
      dampening: true,
      nesterov: true,
      weightDecay: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: SGDSettings): void {
    super.check(group)
    const { weightDecay = 0, nesterov = false, dampening = 0 } = group
    const momentum = this.momentumOf(group)
    if (typeof momentum !== 'number' || !(momentum >= 0 && momentum <= 1)) {
      throw new ArgumentError(`SGD: expected momentum from 0 to 1, got ${excerpt(momentum)}`)
    }
    checkNumber('SGD', 'weightDecay', weightDecay, atLeast0, '>= 0')
    checkNumber('SGD', 'dampening', dampening, (value) => value >= 0 && value <= 1, 'from 0 to 1')
    checkFlag('SGD', 'nesterov', nesterov)
    if (nesterov && !group.momentum) throw new ArgumentError('SGD: nesterov needs momentum > 0')
    if (nesterov && dampening > 0) {
      throw new ArgumentError(`SGD: nesterov needs dampening 0, got ${dampening}`)
    }
  }

  protected override choices(group: SGDSettings): number {
    return super.choices(group) + (group.momentum ? 2 : 0)
  }

  protected override settings(group: SGDSettings): number[] {
    const { nesterov = false, weightDecay = 0, dampening = 0 } = group
    const share = this.steps === 0 ? 1 : 1 - dampening
    return [this.lrOf(group), this.momentumOf(group), +nesterov, share, weightDecay]
  }

  /** The momentum of the next step. */
  momentumOf(group: SGDSettings = this.groups[0]): number {
    checkGroup('momentumOf', group)
    const { momentum = 0 } = group
    return typeof momentum === 'function' ? momentum(this.steps) : momentum
  }

  protected override update(group: Group<SGDSettings>): void {
    if (group.momentum) this.stepEach('sgdMomentum', group, [this.kept.velocity])
    else this.stepEach('sgd', group, [])
  }
}
