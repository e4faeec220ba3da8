/** Learning rates, or momenta, that change with the steps taken: any function of them is one. */
import { checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'

/** The value for a step, counted from 0. */
export type Schedule = (step: number) => number

function positive(schedule: string, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    checkNumber(schedule, name, value, (value) => value > 0, '> 0')
  }
}

/** How the schedules of this file were made, such as `cosine(0.1, 600, 0)`. */
const calls = new WeakMap<Schedule, string>()

function made(schedule: Schedule, name: string, ...settings: (number | Schedule)[]): Schedule {
  const texts = settings.map((value) => {
    if (typeof value === 'function') return describeSchedule(value)
    checkNumber(name, 'each setting', value, Number.isFinite, 'to be a finite number')
    return value
  })
  calls.set(schedule, `${name}(${texts.join(', ')})`)
  return schedule
}

/** Steps whose values tell a function of one's own from another, besides the first. */
const LOOKED_AT = [...Array(7).keys()].flatMap((power) => [1, 2, 5].map((n) => n * 10 ** power))

/**
 * A schedule as text, which is the same for the same schedule in another process: how it was made, or of a
 * function of one's own the values at some steps.
 * @internal
 */
export function describeSchedule(schedule: Schedule): string {
  return calls.get(schedule) ?? `a function (${[0, ...LOOKED_AT].map(schedule).join(', ')})`
}

/**
 * The same value for every step.
 * @throws ArgumentError for what is no finite number
 */
export function constant(lr: number): Schedule {
  return made(() => lr, 'constant', lr)
}

/**
 * lr, times factor after every `every` steps.
 * @throws ArgumentError when `every` or the factor is not > 0, or lr is no finite number
 */
export function stepDecay(lr: number, every: number, factor = 0.1): Schedule {
  positive('stepDecay', { every, factor })
  return made((step) => lr * factor ** Math.floor(step / every), 'stepDecay', lr, every, factor)
}

/**
 * lr·decay^step
 * @throws ArgumentError when the decay is not > 0, or lr is no finite number
 */
export function exponential(lr: number, decay: number): Schedule {
  positive('exponential', { decay })
  return made((step) => lr * decay ** step, 'exponential', lr, decay)
}

/**
 * From lr to `final` along half a cosine over `steps` steps, then `final` (Loshchilov and Hutter 2017).
 * @throws ArgumentError when `steps` is not > 0, or lr or `final` is no finite number
 */
export function cosine(lr: number, steps: number, final = 0): Schedule {
  positive('cosine', { steps })
  const schedule = (step: number) => {
    const progress = Math.min(step / steps, 1)
    return final + ((lr - final) * (1 + Math.cos(Math.PI * progress))) / 2
  }
  return made(schedule, 'cosine', lr, steps, final)
}

/**
 * Begins with a part of another schedule's first value and reaches it after `steps` steps, evenly; from there
 * on that schedule, which begins then. With a number for it, PyTorch's LinearLR.
 * @param next a schedule, or a learning rate that stays
 * @param startFactor the part to begin with, from 0 to 1; 0 by default
 * @throws ArgumentError when `steps` is not > 0, the factor is out of range or `next` is no schedule
 */
export function warmUp(steps: number, next: number | Schedule, startFactor = 0): Schedule {
  positive('warmUp', { steps })
  const isShare = (value: number) => value >= 0 && value <= 1
  checkNumber('warmUp', 'startFactor', startFactor, isShare, 'from 0 to 1')
  if (typeof next !== 'function' && typeof next !== 'number') {
    throw new ArgumentError(`warmUp: expected a schedule or a number, got ${excerpt(next)}`)
  }
  const after = typeof next === 'function' ? next : () => next
  const schedule = (step: number) =>
    step < steps
      ? after(0) * (startFactor + ((1 - startFactor) * step) / steps)
      : after(step - steps)
  return made(schedule, 'warmUp', steps, next, startFactor)
}

