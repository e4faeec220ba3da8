/** An average of weights that follows them while they are trained. */
import { everyIteration, isRecording, unrecorded } from '../backend/record.js'
import { checkFunction, optionsOf } from '../base/arguments.js'
import { ArgumentError, CaptureError, ReleasedTensorError } from '../base/errors.js'
import { isModule, type Module } from '../nn/module.js'
import { StateDict, type StateSource, stateFrom } from '../nn/stateDict.js'
import { requireFloat } from '../ops/require.js'
import { checkAssignable } from '../tensor/assignable.js'
import { memoryOf, refuseWriting } from '../tensor/locks.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkDecays, checkParameters } from './groups.js'

/** Settings of `ExponentialMovingAverage`. */
export interface ExponentialMovingAverageSettings {
  /** What stays of the average at each update, from 0 to below 1, such as 0.999. */
  decay: number
}

/**
 * An exponential moving average of weights: at each `update`, average ← decay·average + (1 - decay)·weight. It
 * begins with the weights as they are. Often it generalizes better than the weights themselves (Polyak and
 * Juditsky 1992); `apply` puts it into the model, `restore` goes back. Buffers, such as the moments of batch
 * norm, are the model's own.
 * @example
 * const average = new ExponentialMovingAverage(model, { decay: 0.999 })
 * // after each optimizer.step():
 * average.update()
 * // to evaluate:
 * await average.swapped(() => evaluate(model, test, { loss }))
 */
export class ExponentialMovingAverage {
  readonly #weights: ReadonlyMap<string, Tensor>
  readonly #averages: readonly Tensor[]
  /** The weights, while the averages are in their place. */
  #trained: readonly Tensor[] | undefined
  #isDisposed = false
  /** What stays of the average at each update. */
  readonly decay: number

  /**
   * An average of the parameters of a model, or of these tensors.
   * @throws ArgumentError for a decay out of range, and what are no tensors
   */
  constructor(of: Module | readonly Tensor[], settings: ExponentialMovingAverageSettings) {
    const op = 'ExponentialMovingAverage'
    const { decay } = optionsOf(op, settings, { decay: true })
    checkDecays(op, { decay })
    this.decay = decay
    if (!isModule(of)) checkParameters(op, of)
    const weights: Iterable<[string, Tensor]> = isModule(of)
      ? of.namedParameters()
      : of.map((weight, i): [string, Tensor] => [String(i), weight])
    // A parameter that a model has twice has one average.
    const seen = new Set<Tensor>()
    this.#weights = new Map([...weights].filter(([, w]) => !seen.has(w) && seen.add(w)))
    for (const weight of seen) requireFloat(op, weight)
    this.#averages = [...this.#weights.values()].map((weight) =>
      unrecorded(() => within(weight.storage.owner, () => weight.clone())),
    )
  }

  /**
   * Takes the weights as they are into the average; after each step of an optimizer, captured ones, too.
   * @throws ArgumentError while the averages are in the place of the weights, ReleasedTensorError after
   *   `dispose`, BusyError while somebody awaits what uses the averages
   */
  update(): void {
    everyIteration(() => this.#refuseApplied('update'))
    if (!isRecording()) refuseWriting('update', () => memoryOf(this.#averages))
    for (const [i, { handle, size }] of [...this.#weights.values()].entries()) {
      const { storage } = this.#averages[i]
      storage.backend.run('lerp', this.#averages[i].handle, handle, 1 - this.decay, size)
      storage.version++
    }
  }

  /**
   * Puts the averages in the place of the weights, which are kept for `restore`.
   * @throws ArgumentError where they are there already, ReleasedTensorError after `dispose`, CaptureError in a
   *   captured function, BusyError while somebody awaits what uses the weights
   */
  apply(): void {
    this.#refuseApplied('apply')
    refuseRecording('apply')
    const weights = [...this.#weights.values()]
    refuseWriting('apply', () => memoryOf(weights))
    this.#trained = within(null, () => weights.map((weight) => weight.clone()))
    for (const [i, weight] of weights.entries()) weight.assign(this.#averages[i])
  }

  /**
   * Puts the weights back that `apply` has taken out.
   * @throws ArgumentError without `apply` before, ReleasedTensorError after `dispose`, CaptureError in a captured
   *   function, BusyError while somebody awaits what uses the weights
   */
  restore(): void {
    this.#refuseDisposed('restore')
    refuseRecording('restore')
    if (this.#trained === undefined) {
      throw new ArgumentError('ExponentialMovingAverage: restore needs apply() before it')
    }
    const weights = [...this.#weights.values()]
    refuseWriting('restore', () => memoryOf(weights))
    for (const [i, weight] of weights.entries()) weight.assign(this.#trained[i])
    for (const tensor of this.#trained) tensor.dispose()
    this.#trained = undefined
  }

  /**
   * Does something with the averages in the place of the weights; where it returns a promise, until that is
   * settled.
   * @returns what fn returns
   * @throws as `apply`, ArgumentError for what is no function
   */
  swapped<T>(fn: () => T): T {
    checkFunction('swapped', 'a function', fn)
    this.apply()
    let result: T
    try {
      result = fn()
    } catch (error) {
      this.restore()
      throw error
    }
    if (result instanceof Promise) return result.finally(() => this.restore()) as T
    this.restore()
    return result
  }

  /** Copies of the averages, by the names of the parameters, or their positions in the list. */
  stateDict(): StateDict {
    this.#refuseDisposed('stateDict')
    const names = [...this.#weights.keys()]
    return new StateDict(
      this.#averages.map((average, i) => [
        names[i],
        { shape: average.shape, data: average.data() as Float32Array },
      ]),
    )
  }

  /**
   * Goes on from another average of the same parameters. Nothing is changed when something does not fit.
   * @throws ArgumentError for names that are missing or unknown, and what is no state, ShapeError for other
   *   shapes, ReleasedTensorError after `dispose`
   */
  loadStateDict(source: StateSource): void {
    this.#refuseDisposed('loadStateDict')
    const names = [...this.#weights.keys()]
    const state = stateFrom('loadStateDict', source)
    const odd =
      names.find((name) => !state.has(name)) ?? [...state.keys()].find((n) => !names.includes(n))
    if (odd !== undefined) {
      const what = state.has(odd) ? 'got' : 'without'
      throw new ArgumentError(
        `loadStateDict: expected averages of ${names.length} parameters, ${what} ${odd}`,
      )
    }
    for (const [i, name] of names.entries()) {
      checkAssignable('loadStateDict', name, this.#averages[i], state.get(name)!)
    }
    for (const [i, name] of names.entries()) this.#averages[i].assign(state.get(name)!.data)
  }

  /** Frees the averages, and weights that `restore` has not put back. It cannot be used again. */
  dispose(): void {
    this.#isDisposed = true
    for (const tensor of [...this.#averages, ...(this.#trained ?? [])]) tensor.dispose()
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #refuseDisposed(op: string): void {
    if (!this.#isDisposed) return
    throw new ReleasedTensorError(
      `ExponentialMovingAverage: ${op} after dispose(); make a new average`,
    )
  }

  #refuseApplied(op: string): void {
    this.#refuseDisposed(op)
    if (this.#trained === undefined) return
    throw new ArgumentError(
      `ExponentialMovingAverage: ${op} while the averages are in the place of the weights; call restore() before`,
    )
  }
}

/** The weights that are taken out are those of one call; replays would know none. */
function refuseRecording(op: string): void {
  if (!isRecording()) return
  throw new CaptureError(
    `capture: ${op} of ExponentialMovingAverage was called inside, which replays would not repeat; call it between calls`,
  )
}
