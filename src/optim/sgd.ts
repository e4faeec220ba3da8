/** Stochastic gradient descent, in one pass over each parameter. */
import type { Backend } from '../backend/backend.js'
import { ArgumentError } from '../errors.js'
import { Storage, within } from '../scope.js'
import { allocate, type Tensor } from '../tensor.js'
import { builtIn, type Group, type GroupSettings, isRegularized, Optimizer } from './optimizer.js'

export interface SGDSettings extends GroupSettings {
  /** How much of the last step is kept, from 0 to below 1; 0 by default. */
  momentum?: number
  /** Looks ahead along the momentum (Sutskever et al. 2013); needs momentum. */
  nesterov?: boolean
  /** PyTorch's: the gradient gets weightDecay·w, for biases too; l2(lambda) is weightDecay/2 on weights. */
  weightDecay?: number
}

/** The settings as the kernels read them, in a buffer that is written only when they change. */
class SettingsBuffer {
  readonly #storage: Storage
  readonly #values = new Float32Array(6).fill(Number.NaN)

  constructor(readonly backend: Backend) {
    this.#storage = within(null, () => new Storage(backend, 'float32', 6))
  }

  handleFor(values: readonly number[]) {
    const written = this.#values
    if (written.some((value, i) => value !== Math.fround(values[i]))) {
      written.set(values)
      this.backend.write(this.#storage.handle, written)
    }
    return this.#storage.handle
  }
}

/**
 * θ ← θ - lr·(∇ + weightDecay·θ + 2·l2·θ), with momentum v ← momentum·v + gradient in place of the
 * gradient, and a soft threshold by lr·l1 after it.
 * @throws ArgumentError when a setting is out of range
 */
export class SGD extends Optimizer<SGDSettings> {
  readonly #velocities = new Map<Tensor, Tensor>()
  readonly #settings = new Map<
    Group<SGDSettings>,
    [weights: SettingsBuffer, biases: SettingsBuffer]
  >()

  protected override check(group: SGDSettings): void {
    super.check(group)
    const { momentum = 0, weightDecay = 0, nesterov = false } = group
    if (!(momentum >= 0 && momentum < 1)) {
      throw new ArgumentError(`SGD: expected momentum from 0 to below 1, got ${momentum}`)
    }
    if (!(weightDecay >= 0)) {
      throw new ArgumentError(`SGD: expected weightDecay >= 0, got ${weightDecay}`)
    }
    if (nesterov && momentum === 0) throw new ArgumentError('SGD: nesterov needs momentum > 0')
  }

  protected override update(group: Group<SGDSettings>): void {
    const { momentum = 0 } = group
    for (const w of group.parameters) {
      if (w.grad === null) continue
      const { backend } = w.storage
      const settings = this.#settingsFor(group, w)
      if (momentum > 0) {
        const velocity = this.#velocityOf(w)
        backend.run('sgdMomentum', w.handle, w.grad.handle, velocity.handle, settings, w.size)
      } else {
        backend.run('sgd', w.handle, w.grad.handle, settings, w.size)
      }
      w.storage.version++
    }
  }

  #settingsFor(group: Group<SGDSettings>, w: Tensor) {
    const { backend } = w.storage
    let buffers = this.#settings.get(group)
    if (buffers?.[0].backend !== backend) {
      buffers = [new SettingsBuffer(backend), new SettingsBuffer(backend)]
      this.#settings.set(group, buffers)
    }
    const { momentum = 0, nesterov = false, weightDecay = 0 } = group
    const common = [this.lrOf(group), momentum, +nesterov, weightDecay]
    return isRegularized(w)
      ? buffers[0].handleFor([...common, builtIn(group, 'l2'), builtIn(group, 'l1')])
      : buffers[1].handleFor([...common, 0, 0])
  }

  /** Lives as long as the parameter does. */
  #velocityOf(w: Tensor): Tensor {
    let velocity = this.#velocities.get(w)
    if (velocity === undefined) {
      velocity = within(w.storage.owner, () => allocate(w, w.shape))
      velocity.storage.backend.run('fill', velocity.handle, velocity.size, 0)
      this.#velocities.set(w, velocity)
    }
    return velocity
  }
}
