/** What optimizers keep from step to step: tensors for each parameter, and their copies. */
import { unrecorded } from '../backend/record.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { type ParameterValues, StateDict, type StateSource, stateFrom } from '../nn/stateDict.js'
import { fullLike } from '../tensor/allocate.js'
import { checkAssignable } from '../tensor/assignable.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'

/** What a training run that goes on later needs to know of its optimizer; JSON can hold it, too. */
export interface OptimizerState {
  /** The optimizer's name, such as `SGD`. */
  kind: string
  /** Steps taken. */
  steps: number
  /** What is kept for each parameter, such as `velocity.0` for the first one's. */
  tensors: ReadonlyMap<string, ParameterValues>
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

/**
 * The state of an optimizer of a kind, read once; `loadState` checks its tensors.
 * @throws ArgumentError for what is none, or of another kind
 */
export function readState(wanted: string, state: OptimizerState): OptimizerState {
  if (typeof state !== 'object' || state === null) {
    throw new ArgumentError(`loadStateDict: expected what stateDict() gives, got ${excerpt(state)}`)
  }
  const { kind, steps, tensors } = state
  if (kind !== wanted) {
    throw new ArgumentError(`loadStateDict: expected the state of ${wanted}, got ${kind}`)
  }
  if (!Number.isSafeInteger(steps) || steps < 0) {
    throw new ArgumentError(`loadStateDict: expected steps >= 0, got ${steps}`)
  }
  return { kind, steps, tensors }
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
