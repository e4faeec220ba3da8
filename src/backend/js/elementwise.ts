/**
 * Kernels that work element by element. Each has its own loop: one loop with the operation as a
 * parameter would cost a call per element as soon as two operations had used it.
 */
import { KernelError } from '../../base/errors.js'
import { ALONG_ALL, ALONG_N0, ALONG_N1, ALONG_N2 } from '../broadcast.js'
import type { TypedArray } from '../dtype.js'
import { erf as errorFunction } from './erf.js'
import type { Floats, JsKernel } from './kernel.js'

/** y[k + t] = a[i + t·di] ∘ b[j + t·dj] for t below n; di and dj are 0 or 1. */
type Line<In> = (
  a: In,
  i: number,
  di: number,
  b: In,
  j: number,
  dj: number,
  y: Floats,
  k: number,
  n: number,
) => void

/** The walk over n0 × n1 × n2 elements, line by line. */
function broadcast<In>(line: Line<In>) {
  return (
    a: In,
    b: In,
    y: Floats,
    n0: number,
    n1: number,
    n2: number,
    aMask: number,
    bMask: number,
  ): void => {
    // Lines run along the last dimension that has more than one element.
    while (n2 === 1 && n0 * n1 > 1) {
      n2 = n1
      n1 = n0
      n0 = 1
      aMask = (aMask << 1) & ALONG_ALL
      bMask = (bMask << 1) & ALONG_ALL
    }
    const [aPlane, aRow, aStep] = steps(n1, n2, aMask)
    const [bPlane, bRow, bStep] = steps(n1, n2, bMask)
    let k = 0
    for (let p = 0; p < n0; p++) {
      for (let r = 0; r < n1; r++) {
        line(a, p * aPlane + r * aRow, aStep, b, p * bPlane + r * bRow, bStep, y, k, n2)
        k += n2
      }
    }
  }
}

/** From one plane, row and element of an operand to the next; 0 where it is repeated. */
function steps(n1: number, n2: number, mask: number): [number, number, number] {
  const row = mask & ALONG_N2 ? n2 : 1
  const plane = mask & ALONG_N1 ? n1 * row : row
  return [mask & ALONG_N0 ? plane : 0, mask & ALONG_N1 ? row : 0, mask & ALONG_N2 ? 1 : 0]
}

export const add = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] + b[j]
})

export const sub = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] - b[j]
})

export const mul = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] * b[j]
})

export const div = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] / b[j]
})

export const pow = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = power(a[i], b[j])
})

// IEEE 754 and C: 1^y = 1 even for NaN, (-1)^±∞ = 1; JavaScript says NaN.
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y
}

// NaN in either operand gives NaN.

export const maximum = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++) {
    const u = a[i]
    const v = b[j]
    y[k] = u > v || Number.isNaN(u) ? u : v
    i += di
    j += dj
  }
})

export const minimum = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
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

export const notEqual = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] !== b[j] ? 1 : 0
})

export const less = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] < b[j] ? 1 : 0
})

export const lessEqual = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] <= b[j] ? 1 : 0
})

export const greater = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
  for (const end = k + n; k < end; k++, i += di, j += dj) y[k] = a[i] > b[j] ? 1 : 0
})

export const greaterEqual = broadcast<Floats>((a, i, di, b, j, dj, y, k, n) => {
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
