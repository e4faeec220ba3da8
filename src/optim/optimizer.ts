/**
 * What all optimizers share: groups of parameters with settings of their own, steps, state and
 * regularizers.
 */

import { types } from 'node:util'
import type { Handle } from '../backend/kernels.js'
import { everyIteration, underneath } from '../backend/record.js'
import { isWithin, refuseUnknown } from '../base/arguments.js'
import { isBranded } from '../base/brand.js'
import { ArgumentError, CaptureError, excerpt, spelled } from '../base/errors.js'
import type { ParameterValues } from '../nn/module.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { Scope, within } from '../tensor/storage.js'
import { checkAssignable, isTensor, type Tensor } from '../tensor/tensor.js'
import { addGradients, builtIn, isRegularized, regularizersOf, sameUnknown } from './regularized.js'
import type { Regularizer } from './regularizers.js'
import type { Schedule } from './schedules.js'
import { type ParameterState, SettingsBuffer } from './state.js'

/**
 * Settings that every optimizer knows. Each can be changed between steps; in a captured step, what is
 * off cannot be switched on, nor the other way round.
 */
export interface GroupSettings {
  /** Learning rate, or its schedule. */
  lr: number | Schedule
  /** Applied to weights, not to biases; several add up. */
  regularizer?: Regularizer | readonly Regularizer[]
  /**
   * Largest Euclidean norm of the weights into one unit, > 0: after each step, columns of weights
   * [fanIn, fanOut] that are longer are scaled down to it (Srivastava et al. 2014). Not for biases.
   */
  maxNorm?: number
}

/** Parameters with settings of their own. */
export type Group<Settings> = {
  /** What is moved by these settings. */
  parameters: readonly Tensor[]
} & Settings

/** A tensor that is kept for the parameter at an index. */
export interface Kept {
  name: string
  index: number
  tensor: Tensor
}

