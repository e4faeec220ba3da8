/** What optimizers keep on the backend: their settings, and tensors for each parameter. */
import type { Backend } from '../backend/backend.js'
import { dtypes, type FloatDType, type TypedArray } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { feed, isRecording, unrecorded } from '../backend/record.js'
import { ArgumentError } from '../base/errors.js'
import { StateDict, type StateSource, stateFrom } from '../nn/stateDict.js'
import { Storage, within } from '../tensor/storage.js'
import { checkAssignable, fullLike, type Tensor } from '../tensor/tensor.js'

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

  dispose(): void {
    this.#storage.release()
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

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose()
    this.#tensors.clear()
  }
}

/** What an optimizer keeps for each parameter, by name. */
export type Kept = Readonly<Record<string, ParameterState>>

/** A tensor that is kept for the parameter at an index. */
export interface KeptTensor {
  name: string
  index: number
  tensor: Tensor
}

/** All that is kept so far. */
export function* keptTensors(kept: Kept, parameters: readonly Tensor[]): Iterable<KeptTensor> {
  for (const [name, state] of Object.entries(kept)) {
    for (const [index, parameter] of parameters.entries()) {
      const tensor = state.find(parameter)
      if (tensor) yield { name, index, tensor }
    }
  }
}

/** Copies of it, such as `velocity.0` for the first parameter's. */
export function stateOf(kept: Kept, parameters: readonly Tensor[]): StateDict {
  const state = new StateDict()
  for (const { name, index, tensor } of keptTensors(kept, parameters)) {
    state.set(`${name}.${index}`, { shape: tensor.shape, data: tensor.data() })
  }
  return state
}

/** Puts it back; nothing is changed when something does not fit. */
export function loadState(kept: Kept, parameters: readonly Tensor[], source: StateSource): void {
  const targets = [...stateFrom('loadStateDict', source)].map(([path, values]) => {
    const [, name = '', index] = /^(\w+)\.(0|[1-9]\d*)$/.exec(path) ?? []
    const state = Object.hasOwn(kept, name) ? kept[name] : undefined
    const parameter = parameters[Number(index)]
    if (state === undefined || parameter === undefined) {
      throw new ArgumentError(
        `loadStateDict: expected ${Object.keys(kept).join(', ') || 'nothing'} of ${parameters.length} parameters, got ${path}`,
      )
    }
    checkAssignable('loadStateDict', path, state.find(parameter) ?? parameter, values)
    return { state, parameter, data: values.data }
  })
  // What the other had not kept yet is 0.
  for (const state of Object.values(kept)) {
    for (const parameter of parameters) {
      state.find(parameter)?.assign(new Float32Array(parameter.size))
    }
  }
  for (const { state, parameter, data } of targets) state.of(parameter).assign(data)
}
