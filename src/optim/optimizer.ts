/**
 * What all optimizers share: groups of parameters, each with settings of its own, gradients that
 * are forgotten, and the regularizer.
 */
import { noGrad } from '../autograd.js'
import type { Handle } from '../backend/kernels.js'
import { everyPass, underneath } from '../backend/record.js'
import { ArgumentError } from '../errors.js'
import { Parameter } from '../nn/module.js'
import type { Regularizer } from '../regularizers.js'
import { Scope, scope, within } from '../scope.js'
import type { Tensor } from '../tensor.js'
import type { Schedule } from './schedules.js'
import { SettingsBuffer } from './state.js'

/** Settings that every optimizer knows; each can be changed between steps. */
export interface GroupSettings {
  /** Learning rate, or its schedule. */
  lr: number | Schedule
  /** Applied to weights, not to biases; several add up. */
  regularizer?: Regularizer | readonly Regularizer[]
}

/** Parameters with settings of their own. */
export type Group<Settings> = { parameters: readonly Tensor[] } & Settings

export abstract class Optimizer<Settings extends GroupSettings = GroupSettings> {
  readonly groups: readonly Group<Settings>[]
  /** Steps taken so far. */
  steps = 0
  readonly #settings = new Map<
    Group<Settings>,
    readonly [weights: SettingsBuffer, biases: SettingsBuffer]
  >()

  /**
   * @param parameters tensors, or groups `{ parameters, ...settings }` whose settings go first
   * @param settings what a group does not say itself
   */
  constructor(
    parameters:
      | readonly Tensor[]
      | readonly ({ parameters: readonly Tensor[] } & Partial<Settings>)[],
    settings: Settings,
  ) {
    const name = this.constructor.name
    if (!Array.isArray(parameters) || parameters.length === 0) {
      throw new ArgumentError(`${name}: expected parameters to optimize, got none`)
    }
    this.groups = parameters.every((item) => 'parameters' in item)
      ? parameters.map((group) => ({ ...settings, ...group }))
      : [{ ...settings, parameters: [...(parameters as Tensor[])] }]
    const all = this.parameters()
    if (new Set(all).size !== all.length) {
      throw new ArgumentError(`${name}: expected each parameter once`)
    }
    for (const group of this.groups) this.check(group)
  }

  /** Refuses settings out of range; called at the start and before every step. */
  protected check(group: Settings): void {
    const lr = this.lrOf(group)
    if (!(lr >= 0 && lr < Infinity)) {
      throw new ArgumentError(`${this.constructor.name}: expected lr >= 0, got ${lr}`)
    }
  }

  /** A group's settings as its kernels read them; λ of L2 and of L1 come after them. */
  protected abstract settings(group: Settings): number[]

  /** Moves one group's parameters along their gradients. */
  protected abstract update(group: Group<Settings>): void

  /** The buffer with the settings for a parameter: without regularizers where it is a bias. */
  protected settingsOf(group: Group<Settings>, parameter: Tensor): Handle {
    const [ofWeights, ofBiases] = this.#settings.get(group)!
    return (isRegularized(parameter) ? ofWeights : ofBiases).handle
  }

  /** Brings a group's settings up to date. */
  #refresh(group: Group<Settings>): void {
    const backend = underneath(group.parameters[0].storage.backend)
    let buffers = this.#settings.get(group)
    if (buffers?.[0].backend !== backend) {
      const length = this.settings(group).length + 2
      buffers = [new SettingsBuffer(backend, length), new SettingsBuffer(backend, length)]
      this.#settings.set(group, buffers)
    }
    buffers[0].refresh(() => [...this.settings(group), builtIn(group, 'l2'), builtIn(group, 'l1')])
    buffers[1].refresh(() => [...this.settings(group), 0, 0])
  }

  parameters(): Tensor[] {
    return this.groups.flatMap((group) => group.parameters)
  }

  /** The learning rate of the next step. */
  lrOf(group: GroupSettings = this.groups[0]): number {
    return typeof group.lr === 'function' ? group.lr(this.steps) : group.lr
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    const temporary = new Scope()
    try {
      within(temporary, () => {
        for (const group of this.groups) {
          everyPass(() => this.check(group))
          addGradients(group)
          this.#refresh(group)
          noGrad(() => this.update(group))
        }
      })
    } finally {
      temporary.end()
    }
    everyPass(
      () => {
        this.steps++
      },
      () => {
        this.steps--
      },
    )
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

  /** λ·Ω of the regularized parameters: what is added to the risk to give the objective. */
  penalty(): number {
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

/** Biases are left alone; tensors that are no Parameter count as weights. */
function isRegularized(parameter: Tensor): boolean {
  return !(parameter instanceof Parameter) || parameter.regularized
}

export function regularizersOf({ regularizer = [] }: GroupSettings): readonly Regularizer[] {
  return Array.isArray(regularizer) ? regularizer : [regularizer as Regularizer]
}

/** Σ λ of the regularizers that the update itself takes care of. */
function builtIn(group: GroupSettings, kind: 'l1' | 'l2'): number {
  return regularizersOf(group).reduce((sum, regularizer) => sum + (regularizer[kind] ?? 0), 0)
}

/** Gradients of the regularizers that the update does not know. */
function addGradients(group: Group<GroupSettings>): void {
  for (const regularizer of regularizersOf(group)) {
    if (regularizer.l1 !== undefined || regularizer.l2 !== undefined) continue
    for (const weight of group.parameters.filter(isRegularized)) {
      regularizer.penalty(weight).backward()
    }
  }
}
