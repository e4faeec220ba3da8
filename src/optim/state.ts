/** What optimizers keep on a backend: their settings, and a tensor per parameter. */
import type { Backend } from '../backend/backend.js'
import type { Handle } from '../backend/kernels.js'
import { feed, isRecording, unrecorded } from '../backend/record.js'
import { Storage, within } from '../tensor/storage.js'
import { fullLike, type Tensor } from '../tensor/tensor.js'

/** Settings as the kernels read them, in a buffer that is written when they change. */
export class SettingsBuffer {
  readonly #storage: Storage
  /** What the buffer holds; NaN where that is not known. */
  readonly #values: Float32Array
  readonly #fed: Float32Array

  constructor(
    readonly backend: Backend,
    length: number,
  ) {
    this.#storage = unrecorded(() => within(null, () => new Storage(backend, 'float32', length)))
    this.#values = new Float32Array(length).fill(Number.NaN)
    this.#fed = new Float32Array(length)
  }

  get handle(): Handle {
    return this.#storage.handle
  }

  /** Brings the buffer up to date for this step, and for each step that replays it. */
  refresh(settings: () => readonly number[]): void {
    const { handle, length } = this.#storage
    if (isRecording()) {
      feed(this.backend, handle, length, () => {
        // How far the program gets decides which iteration's settings stay in the buffer.
        this.#values[0] = Number.NaN
        this.#fed.set(settings())
        return this.#fed
      })
      return
    }
    const values = settings()
    if (this.#values.every((value, i) => value === Math.fround(values[i]))) return
    this.#values.set(values)
    this.backend.write(handle, this.#values)
  }
}

/** A tensor of zeros at first for each parameter, which lives as long as the parameter does. */
export class ParameterState {
  readonly #tensors = new Map<Tensor, Tensor>()

  /** What is kept for a parameter, if anything is yet. */
  find(parameter: Tensor): Tensor | undefined {
    return this.#tensors.get(parameter)
  }

  of(parameter: Tensor): Tensor {
    let state = this.#tensors.get(parameter)
    if (state === undefined) {
      state = unrecorded(() => within(parameter.storage.owner, () => fullLike(parameter, 0)))
      this.#tensors.set(parameter, state)
    }
    return state
  }
}
