/** Groups of parameters with settings of their own, as an optimizer keeps them and as callers see them. */
import { noteChange } from '../backend/reads.js'
import { isRecording } from '../backend/record.js'
import { checkNumber, isWithin, refuseUnknown } from '../base/arguments.js'
import { ArgumentError, CaptureError, excerpt, spelled } from '../base/errors.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'
import { regularizersOf } from './regularized.js'
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

/** Whether it is a group, rather than a parameter. */
export function isGroup(item: unknown): boolean {
  return typeof item === 'object' && item !== null && !isTensor(item) && 'parameters' in item
}

/**
 * A group of tensors whose lists are its own, so that only a new list changes them.
 * @param op whose it is, for messages
 * @throws ArgumentError for parameters that are no tensors
 */
export function groupOf<Settings extends object>(
  op: string,
  group: { parameters: readonly unknown[] } & Settings,
): Group<Settings> {
  checkParameters(op, group.parameters)
  return Object.fromEntries(
    Object.entries(group).map(([name, value]) => [name, ownList(value)]),
  ) as Group<Settings>
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
      if (name === 'parameters') checkParameters(op, value)
      noteChange()
      return Reflect.set(target, name, ownList(value))
    },
    deleteProperty(target, name) {
      noteChange()
      return Reflect.deleteProperty(target, name)
    },
  })
}
