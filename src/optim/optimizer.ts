/**
 * What all optimizers share: groups of parameters with settings of their own, steps, state and
 * regularizers.
 */

import type { Handle } from '../backend/kernels.js'
import { everyIteration, isRecording, noteRead, noteStep, underneath } from '../backend/record.js'
import { isWithin, refuseUnknown } from '../base/arguments.js'
import { isBranded } from '../base/brand.js'
import {
  ArgumentError,
  AutogradError,
  excerpt,
  ReleasedTensorError,
  spelled,
} from '../base/errors.js'
import type { ParameterValues } from '../nn/stateDict.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { Scope, within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Group, type GroupSettings, groupOf, isGroup, settable } from './groups.js'
import { addGradients, builtIn, isRegularized, regularizersOf, unknownTo } from './regularized.js'
import {
  type Kept,
  type KeptTensor,
  keptTensors,
  loadState,
  SettingsBuffer,
  stateOf,
} from './state.js'

export type { Group, GroupSettings } from './groups.js'

/** What a training run that goes on later needs to know of its optimizer; JSON can hold it, too. */
export interface OptimizerState {
  /** The optimizer's name, such as `SGD`. */
  kind: string
  /** Steps taken. */
  steps: number
  /** What is kept for each parameter, such as `velocity.0` for the first one's. */
  tensors: ReadonlyMap<string, ParameterValues>
}

const BRAND = Symbol.for('neuroblas.Optimizer')

/**
 * Base of the optimizers: groups of parameters with settings of their own, the steps taken, and the
 * regularizers. Subclasses say how one group is moved.
 */
export abstract class Optimizer<Settings extends GroupSettings = GroupSettings> {
  /**
   * The parameters with their settings, which can be changed between steps: `groups[0].lr = 0.01`. A
   * setting that does not exist is refused.
   */
  readonly groups: readonly Group<Settings>[]
  /** The same without the wrapping that hears of changes. */
  readonly #groups: readonly Group<Settings>[]
  /** Steps taken so far. */
  steps = 0
  /**
   * What every learning rate is divided by, beside the settings.
   * @internal
   */
  lrDivisor = 1
  readonly #limits = new Map<Group<Settings>, SettingsBuffer>()
  readonly #settings = new Map<
    Group<Settings>,
    readonly [weights: SettingsBuffer, biases: SettingsBuffer]
  >()
  #isDisposed = false

