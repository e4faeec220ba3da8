/**
 * What all optimizers share: groups of parameters with settings of their own, steps, state and
 * regularizers.
 */

import type { Handle, KernelArgs } from '../backend/kernels.js'
import { everyIteration, isRecording, noteStep } from '../backend/record.js'
import { isBranded } from '../base/brand.js'
import { ReleasedTensorError } from '../base/errors.js'
import { noGrad } from '../tensor/graph.js'
import { memoryOf, refuseWriting } from '../tensor/locks.js'
import { Scope, within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import {
  checkGroup,
  checkSettings,
  type Group,
  type GroupSettings,
  groupsOf,
  noteSettings,
  requireGradient,
  settable,
} from './groups.js'
import { addGradients, isRegularized, penaltyOf } from './regularized.js'
import { SettingsBuffers } from './settingsBuffers.js'
import {
  type Kept,
  type KeptTensor,
  keptTensors,
  loadState,
  type OptimizerState,
  type ParameterState,
  readState,
  stateOf,
} from './state.js'

export type { Group, GroupSettings } from './groups.js'

/** Kernels that move a parameter: by its gradient, what is kept for it, and the settings. */
type StepKernel =
  | 'sgd'
  | 'sgdMomentum'
  | 'adam'
  | 'amsgrad'
  | 'rmsprop'
  | 'rmspropMomentum'
  | 'rmspropCentered'
  | 'rmspropCenteredMomentum'
  | 'adagrad'
  | 'adadelta'
  | 'lion'

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
  /**
   * Whether a step evaluates the loss itself.
   * @internal
   */
  get needsClosure(): boolean {
    return false
  }
  /** Steps taken so far. */
  steps = 0
  /**
   * What every learning rate is divided by, beside the settings.
   * @internal
   */
  lrDivisor = 1
  readonly #settings = new SettingsBuffers()
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
    this.#groups = groupsOf(name, parameters, settings, names)
    for (const group of this.#groups) this.check(group)
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
    checkSettings(this.constructor.name, this.lrOf(group), group, this.steps)
  }

  /** Which of a group's settings are on, as bits: what decides on the kernels of its update. */
  protected choices(group: Settings): number {
    return group.maxNorm === undefined ? 0 : 1
  }

  /** A group's settings as its kernels read them; λ of L2 and of L1 come after them. */
  protected abstract settings(group: Settings): number[]

  /** Completes one group's gradients before it is moved: by those of regularizers. */
  protected prepare(group: Group<Settings>): void {
    addGradients(group)
  }

  /** Moves one group's parameters along their gradients. */
  protected abstract update(group: Group<Settings>): void

  /** Does so by a kernel, with what is kept for each parameter that has a gradient. */
  protected stepEach(
    kernel: StepKernel,
    group: Group<Settings>,
    states: readonly ParameterState[],
  ): void {
    for (const w of group.parameters) {
      if (w.grad === null) continue
      const kept = states.map((state) => state.of(w).handle)
      const args = [w.handle, w.grad.handle, ...kept, this.settingsOf(group, w), w.size]
      w.storage.backend.run(kernel, ...(args as unknown as KernelArgs<StepKernel>))
      w.storage.version++
    }
  }

  /** What is kept for each parameter from step to step, by name. */
  protected readonly kept: Kept = {}

  /** The buffer with the settings for a parameter: without regularizers where it is a bias. */
  protected settingsOf(group: Group<Settings>, parameter: Tensor): Handle {
    return this.#settings.of(group, parameter)
  }

  /** Scales down the weights of units that have grown beyond the group's maxNorm. */
  #constrain(group: Group<Settings>): void {
    if (group.maxNorm === undefined) return
    const limit = this.#settings.maxNormOf(group)
    for (const w of group.parameters) {
      if (w.grad === null || w.shape.length !== 2 || !isRegularized(w)) continue
      w.storage.backend.run('maxNorm', w.handle, limit, w.shape[0], w.shape[1])
    }
  }

  /** All parameters, group by group. */
  parameters(): Tensor[] {
    return this.#groups.flatMap((group) => group.parameters)
  }

  /** The learning rate of the next step. */
  lrOf(group: GroupSettings = this.#groups[0]): number {
    return this.lrAfter(this.steps, group)
  }

  /**
   * The learning rate after so many steps, with the settings of now.
   * @internal
   */
  lrAfter(steps: number, group: GroupSettings = this.#groups[0]): number {
    checkGroup('lrOf', group)
    const lr = typeof group.lr === 'function' ? group.lr(steps) : group.lr
    // Divided, text would become a number that `check` lets pass.
    return typeof lr === 'number' ? lr / this.lrDivisor : lr
  }

  /**
   * Updates every parameter that has a gradient.
   * @throws ArgumentError when a setting is out of range by now, AutogradError when no parameter has a
   * gradient, ReleasedTensorError after `dispose`, BusyError while somebody awaits what uses a parameter
   */
  step(): void {
    this.#refuseDisposed('step')
    if (isRecording()) {
      noteStep(this.parameters())
      noteSettings(this.#groups, (group) => this.choices(group))
    } else refuseWriting('step', () => memoryOf(this.parameters()))
    const temporary = new Scope()
    try {
      within(temporary, () => {
        for (const group of this.#groups) {
          everyIteration(() => this.check(group))
          this.prepare(group)
        }
        requireGradient(this.constructor.name, this.parameters())
        for (const group of this.#groups) {
          this.#settings.refresh(group, () => this.settings(group))
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
    this.#settings.dispose()
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
    const { steps, tensors } = readState(this.constructor.name, state)
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
    return penaltyOf(this.#groups)
  }
}

/** Whether it is an optimizer, also one of another copy of the library. */
export function isOptimizer(value: unknown): value is Optimizer {
  return isBranded(value, BRAND)
}