/**
 * `cosine` again and again (Loshchilov and Hutter 2017): the first time over `period` steps, each time after
 * that over `factor` times as many.
 * @param factor >= 1; 1 by default
 * @throws ArgumentError when `period` is not > 0, the factor is below 1, or lr or `final` is no finite number
 */
export function cosineRestarts(lr: number, period: number, factor = 1, final = 0): Schedule {
  positive('cosineRestarts', { period })
  checkNumber('cosineRestarts', 'factor', factor, (value) => value >= 1, '>= 1')
  const schedule = (step: number) => {
    let [rest, length] = factor === 1 ? [step % period, period] : [step, period]
    for (; rest >= length; length *= factor) rest -= length
    return final + ((lr - final) * (1 + Math.cos((Math.PI * rest) / length))) / 2
  }
  return made(schedule, 'cosineRestarts', lr, period, factor, final)
}

/** Options of `oneCycle`, with PyTorch's names and defaults. */
export interface OneCycleOptions {
  /** The share of the steps in which the learning rate rises, from 0 to 1; 0.3 by default. */
  pctStart?: number
  /** It begins with lr / divFactor; > 0, 25 by default. */
  divFactor?: number
  /** It ends with that / finalDivFactor; > 0, 10,000 by default. */
  finalDivFactor?: number
  /** How it rises and falls; 'cos' by default. */
  annealStrategy?: 'cos' | 'linear'
}

const ONE_CYCLE = {
  pctStart: true,
  divFactor: true,
  finalDivFactor: true,
  annealStrategy: true,
} as const

/**
 * Up to lr and down to nearly 0 in so many steps (Smith and Topin 2019), as PyTorch's OneCycleLR does, then
 * what it ends with. Momentum is a schedule of its own.
 * @throws ArgumentError when `steps` is not > 1, lr is no finite number, or an option is out of range
 */
export function oneCycle(lr: number, steps: number, options: OneCycleOptions = {}): Schedule {
  const given = optionsOf('oneCycle', options, ONE_CYCLE)
  const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, annealStrategy = 'cos' } = given
  checkNumber('oneCycle', 'lr', lr, Number.isFinite, 'to be a finite number')
  checkNumber('oneCycle', 'steps', steps, (value) => value > 1, '> 1')
  checkNumber('oneCycle', 'pctStart', pctStart, (v) => v >= 0 && v <= 1, 'from 0 to 1')
  positive('oneCycle', { divFactor, finalDivFactor })
  if (annealStrategy !== 'cos' && annealStrategy !== 'linear') {
    throw new ArgumentError(
      `oneCycle: expected annealStrategy cos or linear, got ${excerpt(annealStrategy)}`,
    )
  }
  const first = lr / divFactor
  const final = first / finalDivFactor
  const top = pctStart * steps - 1
  const between = (from: number, to: number, progress: number) =>
    annealStrategy === 'linear'
      ? from + (to - from) * progress
      : to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2
  const schedule = (step: number) => {
    if (step <= top) return between(first, lr, top > 0 ? step / top : 1)
    return between(lr, final, Math.min((step - top) / (steps - 1 - top), 1))
  }
  const strategy = annealStrategy === 'linear' ? 1 : 0
  return made(schedule, 'oneCycle', lr, steps, pctStart, divFactor, finalDivFactor, strategy)
}

/**
 * From lr to `final` along (1 - step / steps)^power over `steps` steps, then `final`; a line for a power of 1.
 * @throws ArgumentError when `steps` or the power is not > 0, or lr or `final` is no finite number
 */
export function polynomial(lr: number, steps: number, power = 1, final = 0): Schedule {
  positive('polynomial', { steps, power })
  const schedule = (step: number) => final + (lr - final) * (1 - Math.min(step / steps, 1)) ** power
  return made(schedule, 'polynomial', lr, steps, power, final)
}
