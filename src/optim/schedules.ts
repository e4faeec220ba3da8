/** Learning rates, or momenta, that change with the steps taken: any function of them is one. */
import { checkNumber } from '../base/arguments.js'

/** The value for a step, counted from 0. */
export type Schedule = (step: number) => number

function positive(schedule: string, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    checkNumber(schedule, name, value, (value) => value > 0, '> 0')
  }
}

/** The same value for every step. */
export function constant(lr: number): Schedule {
  return () => lr
}

/**
 * lr, times factor after every `every` steps.
 * @throws ArgumentError when `every` or the factor is not > 0
 */
export function stepDecay(lr: number, every: number, factor = 0.1): Schedule {
  positive('stepDecay', { every, factor })
  return (step) => lr * factor ** Math.floor(step / every)
}

/**
 * lr·decay^step
 * @throws ArgumentError when the decay is not > 0
 */
export function exponential(lr: number, decay: number): Schedule {
  positive('exponential', { decay })
  return (step) => lr * decay ** step
}

/**
 * From lr to `final` along half a cosine over `steps` steps, then `final` (Loshchilov and Hutter 2017).
 * @throws ArgumentError when `steps` is not > 0
 */
export function cosine(lr: number, steps: number, final = 0): Schedule {
  positive('cosine', { steps })
  return (step) => {
    const progress = Math.min(step / steps, 1)
    return final + ((lr - final) * (1 + Math.cos(Math.PI * progress))) / 2
  }
}
