/** Arithmetic of integers, which wraps around beyond their range. */
import type { Numbers } from './kernel.js'

const times = (a: number, b: number) => a * b

/** The product of what such an array holds. */
export function timesOf(x: Numbers): (a: number, b: number) => number {
  return x instanceof Int32Array ? Math.imul : times
}

/** a^b without what is behind the point; 0 for 0 to a power below 0. */
export function integerPower(a: number, b: number): number {
  if (b < 0) return Math.abs(a) === 1 ? integerPower(a, -b) : 0
  let result = 1
  for (let square = a, rest = b; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square)
    square = Math.imul(square, square)
  }
  return result
}
