/**
 * Kernels that reduce the middle one of three dimensions: x is [outer, length, inner], y is
 * [outer, inner].
 */
import { KernelError } from '../../base/errors.js'
import type { Floats, JsKernel } from './kernel.js'

let sums = new Float64Array(1024)

export const sum: JsKernel<'sum'> = (x, y, outer, length, inner, scale) => {
  if (x instanceof Float64Array) sumCompensated(x, y, outer, length, inner, scale)
  else if (inner === 1) sumRows(x, y, outer, length, scale)
  else sumColumns(x, y, outer, length, inner, scale)
}

// Float32 elements: doubles are accurate enough. Four sums, because each addition would otherwise
// wait for the one before.
function sumRows(x: Floats, y: Floats, rows: number, length: number, scale: number): void {
  let i = 0
  for (let r = 0; r < rows; r++) {
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    const end = i + length
    for (; i + 4 <= end; i += 4) {
      s0 += x[i]
      s1 += x[i + 1]
      s2 += x[i + 2]
      s3 += x[i + 3]
    }
    for (; i < end; i++) s0 += x[i]
    y[r] = scale * (s0 + s1 + (s2 + s3))
  }
}

// Row by row, so that x is read in its order.
function sumColumns(
  x: Floats,
  y: Floats,
  outer: number,
  length: number,
  inner: number,
  scale: number,
): void {
  if (sums.length < inner) sums = new Float64Array(inner)
  const s = sums
  let from = 0
  for (let o = 0; o < outer; o++) {
    s.fill(0, 0, inner)
    for (let r = 0; r < length; r++) {
      for (let i = 0; i < inner; i++) s[i] += x[from + i]
      from += inner
    }
    const to = o * inner
    for (let i = 0; i < inner; i++) y[to + i] = scale * s[i]
  }
}

// Float64 elements: Neumaier's summation (1974), which keeps what every addition rounds away.
function sumCompensated(
  x: Float64Array,
  y: Floats,
  outer: number,
  length: number,
  inner: number,
  scale: number,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let s = 0
      let lost = 0
      let at = o * length * inner + i
      for (let r = 0; r < length; r++) {
        const v = x[at]
        const t = s + v
        lost += Math.abs(s) >= Math.abs(v) ? s - t + v : v - t + s
        s = t
        at += inner
      }
      // Beside an infinite sum what was lost is NaN.
      y[o * inner + i] = scale * (Number.isFinite(s) ? s + lost : s)
    }
  }
}

export const norm: JsKernel<'norm'> = (x, y, outer, length, inner) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let at = o * length * inner + i
      let s = 0
      for (let r = 0; r < length; r++, at += inner) s += x[at] * x[at]
      y[o * inner + i] = Math.sqrt(s)
    }
  }
}

function refuseEmpty(kernel: string, outer: number, length: number, inner: number): void {
  if (length === 0 && outer > 0 && inner > 0) {
    throw new KernelError(`${kernel}: length must be at least 1: there is no largest of nothing`)
  }
}

export const max: JsKernel<'max'> = (x, y, outer, length, inner) => {
  refuseEmpty('max', outer, length, inner)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let at = o * length * inner + i
      let largest = -Infinity
      for (let r = 0; r < length; r++) {
        const v = x[at]
        if (v > largest || Number.isNaN(v)) largest = v
        at += inner
      }
      y[o * inner + i] = largest
    }
  }
}

export const argmax: JsKernel<'argmax'> = (x, y, outer, length, inner) => {
  refuseEmpty('argmax', outer, length, inner)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let at = o * length * inner + i
      let largest = x[at]
      let position = 0
      for (let r = 1; r < length && !Number.isNaN(largest); r++) {
        at += inner
        const v = x[at]
        if (v > largest || Number.isNaN(v)) {
          largest = v
          position = r
        }
      }
      y[o * inner + i] = position
    }
  }
}
