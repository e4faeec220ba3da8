/**
 * Kernels that work element by element. Each has its own loop: one loop with the operation as a
 * parameter would cost a call per element as soon as two operations had used it.
 */
import { KernelError } from '../../base/errors.js'
import type { TypedArray } from '../dtype.js'
import { broadcast } from './broadcast.js'
import { erf as errorFunction } from './erf.js'
import { integerPower } from './integers.js'
import type { Floats, JsKernel, Numbers } from './kernel.js'

export const add = broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] + b[j]
})

export const sub = broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] - b[j]
})

const mulFloats = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] * b[j]
})
// A double does not hold all digits of the product of two integers.
const mulIntegers = broadcast<Int32Array, Int32Array>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = Math.imul(a[i], b[j])
})
export const mul: JsKernel<'mul'> = (a, b, y, ...extents) => {
  if (y instanceof Int32Array) mulIntegers(a as Int32Array, b as Int32Array, y, ...extents)
  else mulFloats(a as Floats, b as Floats, y, ...extents)
}

export const div = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] / b[j]
})

const powFloats = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = power(a[i], b[j])
})
const powIntegers = broadcast<Int32Array, Int32Array>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = integerPower(a[i], b[j])
})
export const pow: JsKernel<'pow'> = (a, b, y, ...extents) => {
  if (y instanceof Int32Array) powIntegers(a as Int32Array, b as Int32Array, y, ...extents)
  else powFloats(a as Floats, b as Floats, y, ...extents)
}

// IEEE 754 and C: 1^y = 1 even for NaN, (-1)^±∞ = 1; JavaScript says NaN.
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y
}

// NaN in either operand gives NaN.

export const maximum = broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++) {
    const u = a[i]
    const v = b[j]
    y[k] = u > v || Number.isNaN(u) ? u : v
    i += di
    j += dj
  }
})

export const minimum = broadcast<Numbers, Numbers>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++) {
    const u = a[i]
    const v = b[j]
    y[k] = u < v || Number.isNaN(u) ? u : v
    i += di
    j += dj
  }
})

export const equal = broadcast<TypedArray>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] === b[j] ? 1 : 0
})

export const notEqual = broadcast<TypedArray>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] !== b[j] ? 1 : 0
})

export const less = broadcast<TypedArray>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] < b[j] ? 1 : 0
})

export const lessEqual = broadcast<TypedArray>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] <= b[j] ? 1 : 0
})

export const greater = broadcast<TypedArray>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] > b[j] ? 1 : 0
})

export const greaterEqual = broadcast<TypedArray>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] >= b[j] ? 1 : 0
})

export const neg: JsKernel<'neg'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = -x[i]
}

export const abs: JsKernel<'abs'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.abs(x[i])
}

// Of NaN it is 0, as in PyTorch.
export const sign: JsKernel<'sign'> = (x, y, n) => {
  for (let i = 0; i < n; i++) {
    const v = x[i]
    y[i] = v > 0 ? 1 : v < 0 ? -1 : 0
  }
}

export const exp: JsKernel<'exp'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.exp(x[i])
}

export const log: JsKernel<'log'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.log(x[i])
}

export const sqrt: JsKernel<'sqrt'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.sqrt(x[i])
}

export const square: JsKernel<'square'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] * x[i]
}

export const reciprocal: JsKernel<'reciprocal'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = 1 / x[i]
}

export const sin: JsKernel<'sin'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.sin(x[i])
}

export const cos: JsKernel<'cos'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.cos(x[i])
}

export const log1p: JsKernel<'log1p'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.log1p(x[i])
}

export const expm1: JsKernel<'expm1'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.expm1(x[i])
}

export const erf: JsKernel<'erf'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = errorFunction(x[i])
}

export const relu: JsKernel<'relu'> = (x, y, n) => {
  for (let i = 0; i < n; i++) {
    const v = x[i]
    y[i] = v < 0 ? 0 : v
  }
}

// The exponent is never positive: no overflow, and both tails keep their relative accuracy.

export const sigmoid: JsKernel<'sigmoid'> = (x, y, n) => {
  for (let i = 0; i < n; i++) {
    const v = x[i]
    const e = Math.exp(-Math.abs(v))
    y[i] = (v < 0 ? e : 1) / (1 + e)
  }
}

export const tanh: JsKernel<'tanh'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.tanh(x[i])
}

export const softplus: JsKernel<'softplus'> = (x, y, n) => {
  for (let i = 0; i < n; i++) {
    const v = x[i]
    y[i] = (v > 0 ? v : 0) + Math.log1p(Math.exp(-Math.abs(v)))
  }
}

export const reluGrad: JsKernel<'reluGrad'> = (y, dy, dx, n) => {
  for (let i = 0; i < n; i++) dx[i] = y[i] <= 0 ? 0 : dy[i]
}

export const sigmoidGrad: JsKernel<'sigmoidGrad'> = (y, dy, dx, n) => {
  for (let i = 0; i < n; i++) dx[i] = dy[i] * y[i] * (1 - y[i])
}

export const tanhGrad: JsKernel<'tanhGrad'> = (y, dy, dx, n) => {
  for (let i = 0; i < n; i++) dx[i] = dy[i] * (1 - y[i] * y[i])
}

export const affine: JsKernel<'affine'> = (x, y, n, scale, shift) => {
  for (let i = 0; i < n; i++) y[i] = scale * x[i] + shift
}

export const clip: JsKernel<'clip'> = (x, y, n, low, high) => {
  if (!(low <= high)) {
    throw new KernelError(`clip: low must be at most high, got ${low} and ${high}`)
  }
  for (let i = 0; i < n; i++) {
    const v = x[i]
    y[i] = v < low ? low : v > high ? high : v
  }
}

export const select: JsKernel<'select'> = (condition, a, b, y, n) => {
  for (let i = 0; i < n; i++) y[i] = condition[i] !== 0 ? a[i] : b[i]
}