  /**
   * An optimizer of some parameters.
   * @param parameters tensors, or groups `{ parameters, ...settings }` whose settings go first
   * @param settings what a group does not say itself
   * @throws ArgumentError for settings that do not exist or are out of range, and for parameters that
   * are none or come twice
   */
  constructor(
    parameters:
      | readonly Tensor[]
      | readonly ({ parameters: readonly Tensor[] } & Partial<Settings>)[],
    settings: Settings,
  ) {
    const name = this.constructor.name
    const known = this.knownSettings()
    const names = known && Object.keys(known)
    if (!Array.isArray(parameters) || parameters.length === 0) {
      throw new ArgumentError(
        `${name}: expected parameters to optimize, such as model.parameters(), got none; modules find them in public properties`,
      )
    }
    if (names) refuseUnknown(name, settings, names)
    this.#groups = [...parameters].every((item) => isGroup(item))
      ? parameters.map((group) => groupOf(name, { ...settings, ...group }))
      : [groupOf(name, { ...settings, parameters })]
    const all = this.parameters()
    if (new Set(all).size !== all.length) {
      throw new ArgumentError(`${name}: expected each parameter once`)
    }
    for (const group of this.#groups) {
      if (names) refuseUnknown(name, group, [...names, 'parameters'])
      this.check(group)
    }
    this.groups = Object.freeze(this.#groups.map((group) => settable(name, group, names)))
  }

  /**
   * What `isOptimizer` asks for.
   * @internal
   */
  get [BRAND](): boolean {
    return #settings in this
  }

  /** The names of all settings there are; undefined where that is not known. */
  protected knownSettings(): Record<keyof Settings, true> | undefined {
    return undefined
  }

  /** Refuses settings out of range; called at the start and before every step. */
  protected check(group: Settings): void {
    const lr = this.lrOf(group)
    if (!isWithin(lr, 0, Infinity)) {
      throw new ArgumentError(`${this.constructor.name}: expected lr >= 0, got ${excerpt(lr)}`)
    }
    const { maxNorm = Infinity } = group
    if (typeof maxNorm !== 'number' || !(maxNorm > 0)) {
      throw new ArgumentError(
        `${this.constructor.name}: expected maxNorm > 0, got ${excerpt(maxNorm)}`,
      )
    }
    if (group.regularizer === undefined) return
    for (const regularizer of regularizersOf(group)) {
      if (typeof regularizer?.penalty === 'function') continue
      throw new ArgumentError(
        `${this.constructor.name}: expected regularizers such as l2(1e-4), got ${spelled(regularizer)}`,
      )
    }
  }

  /** Which of a group's settings are on, as bits: what decides on the kernels of its update. */
  protected choices(group: Settings): number {
    return group.maxNorm === undefined ? 0 : 1
  }

  /** A group's settings as its kernels read them; λ of L2 and of L1 come after them. */
  protected abstract settings(group: Settings): number[]

  /** Moves one group's parameters along their gradients. */
  protected abstract update(group: Group<Settings>): void

  /** What is kept for each parameter from step to step, by name. */
  protected readonly kept: Kept = {}

  /** The buffer with the settings for a parameter: without regularizers where it is a bias. */
  protected settingsOf(group: Group<Settings>, parameter: Tensor): Handle {
    const [ofWeights, ofBiases] = this.#settings.get(group)!
    return (isRegularized(parameter) ? ofWeights : ofBiases).handle
  }

  /** Brings a group's settings up to date. */
  #refresh(group: Group<Settings>): void {
    const { storage, dtype } = group.parameters[0]
    const backend = underneath(storage.backend)
    let buffers = this.#settings.get(group)
    if (buffers?.[0].backend !== backend) {
      const length = this.settings(group).length + 2
      buffers = [
        new SettingsBuffer(backend, length, dtype),
        new SettingsBuffer(backend, length, dtype),
      ]
      this.#settings.set(group, buffers)
    }
    buffers[0].refresh(() => [...this.settings(group), builtIn(group, 'l2'), builtIn(group, 'l1')])
    buffers[1].refresh(() => [...this.settings(group), 0, 0])
  }

