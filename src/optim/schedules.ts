/** Learning rates, or momenta, that change with the steps taken: any function of them is one. */
import { checkNumber } from '../base/arguments.js'

/** The value for a step, counted from 0. */
export type Schedule = (step: number) => number

function positive(schedule: string, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    checkNumber(schedule, name, value, (value) => value > 0, '> 0')
  }
}

/** How the schedules of this file were made, such as `cosine(0.1, 600, 0)`. */
const calls = new WeakMap<Schedule, string>()

function made(schedule: Schedule, name: string, ...settings: number[]): Schedule {
  for (const value of settings) {
    checkNumber(name, 'each setting', value, Number.isFinite, 'to be a finite number')
  }
  calls.set(schedule, `${name}(${settings.join(', ')})`)
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
