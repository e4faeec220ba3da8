/** What optimizers keep on the backend: their settings, and tensors for each parameter. */
import type { Backend } from '../backend/backend.js'
import { dtypes, type FloatDType, type TypedArray } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { feed, isRecording, unrecorded } from '../backend/record.js'
import { Storage, within } from '../tensor/storage.js'
import { fullLike, type Tensor } from '../tensor/tensor.js'

/** Settings as the kernels read them, in a buffer that is written when they change. */
export class SettingsBuffer {
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

  /** Brings the buffer up to date for this step, and for each step that replays it. */
  refresh(settings: () => readonly number[]): void {
    const { handle, length, dtype } = this.#storage
    if (isRecording()) {
      feed(this.backend, { handle, dtype, width: length }, () => {
        // How far the program gets decides which iteration's settings stay in the buffer.
        this.#values[0] = Number.NaN
        this.#fed.set(settings())
        return this.#fed
      })
      return
    }
    const values = settings()
    this.#fed.set(values)
    if (this.#fed.every((value, i) => value === this.#values[i])) return
    this.#values.set(this.#fed)
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
