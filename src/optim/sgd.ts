/** Stochastic gradient descent, in one pass over each parameter. */
import { checkFlag, isWithin } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { checkGroup } from './groups.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import type { Schedule } from './schedules.js'
import { ParameterState } from './state.js'

/** Settings of `SGD`. */
export interface SGDSettings extends GroupSettings {
  /** How much of the last step is kept, from 0 to 1, or its schedule; 0 by default. */
  momentum?: number | Schedule
  /** Looks ahead along the momentum (Sutskever et al. 2013); needs momentum. */
  nesterov?: boolean
  /** PyTorch's: the gradient gets weightDecay·w, for biases too; l2(lambda) is weightDecay/2 on weights. */
  weightDecay?: number
}

/**
 * Stochastic gradient descent: θ ← θ - lr·(∇ + weightDecay·θ + 2·l2·θ), with momentum v ← momentum·v + gradient in place of the
 * gradient, and a soft threshold by lr·l1 after it.
 * @throws ArgumentError when a setting is out of range
 */
export class SGD extends Optimizer<SGDSettings> {
  protected override readonly kept = { velocity: new ParameterState() }

  protected override knownSettings(): Record<keyof SGDSettings, true> {
    return {
      lr: true,
      momentum: true,
      nesterov: true,
      weightDecay: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: SGDSettings): void {
    super.check(group)
    const { weightDecay = 0, nesterov = false } = group
    const momentum = this.momentumOf(group)
    if (typeof momentum !== 'number' || !(momentum >= 0 && momentum <= 1)) {
      throw new ArgumentError(`SGD: expected momentum from 0 to 1, got ${excerpt(momentum)}`)
    }
    if (!isWithin(weightDecay, 0, Infinity)) {
      throw new ArgumentError(`SGD: expected weightDecay >= 0, got ${excerpt(weightDecay)}`)
    }
    checkFlag('SGD', 'nesterov', nesterov)
    if (nesterov && !group.momentum) throw new ArgumentError('SGD: nesterov needs momentum > 0')
  }

  protected override choices(group: SGDSettings): number {
    return super.choices(group) + (group.momentum ? 2 : 0)
  }

  protected override settings(group: SGDSettings): number[] {
    const { nesterov = false, weightDecay = 0 } = group
    return [this.lrOf(group), this.momentumOf(group), +nesterov, weightDecay]
  }

  /** The momentum of the next step. */
  momentumOf(group: SGDSettings = this.groups[0]): number {
    checkGroup('momentumOf', group)
    const { momentum = 0 } = group
    return typeof momentum === 'function' ? momentum(this.steps) : momentum
  }

  protected override update(group: Group<SGDSettings>): void {
    for (const w of group.parameters) {
      if (w.grad === null) continue
      const { backend } = w.storage
      const settings = this.settingsOf(group, w)
      if (group.momentum) {
        const velocity = this.kept.velocity.of(w)
        backend.run('sgdMomentum', w.handle, w.grad.handle, velocity.handle, settings, w.size)
      } else {
        backend.run('sgd', w.handle, w.grad.handle, settings, w.size)
      }
      w.storage.version++
    }
  }
}
