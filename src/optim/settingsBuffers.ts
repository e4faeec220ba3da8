/** The settings of groups on the backend, where the kernels of an update read them. */
import type { Backend } from '../backend/backend.js'
import { dtypes, type FloatDType, type TypedArray } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { feed, isRecording, underneath, unrecorded } from '../backend/record.js'
import { Storage, within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Group, GroupSettings } from './groups.js'
import { builtIn, isRegularized } from './regularized.js'

/** Settings as the kernels read them, in a buffer that is written when they change. */
class SettingsBuffer {
  readonly #storage: Storage
  /** What the buffer holds; NaN where that is not known. */
  readonly #values: TypedArray
  readonly #fed: TypedArray

  constructor(
    readonly backend: Backend,
    length: number,
    dtype: FloatDType,
  ) {
    this.#storage = unrecorded(() => within(null, () => new Storage(backend, dtype, length)))
    this.#values = new dtypes[dtype].array(length).fill(Number.NaN)
    this.#fed = new dtypes[dtype].array(length)
  }

  get handle(): Handle {
    return this.#storage.handle
  }

  dispose(): void {
    this.#storage.release()
  }

  /**
   * Brings the buffer up to date for this step, and for each step that replays it.
   * @param fill writes the settings
   */
  refresh(fill: (values: TypedArray) => void): void {
    const { handle, length, dtype } = this.#storage
    if (isRecording()) {
      feed(this.backend, { handle, dtype, width: length }, () => {
        // How far the program gets decides which iteration's settings stay in the buffer.
        this.#values[0] = Number.NaN
        fill(this.#fed)
        return this.#fed
      })
      return
    }
    fill(this.#fed)
    if (this.#fed.every((value, i) => value === this.#values[i])) return
    this.#values.set(this.#fed)
    this.backend.write(handle, this.#values)
  }
}

/** The buffers of an optimizer's groups. */
export class SettingsBuffers {
  readonly #limits = new Map<object, SettingsBuffer>()
  readonly #settings = new Map<object, readonly [weights: SettingsBuffer, biases: SettingsBuffer]>()

  /** The buffer with a group's settings for a parameter: without regularizers where it is a bias. */
  of(group: object, parameter: Tensor): Handle {
    const [ofWeights, ofBiases] = this.#settings.get(group)!
    return (isRegularized(parameter) ? ofWeights : ofBiases).handle
  }

  /** Brings a group's settings up to date; λ of L2 and of L1 come after what is given. */
  refresh(group: Group<GroupSettings>, settings: () => readonly number[]): void {
    const { storage, dtype } = group.parameters[0]
    const backend = underneath(storage.backend)
    let buffers = this.#settings.get(group)
    if (buffers?.[0].backend !== backend) {
      const length = settings().length + 2
      buffers = [
        new SettingsBuffer(backend, length, dtype),
        new SettingsBuffer(backend, length, dtype),
      ]
      this.#settings.set(group, buffers)
    }
    buffers[0].refresh((values) => {
      values.set(settings())
      values[values.length - 2] = builtIn(group, 'l2')
      values[values.length - 1] = builtIn(group, 'l1')
    })
    // The last two stay 0.
    buffers[1].refresh((values) => values.set(settings()))
  }

  /** The buffer with a group's maxNorm, brought up to date. */
  maxNormOf(group: Group<GroupSettings>): Handle {
    const { storage, dtype } = group.parameters[0]
    const backend = underneath(storage.backend)
    let limit = this.#limits.get(group)
    if (limit?.backend !== backend) {
      limit = new SettingsBuffer(backend, 1, dtype)
      this.#limits.set(group, limit)
    }
    limit.refresh((values) => {
      values[0] = group.maxNorm ?? Infinity
    })
    return limit.handle
  }

  dispose(): void {
    for (const buffer of [...this.#limits.values(), ...[...this.#settings.values()].flat()]) {
      buffer.dispose()
    }
    this.#limits.clear()
    this.#settings.clear()
  }
}
