/** Functions of angles, their inverses, and the hyperbolic ones. */
import { broadcast } from './broadcast.js'
import type { Floats, JsKernel } from './kernel.js'

const map =
  (f: (x: number) => number): JsKernel<'tan'> =>
  (x, y, n) => {
    for (let i = 0; i < n; i++) y[i] = f(x[i])
  }

export const tan = map(Math.tan)
export const asin = map(Math.asin)
export const acos = map(Math.acos)
export const atan = map(Math.atan)
export const sinh = map(Math.sinh)
export const cosh = map(Math.cosh)
export const asinh = map(Math.asinh)
export const acosh = map(Math.acosh)
export const atanh = map(Math.atanh)

export const atan2 = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = Math.atan2(a[i], b[j])
})
