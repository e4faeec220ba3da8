/** Stochastic gradient descent, in one pass over each parameter. */
import type { Backend } from '../backend/backend.js'
import { feed, isRecording, underneath, unrecorded } from '../backend/record.js'
import { ArgumentError } from '../errors.js'
import { Storage, within } from '../scope.js'
import type { Tensor } from '../tensor.js'
import { builtIn, type Group, type GroupSettings, isRegularized, Optimizer } from './optimizer.js'

export interface SGDSettings extends GroupSettings {
  /** How much of the last step is kept, from 0 to below 1; 0 by default. */
  momentum?: number
  /** Looks ahead along the momentum (Sutskever et al. 2013); needs momentum. */
  nesterov?: boolean
  /** PyTorch's: the gradient gets weightDecay·w, for biases too; l2(lambda) is weightDecay/2 on weights. */
  weightDecay?: number
}

/** The settings as the kernels read them, in a buffer that is written when they change. */
class SettingsBuffer {
  readonly #storage: Storage
  readonly #values = new Float32Array(6).fill(Number.NaN)

  constructor(readonly backend: Backend) {
    this.#storage = within(null, () => new Storage(backend, 'float32', 6))
  }

  get handle() {
    return this.#storage.handle
  }

  /** Brings the buffer up to date for this step, and for each step that replays it. */
  refresh(settings: () => readonly number[]): void {
    const { handle, length } = this.#storage
    if (isRecording()) {
      feed(this.backend, handle, length, () => this.#set(settings()))
    } else {
      const before = this.#values.slice()
      this.#set(settings())
      if (before.some((value, i) => value !== this.#values[i])) {
        this.backend.write(handle, this.#values)
      }
    }
  }

  #set(values: readonly number[]): Float32Array {
    this.#values.set(values)
    return this.#values
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
    const [ofWeights, ofBiases] = this.#settingsOf(group)
    for (const w of group.parameters) {
      if (w.grad === null) continue
      const { backend } = w.storage
      const settings = (isRegularized(w) ? ofWeights : ofBiases).handle
      if (momentum > 0) {
        const velocity = this.#velocityOf(w)
        backend.run('sgdMomentum', w.handle, w.grad.handle, velocity.handle, settings, w.size)
      } else {
        backend.run('sgd', w.handle, w.grad.handle, settings, w.size)
      }
      w.storage.version++
    }
  }

  /** The group's settings, up to date: with its regularizers for weights, without for biases. */
  #settingsOf(group: Group<SGDSettings>): [weights: SettingsBuffer, biases: SettingsBuffer] {
    const backend = underneath(group.parameters[0].storage.backend)
    let buffers = this.#settings.get(group)
    if (buffers?.[0].backend !== backend) {
      buffers = [new SettingsBuffer(backend), new SettingsBuffer(backend)]
      this.#settings.set(group, buffers)
    }
    const common = () => {
      const { momentum = 0, nesterov = false, weightDecay = 0 } = group
      return [this.lrOf(group), momentum, +nesterov, weightDecay]
    }
    buffers[0].refresh(() => [...common(), builtIn(group, 'l2'), builtIn(group, 'l1')])
    buffers[1].refresh(() => [...common(), 0, 0])
    return buffers
  }

  /** Lives as long as the parameter does. */
  #velocityOf(w: Tensor): Tensor {
    let velocity = this.#velocities.get(w)
    if (velocity === undefined) {
      velocity = unrecorded(() => within(w.storage.owner, () => w.filled(0)))
      this.#velocities.set(w, velocity)
    }
    return velocity
  }
}
