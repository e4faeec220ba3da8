/**
 * Whole quotients and what is left over, as Python divides, and what is true of two truth values. An
 * Int32Array takes a quotient of 2^31 modulo 2^32.
 */
import { KernelError } from '../../base/errors.js'
import { broadcast } from './broadcast.js'
import type { JsKernel, Numbers } from './kernel.js'

function leftOver(a: number, b: number): number {
  const r = a % b
  return r !== 0 && r < 0 !== b < 0 ? r + b : r
}

// Not floor(a / b): the quotient may have been rounded up to a whole number.
function floorOf(a: number, b: number): number {
  if (b === 0) return a / b
  const rest = a % b
  const isAbove = rest !== 0 && rest < 0 !== b < 0
  const quotient = (a - rest) / b - (isAbove ? 1 : 0)
  if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0
  const below = Math.floor(quotient)
  return quotient - below > 0.5 ? below + 1 : below
}

type Divide = JsKernel<'floorDivide'>

/** Refuses divisors that are 0, where they are integers. */
function checked(kernel: string, divide: Divide): Divide {
  return (a, b, y, n0, n1, n2, aMask, bMask) => {
    const divisors = (bMask & 1 ? n0 : 1) * (bMask & 2 ? n1 : 1) * (bMask & 4 ? n2 : 1)
    const zero = b instanceof Int32Array ? b.subarray(0, divisors).indexOf(0) : -1
    if (zero >= 0 && n0 * n1 * n2 > 0) {
      throw new KernelError(`${kernel}: b[${zero}]: expected a divisor other than 0, got 0`)
    }
    divide(a, b, y, n0, n1, n2, aMask, bMask)
  }
}

export const floorDivide = checked(
  'floorDivide',
  broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = floorOf(a[i], b[j])
  }),
)

export const remainder = checked(
  'remainder',
  broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = leftOver(a[i], b[j])
  }),
)

export const truncDivide: JsKernel<'truncDivide'> = checked(
  'truncDivide',
  broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = Math.trunc(a[i] / b[j])
  }),
)

export const logicalAnd = broadcast<Uint8Array, Uint8Array>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] && b[j] ? 1 : 0
})

export const logicalOr = broadcast<Uint8Array, Uint8Array>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] || b[j] ? 1 : 0
})

export const logicalXor = broadcast<Uint8Array, Uint8Array>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = !a[i] === !b[j] ? 0 : 1
})

export const logicalNot: JsKernel<'logicalNot'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] ? 0 : 1
}
