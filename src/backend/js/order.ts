/** Kernels that go along the middle one of three dimensions in order. */
import type { TypedArray } from '../dtype.js'
import { timesOf } from './integers.js'
import type { JsKernel, Numbers } from './kernel.js'

/** Calls f with the place of the first element of each line of [outer, length, inner]. */
function forLines(
  outer: number,
  length: number,
  inner: number,
  f: (first: number, line: number) => void,
): void {
  if (length === 0) return // then no buffer bounds the others
  for (let line = 0; line < outer * inner; line++) {
    const i = line % inner
    f((line - i) * length + i, line)
  }
}

/** NaN above all. */
function compare(x: TypedArray, i: number, j: number): number {
  if (x[i] < x[j]) return -1
  if (x[i] > x[j]) return 1
  return +Number.isNaN(x[i]) - +Number.isNaN(x[j])
}

export const argsort: JsKernel<'argsort'> = (
  x,
  indices,
  _keys,
  outer,
  length,
  inner,
  count,
  descending,
) => {
  if (count === 0) return
  const sign = descending ? -1 : 1
  forLines(outer, length, inner, (first, line) => {
    const places = Int32Array.from({ length }, (_, r) => r)
    places.sort((i, j) => sign * compare(x, first + i * inner, first + j * inner))
    const i = line % inner
    for (let r = 0; r < count; r++) indices[(line - i) * count + r * inner + i] = places[r]
  })
}

function scan(
  x: Numbers,
  y: Numbers,
  [outer, length, inner]: readonly number[],
  reverse: boolean,
  neutral: number,
  combine: (total: number, x: number) => number,
): void {
  forLines(outer, length, inner, (first) => {
    let total = neutral
    for (let i = 0; i < length; i++) {
      const at = first + (reverse ? length - 1 - i : i) * inner
      y[at] = total = combine(total, x[at])
    }
  })
}

export const cumsum: JsKernel<'cumsum'> = (x, y, outer, length, inner, reverse) => {
  scan(x, y, [outer, length, inner], reverse === 1, 0, (sum, x) => sum + x)
}

export const cumprod: JsKernel<'cumprod'> = (x, y, outer, length, inner, reverse) => {
  scan(x, y, [outer, length, inner], reverse === 1, 1, timesOf(x))
}

// dx[i] = y[i-1]·s[i] with s[i] = dy[i] + x[i+1]·s[i+1]: nothing is divided by what may be 0.
export const cumprodGrad: JsKernel<'cumprodGrad'> = (x, y, dy, dx, outer, length, inner) => {
  forLines(outer, length, inner, (first) => {
    let sum = 0
    for (let r = length - 1; r >= 0; r--) {
      const at = first + r * inner
      const later = r + 1 < length ? x[at + inner] * sum : 0
      sum = dy[at] + later
      dx[at] = (r > 0 ? y[at - inner] : 1) * sum
    }
  })
}
