/** Numbers of fixtures, in nested arrays: null is NaN, and infinities are words. */
import type { Test } from 'tap'
import { type Tensor, tensor } from '../../lib/index.js'

export type Numbers = number | null | string | Numbers[]

function shapeOf(numbers: Numbers): number[] {
  return Array.isArray(numbers) ? [numbers.length, ...shapeOf(numbers[0])] : []
}

function valuesOf(numbers: Numbers): number[] {
  if (Array.isArray(numbers)) return numbers.flatMap(valuesOf)
  return [numbers === null ? Number.NaN : Number(numbers)]
}

export function tensorOf(numbers: Numbers): Tensor {
  return tensor(Float32Array.from(valuesOf(numbers)), shapeOf(numbers))
}

/** As close as float32 comes, from where the numbers are of the order of 1. */
export function checkClose(
  t: Test,
  found: Tensor,
  expected: Numbers,
  name: string,
  tolerance = 4e-6,
): void {
  t.strictSame(found.shape, shapeOf(expected), `shape of ${name}`)
  const wanted = valuesOf(expected)
  const differing = [...found.data()].findIndex((value, i) => {
    if (Object.is(value, Math.fround(wanted[i])) || value === wanted[i]) return false
    return !(Math.abs(value - wanted[i]) <= tolerance * Math.max(1, Math.abs(wanted[i])))
  })
  const pair = differing < 0 ? '' : ` ${found.data()[differing]} for ${wanted[differing]}`
  t.equal(differing, -1, `${name}${pair}`)
}
