import type { Scalar } from '@tensorflow/tfjs'
import { ArgumentError } from '../../index.js'
import { excerpt } from '../../internal.js'

/** Of a number, or of a tensor of one element. */
export function numberOf(op: string, value: number | Scalar): number {
  if (typeof value === 'number') return value
  if (typeof value?.dataSync === 'function' && value.size === 1) return value.dataSync()[0]
  throw new ArgumentError(`${op}: expected a number or a scalar, got ${excerpt(value)}`)
}