  /** Scales down the weights of units that have grown beyond the group's maxNorm. */
  #constrain(group: Group<Settings>): void {
    if (group.maxNorm === undefined) return
    const { storage, dtype } = group.parameters[0]
    const backend = underneath(storage.backend)
    let limit = this.#limits.get(group)
    if (limit?.backend !== backend) {
      limit = new SettingsBuffer(backend, 1, dtype)
      this.#limits.set(group, limit)
    }
    limit.refresh(() => [group.maxNorm ?? Infinity])
    for (const w of group.parameters) {
      if (w.grad === null || w.shape.length !== 2 || !isRegularized(w)) continue
      w.storage.backend.run('maxNorm', w.handle, limit.handle, w.shape[0], w.shape[1])
    }
  }

  /** All parameters, group by group. */
  parameters(): Tensor[] {
    return this.#groups.flatMap((group) => group.parameters)
  }

  /** The learning rate of the next step. */
  lrOf(group: GroupSettings = this.#groups[0]): number {
    checkGroup('lrOf', group)
    const lr = typeof group.lr === 'function' ? group.lr(this.steps) : group.lr
    // Divided, text would become a number that `check` lets pass.
    return typeof lr === 'number' ? lr / this.lrDivisor : lr
  }

  /**
   * Updates every parameter that has a gradient.
   * @throws ArgumentError when a setting is out of range by now, AutogradError when no parameter has a
   * gradient, ReleasedTensorError after `dispose`
   */
  step(): void {
    this.#refuseDisposed('step')
    if (isRecording()) this.#noteStep()
    const temporary = new Scope()
    try {
      within(temporary, () => {
        for (const group of this.#groups) {
          everyIteration(() => this.check(group))
          addGradients(group)
        }
        this.#requireGradient()
        for (const group of this.#groups) {
          this.#refresh(group)
          noGrad(() => this.update(group))
          this.#constrain(group)
        }
      })
    } finally {
      temporary.end()
    }
    everyIteration(
      () => {
        this.steps++
      },
      () => {
        this.steps--
      },
    )
  }

  /** For captured steps: what decides on the kernels of the update. */
  #noteStep(): void {
    noteStep(this.parameters())
    for (const group of this.#groups) {
      const settings = () => [this.choices(group), ...unknownTo(group), ...group.parameters]
      const read = {
        get values() {
          return settings()
        },
      }
      noteRead(read, 'values', read.values)
    }
  }

  #requireGradient(): void {
    if (this.#groups.some((group) => group.parameters.some(({ grad }) => grad !== null))) return
    const isFrozen = this.parameters().every(({ requiresGrad }) => !requiresGrad)
    throw new AutogradError(
      `${this.constructor.name}: expected a gradient on some parameter, got none; ${
        isFrozen
          ? 'requiresGrad is false on all of them'
          : 'call backward() of a loss that depends on them before step()'
      }`,
    )
  }

  #refuseDisposed(op: string): void {
    if (!this.#isDisposed) return
    throw new ReleasedTensorError(
      `${this.constructor.name}: ${op} after dispose(); make a new optimizer`,
    )
  }

  /**
   * Frees what is kept for the parameters, such as velocities; the parameters stay. It cannot be used
   * again.
   */
  dispose(): void {
    this.#isDisposed = true
    for (const kept of Object.values(this.kept)) kept.dispose()
    for (const buffer of [...this.#limits.values(), ...[...this.#settings.values()].flat()]) {
      buffer.dispose()
    }
    this.#limits.clear()
    this.#settings.clear()
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /**
   * What is kept so far, such as the `velocity` of the parameter at an index.
   * @internal
   */
  keptTensors(): Iterable<KeptTensor> {
    return keptTensors(this.kept, this.parameters())
  }

  /**
   * Copies of what `loadStateDict` takes; settings are not part of it. `JSON.stringify` writes it, and
   * `loadStateDict` takes what `JSON.parse` reads.
   * @throws ReleasedTensorError after `dispose`
   */
  stateDict(): OptimizerState {
    this.#refuseDisposed('stateDict')
    const tensors = stateOf(this.kept, this.parameters())
    return { kind: this.constructor.name, steps: this.steps, tensors }
  }

  /**
   * Goes on from another optimizer of the same kind over the same parameters. Nothing is changed when
   * something does not fit.
   * @throws ArgumentError when the kind differs, a name is unknown, steps or values are no numbers or it
   *   is no state, ShapeError when a shape differs or does not fit its values, ReleasedTensorError after
   *   `dispose`
   */
  loadStateDict(state: OptimizerState): void {
    this.#refuseDisposed('loadStateDict')
    if (typeof state !== 'object' || state === null) {
      throw new ArgumentError(
        `loadStateDict: expected what stateDict() gives, got ${excerpt(state)}`,
      )
    }
    const { kind, steps, tensors } = state
    if (kind !== this.constructor.name) {
      throw new ArgumentError(
        `loadStateDict: expected the state of ${this.constructor.name}, got ${kind}`,
      )
    }
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new ArgumentError(`loadStateDict: expected steps >= 0, got ${steps}`)
    }
    loadState(this.kept, this.parameters(), tensors)
    this.steps = steps
  }

  /** Forgets the gradients; the next backward starts from zero. */
  zeroGrad(): void {
    for (const { parameters } of this.#groups) {
      for (const parameter of parameters) {
        parameter.grad?.dispose()
        parameter.grad = null
      }
    }
  }

  /** What the regularizers add to the loss: Σ λ·Ω over the weights that are trained, not frozen. */
  regularizationLoss(): number {
    let sum = 0
    for (const group of this.#groups) {
      for (const regularizer of regularizersOf(group)) {
        for (const weight of group.parameters.filter(isRegularized)) {
          if (!weight.requiresGrad) continue
          sum += noGrad(() => scope(() => regularizer.penalty(weight).item()))
        }
      }
    }
    return sum
  }
}

/** Whether it is an optimizer, also one of another copy of the library. */
export function isOptimizer(value: unknown): value is Optimizer {
  return isBranded(value, BRAND)
}

/** @throws ArgumentError for what has no settings */
export function checkGroup(op: string, group: unknown): void {
  if (typeof group === 'object' && group !== null) return
  throw new ArgumentError(`${op}: expected a group of the optimizer, got ${excerpt(group)}`)
}
