/**
 * Kernels that reduce the middle one of three dimensions in doubles, column by column: x is
 * [outer, length, inner], y is [outer, inner].
 */

import { timesOf } from './integers.js'
import type { JsKernel } from './kernel.js'

/** Calls f with the place of each column's first element and of its result. */
function forColumns(
  outer: number,
  length: number,
  inner: number,
  f: (at: number, to: number) => void,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) f(o * length * inner + i, o * inner + i)
  }
}

export const variance: JsKernel<'variance'> = (x, y, outer, length, inner, correction) => {
  const freedom = Math.max(0, length - correction)
  forColumns(outer, length, inner, (at, to) => {
    const end = at + length * inner
    let sum = 0
    for (let i = at; i < end; i += inner) sum += x[i]
    const mean = sum / length
    let squares = 0
    for (let i = at; i < end; i += inner) squares += (x[i] - mean) ** 2
    y[to] = squares / freedom
  })
}

export const prod: JsKernel<'prod'> = (x, y, outer, length, inner) => {
  const times = timesOf(x)
  forColumns(outer, length, inner, (at, to) => {
    let product = 1
    for (let r = 0; r < length; r++) product = times(product, x[at + r * inner])
    y[to] = product
  })
}

export const prodGrad: JsKernel<'prodGrad'> = (x, dy, dx, outer, length, inner) => {
  forColumns(outer, length, inner, (at, from) => {
    // The product of all that are not 0.
    let rest = 1
    let zeros = 0
    const end = at + length * inner
    for (let i = at; i < end; i += inner) {
      if (x[i] === 0) zeros++
      else rest *= x[i]
    }
    for (let i = at; i < end; i += inner) {
      const v = x[i]
      const isOnly = zeros === (v === 0 ? 1 : 0)
      dx[i] = dy[from] * (isOnly ? (v === 0 ? rest : rest / v) : 0)
    }
  })
}

export const sumInt32: JsKernel<'sumInt32'> = (x, y, outer, length, inner) => {
  forColumns(outer, length, inner, (at, to) => {
    let total = 0
    for (let r = 0; r < length; r++) total = (total + x[at + r * inner]) | 0
    y[to] = total
  })
}

/** Whether an element is true, or false, as is wanted. */
function find(x: Uint8Array, at: number, length: number, inner: number, wanted: boolean): boolean {
  for (let r = 0; r < length; r++) if ((x[at + r * inner] !== 0) === wanted) return true
  return false
}

export const any: JsKernel<'any'> = (x, y, outer, length, inner) => {
  forColumns(outer, length, inner, (at, to) => {
    y[to] = find(x, at, length, inner, true) ? 1 : 0
  })
}

export const all: JsKernel<'all'> = (x, y, outer, length, inner) => {
  forColumns(outer, length, inner, (at, to) => {
    y[to] = find(x, at, length, inner, false) ? 0 : 1
  })
}