/** What a training run that goes on later needs to know of its optimizer. */
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
   * The parameters with their settings, which can be changed between steps: `groups[0].lr = 0.01`.
   */
  readonly groups: readonly Group<Settings>[]
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
    this.groups = [...parameters].every((item) => isGroup(item))
      ? parameters.map((group) => groupOf(name, { ...settings, ...group }))
      : [groupOf(name, { ...settings, parameters })]
    const all = this.parameters()
    if (new Set(all).size !== all.length) {
      throw new ArgumentError(`${name}: expected each parameter once`)
    }
    for (const group of this.groups) {
      if (names) refuseUnknown(name, group, [...names, 'parameters'])
      this.check(group)
    }
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
  protected readonly kept: Readonly<Record<string, ParameterState>> = {}

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

  /** Also that the group's update still is what was captured. */
  #checkIteration(
    group: Group<Settings>,
    choices: number,
    regularizer: GroupSettings['regularizer'],
  ): void {
    this.check(group)
    const isSame = group.regularizer === regularizer || sameUnknown(group, { regularizer })
    if (isSame && this.choices(group) === choices) return
    throw new CaptureError(
      `${this.constructor.name}: expected the maxNorm, momentum and regularizers that the step was captured with; one was switched on or off since`,
    )
  }

  /** All parameters, group by group. */
  parameters(): Tensor[] {
    return this.groups.flatMap((group) => group.parameters)
  }

  /** The learning rate of the next step. */
  lrOf(group: GroupSettings = this.groups[0]): number {
    checkGroup('lrOf', group)
    const lr = typeof group.lr === 'function' ? group.lr(this.steps) : group.lr
    return lr / this.lrDivisor
  }

  /**
   * Updates every parameter that has a gradient.
   * @throws ArgumentError when a setting is out of range by now
   */
  step(): void {
    const temporary = new Scope()
    try {
      within(temporary, () => {
        for (const group of this.groups) {
          const choices = this.choices(group)
          const { regularizer } = group
          everyIteration(() => this.#checkIteration(group, choices, regularizer))
          addGradients(group)
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

  /**
   * What is kept so far, such as the `velocity` of the parameter at an index.
   * @internal
   */
  *keptTensors(): Iterable<Kept> {
    for (const [name, kept] of Object.entries(this.kept)) {
      for (const [index, parameter] of this.parameters().entries()) {
        const tensor = kept.find(parameter)
        if (tensor) yield { name, index, tensor }
      }
    }
  }

  /** Copies of what `loadStateDict` takes; settings are not part of it. */
  stateDict(): OptimizerState {
    const tensors = new Map<string, ParameterValues>()
    for (const { name, index, tensor } of this.keptTensors()) {
      tensors.set(`${name}.${index}`, { shape: tensor.shape, data: tensor.data() })
    }
    return { kind: this.constructor.name, steps: this.steps, tensors }
  }

  /**
   * Goes on from another optimizer of the same kind over the same parameters. Nothing is changed when
   * something does not fit.
   * @throws ArgumentError when the kind differs, a name is unknown, or steps or values are no numbers,
   *   ShapeError when a shape differs or does not fit its values
   */
  loadStateDict(state: OptimizerState): void {
    const { kind, steps, tensors } = state ?? {}
    if (!types.isMap(tensors)) {
      throw new ArgumentError(
        `loadStateDict: expected what stateDict() gives, got ${excerpt(state)}`,
      )
    }
    if (kind !== this.constructor.name) {
      throw new ArgumentError(
        `loadStateDict: expected the state of ${this.constructor.name}, got ${kind}`,
      )
    }
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new ArgumentError(`loadStateDict: expected steps >= 0, got ${steps}`)
    }
    const parameters = this.parameters()
    const targets = [...tensors].map(([path, values]) => {
      const [, name = '', index] = /^(\w+)\.(0|[1-9]\d*)$/.exec(path) ?? []
      const kept = Object.hasOwn(this.kept, name) ? this.kept[name] : undefined
      const parameter = parameters[Number(index)]
      if (kept === undefined || parameter === undefined) {
        throw new ArgumentError(
          `loadStateDict: expected ${Object.keys(this.kept).join(', ') || 'nothing'} of ${parameters.length} parameters, got ${path}`,
        )
      }
      checkAssignable('loadStateDict', path, kept.find(parameter) ?? parameter, values)
      return { kept, parameter, data: values.data }
    })
    // What the other had not kept yet is 0.
    for (const kept of Object.values(this.kept)) {
      for (const parameter of parameters) {
        kept.find(parameter)?.assign(new Float32Array(parameter.size))
      }
    }
    for (const { kept, parameter, data } of targets) kept.of(parameter).assign(data)
    this.steps = steps
  }

  /** Forgets the gradients; the next backward starts from zero. */
  zeroGrad(): void {
    for (const { parameters } of this.groups) {
      for (const parameter of parameters) {
        parameter.grad?.dispose()
        parameter.grad = null
      }
    }
  }

  /** What the regularizers add to the loss: Σ λ·Ω over the regularized parameters. */
  regularizationLoss(): number {
    let sum = 0
    for (const group of this.groups) {
      for (const regularizer of regularizersOf(group)) {
        for (const weight of group.parameters.filter(isRegularized)) {
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

function isGroup(item: unknown): boolean {
  return typeof item === 'object' && item !== null && !isTensor(item) && 'parameters' in item
}

/** @throws ArgumentError for what has no settings */
export function checkGroup(op: string, group: unknown): void {
  if (typeof group === 'object' && group !== null) return
  throw new ArgumentError(`${op}: expected a group of the optimizer, got ${excerpt(group)}`)
}

/** A group whose lists are its own. */
function groupOf<Settings extends GroupSettings>(
  name: string,
  group: { parameters: readonly unknown[] } & Settings,
): Group<Settings> {
  const { parameters, regularizer } = group
  const tensors = Array.isArray(parameters) ? [...parameters] : [parameters]
  const wrong = tensors.findIndex((x) => !isTensor(x))
  if (wrong >= 0 || !Array.isArray(parameters)) {
    throw new ArgumentError(
      `${name}: expected a list of tensors to optimize, got ${excerpt(tensors[Math.max(wrong, 0)])}`,
    )
  }
  return {
    ...group,
    parameters: tensors as Tensor[],
    ...(Array.isArray(regularizer) && { regularizer: [...regularizer] }),
  }
}
