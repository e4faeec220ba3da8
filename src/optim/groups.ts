/** Groups of parameters with settings of their own, as an optimizer keeps them and as callers see them. */
import { isFloat } from '../backend/dtype.js'
import { noteChange } from '../backend/reads.js'
import { isRecording, noteRead } from '../backend/record.js'
import { checkNumber, isWithin, refuseUnknown } from '../base/arguments.js'
import { ArgumentError, AutogradError, CaptureError, excerpt, spelled } from '../base/errors.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import { regularizersOf, unknownTo } from './regularized.js'
import type { Regularizer } from './regularizers.js'
import type { Schedule } from './schedules.js'

/** Settings that every optimizer knows. Each can be changed between steps, captured ones, too. */
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

/** Ranges of settings. */
export const atLeast0 = (value: number) => value >= 0 && value < Infinity
export const above0 = (value: number) => value > 0 && value < Infinity

/** Refuses decays of averages that are not from 0 to below 1. */
export function checkDecays(op: string, decays: Readonly<Record<string, number>>): void {
  for (const [name, decay] of Object.entries(decays)) {
    checkNumber(op, name, decay, (value) => value >= 0 && value < 1, 'from 0 to below 1')
  }
}

/**
 * The groups of an optimizer.
 * @param op whose they are, for messages
 * @param settings what a group does not say itself
 * @param known the names of all settings; undefined where that is not known
 * @throws ArgumentError for settings that do not exist, and for parameters that are none or come twice
 */
export function groupsOf<Settings extends object>(
  op: string,
  parameters: readonly (Tensor | ({ parameters: readonly Tensor[] } & Partial<Settings>))[],
  settings: Settings,
  known: readonly string[] | undefined,
): Group<Settings>[] {
  if (!Array.isArray(parameters) || parameters.length === 0) {
    throw new ArgumentError(
      `${op}: expected parameters to optimize, such as model.parameters(), got none; modules find them in public properties`,
    )
  }
  if (known) refuseUnknown(op, settings, known)
  const groups: Group<Settings>[] = [...parameters].every((item) => isGroup(item))
    ? parameters.map((group) => groupOf(op, { ...settings, ...group }))
    : [groupOf(op, { ...settings, parameters })]
  const all = groups.flatMap((group) => group.parameters)
  if (new Set(all).size !== all.length)
    throw new ArgumentError(`${op}: expected each parameter once`)
  if (known) for (const group of groups) refuseUnknown(op, group, [...known, 'parameters'])
  return groups
}

/** Whether it is a group, rather than a parameter. */
function isGroup(item: unknown): boolean {
  return typeof item === 'object' && item !== null && !isTensor(item) && 'parameters' in item
}

/** A group of tensors whose lists are its own, so that only a new list changes them. */
function groupOf<Settings extends object>(
  op: string,
  group: { parameters: readonly unknown[] } & Settings,
): Group<Settings> {
  checkMoved(op, group.parameters)
  return Object.fromEntries(
    Object.entries(group).map(([name, value]) => [name, ownList(value)]),
  ) as Group<Settings>
}

/** Refuses what one step could not move as a whole: the settings of a group have one dtype. */
function checkMoved(op: string, parameters: unknown): void {
  checkParameters(op, parameters)
  const dtypes = [...new Set((parameters as readonly AnyTensor[]).map(({ dtype }) => dtype))]
  if (dtypes.length <= 1 && dtypes.every(isFloat)) return
  throw new ArgumentError(
    `${op}: expected parameters of one dtype of floats in a group, got ${dtypes.join(' and ')}`,
  )
}

/** @throws ArgumentError for what is no list of tensors */
export function checkParameters(op: string, parameters: unknown): void {
  const given: readonly unknown[] = Array.isArray(parameters) ? [...parameters] : [parameters]
  const wrong = given.findIndex((x) => !isTensor(x))
  if (wrong < 0 && Array.isArray(parameters)) return
  throw new ArgumentError(
    `${op}: expected a list of tensors to optimize, got ${excerpt(given[Math.max(wrong, 0)])}`,
  )
}

function ownList(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze([...value]) : value
}

/**
 * Refuses settings out of range.
 * @param op whose they are, for messages
 * @param lr the learning rate of the next step
 * @param steps taken before it
 */
export function checkSettings(op: string, lr: number, group: GroupSettings, steps: number): void {
  if (!isWithin(lr, 0, Infinity)) {
    const from = typeof group.lr === 'function' ? ` from the schedule for step ${steps}` : ''
    throw new ArgumentError(`${op}: expected lr >= 0${from}, got ${excerpt(lr)}`)
  }
  const { maxNorm = Infinity } = group
  if (typeof maxNorm !== 'number' || !(maxNorm > 0)) {
    throw new ArgumentError(`${op}: expected maxNorm > 0, got ${excerpt(maxNorm)}`)
  }
  if (group.regularizer === undefined) return
  for (const regularizer of regularizersOf(group)) {
    if (typeof regularizer?.penalty === 'function') continue
    throw new ArgumentError(
      `${op}: expected regularizers such as l2(1e-4), got ${spelled(regularizer)}`,
    )
  }
}

/** @throws ArgumentError for what has no settings */
export function checkGroup(op: string, group: unknown): void {
  if (typeof group === 'object' && group !== null) return
  throw new ArgumentError(`${op}: expected a group of the optimizer, got ${excerpt(group)}`)
}

/**
 * A group whose settings can be changed. Captured steps hear of it.
 * @param op whose settings they are, for messages
 * @param known the names of all settings; undefined where that is not known
 */
export function settable<Settings extends object>(
  op: string,
  group: Group<Settings>,
  known: readonly string[] | undefined,
): Group<Settings> {
  return new Proxy(group, {
    set(target, name, value) {
      if (known) refuseUnknown(op, { [name]: value }, [...known, 'parameters'])
      if (isRecording()) {
        throw new CaptureError(
          `capture: ${String(name)} of ${op} was set inside, which replays would not repeat; set it between calls, or make it a schedule`,
        )
      }
      if (name === 'parameters') checkMoved(op, value)
      noteChange()
      return Reflect.set(target, name, ownList(value))
    },
    deleteProperty(target, name) {
      noteChange()
      return Reflect.deleteProperty(target, name)
    },
  })
}

/**
 * For captured steps: notes what decides on the kernels of an update.
 * @param choices which of a group's settings are on
 */
export function noteSettings<Settings extends GroupSettings>(
  groups: readonly Group<Settings>[],
  choices: (group: Group<Settings>) => number,
): void {
  for (const group of groups) {
    const settings = () => [choices(group), ...unknownTo(group), ...group.parameters]
    const read = {
      get values() {
        return settings()
      },
    }
    noteRead(read, 'values', read.values)
  }
}

/** @throws AutogradError when no parameter has a gradient */
export function requireGradient(op: string, parameters: readonly Tensor[]): void {
  if (parameters.some(({ grad }) => grad !== null)) return
  const isFrozen = parameters.every(({ requiresGrad }) => !requiresGrad)
  throw new AutogradError(
    `${op}: expected a gradient on some parameter, got none; ${
      isFrozen
        ? 'requiresGrad is false on all of them'
        : 'call backward() of a loss that depends on them before step()'
    }`,
  )
}
