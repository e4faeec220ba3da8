/**
 * What computes for src/blas/index.ts, given arguments that were checked: its types, and the plain loops
 * that stand in for the addon.
 */

/** @inline */
export type FloatArray = Float32Array | Float64Array

/**
 * Arguments of `gemm`, in BLAS's order; `lda`, `ldb` and `ldc` are the distances between the starts
 * of rows.
 */
export type GemmArguments<A extends FloatArray> = [
  transA: boolean,
  transB: boolean,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: A,
  lda: number,
  b: A,
  ldb: number,
  beta: number,
  c: A,
  ldc: number,
]
/**
 * Arguments of `gemv`, in BLAS's order; `lda` is the distance between the starts of rows, `incx`
 * and `incy` those between elements.
 */
export type GemvArguments<A extends FloatArray> = [
  trans: boolean,
  m: number,
  n: number,
  alpha: number,
  a: A,
  lda: number,
  x: A,
  incx: number,
  beta: number,
  y: A,
  incy: number,
]
/** Arguments of `axpy`, in BLAS's order; `incx` and `incy` are the distances between elements. */
export type AxpyArguments<A extends FloatArray> = [
  n: number,
  alpha: number,
  x: A,
  incx: number,
  y: A,
  incy: number,
]
/** Arguments of `dot`, in BLAS's order; `incx` and `incy` are the distances between elements. */
export type DotArguments<A extends FloatArray> = [n: number, x: A, incx: number, y: A, incy: number]

/** @inline */
export type Gemm = GemmArguments<Float32Array> | GemmArguments<Float64Array>
/** @inline */
export type Gemv = GemvArguments<Float32Array> | GemvArguments<Float64Array>
/** @inline */
export type Axpy = AxpyArguments<Float32Array> | AxpyArguments<Float64Array>
/** @inline */
export type Dot = DotArguments<Float32Array> | DotArguments<Float64Array>

/** gemm, gemv, axpy and dot; the addon's `blas` is one. */
export interface Engine {
  gemm(...args: Gemm): void
  gemv(...args: Gemv): void
  axpy(...args: Axpy): void
  dot(...args: Dot): number
}

/** Where a vector of n elements starts. */
const start = (n: number, step: number) => (step < 0 ? (1 - n) * step : 0)

/** y = beta·y, which reads y only where beta is not 0. */
function scale(n: number, beta: number, y: FloatArray, step: number): void {
  if (beta === 1) return
  for (let i = 0; i < n; i++) {
    const at = i * Math.abs(step)
    y[at] = beta === 0 ? 0 : beta * y[at]
  }
}

/** Σ of n products, walking both arrays from where the caller says. */
function inner(
  n: number,
  x: FloatArray,
  atX: number,
  incx: number,
  y: FloatArray,
  atY: number,
  incy: number,
): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += x[atX + i * incx] * y[atY + i * incy]
  return sum
}

export const loops: Engine = {
  gemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) {
    for (let i = 0; i < m; i++) {
      const row = c.subarray(i * ldc, i * ldc + n)
      scale(n, beta, row, 1)
      if (alpha === 0) continue
      const atA = transA ? i : i * lda
      for (let j = 0; j < n; j++) {
        const atB = transB ? j * ldb : j
        row[j] += alpha * inner(k, a, atA, transA ? lda : 1, b, atB, transB ? 1 : ldb)
      }
    }
  },

  gemv(trans, m, n, alpha, a, lda, x, incx, beta, y, incy) {
    const [rows, cols] = trans ? [n, m] : [m, n]
    scale(rows, beta, y, incy)
    if (alpha === 0) return
    const atX = start(cols, incx)
    const atY = start(rows, incy)
    for (let i = 0; i < rows; i++) {
      const atA = trans ? i : i * lda
      y[atY + i * incy] += alpha * inner(cols, a, atA, trans ? lda : 1, x, atX, incx)
    }
  },

  axpy(n, alpha, x, incx, y, incy) {
    if (alpha === 0) return
    const atX = start(n, incx)
    const atY = start(n, incy)
    for (let i = 0; i < n; i++) y[atY + i * incy] += alpha * x[atX + i * incx]
  },

  dot(n, x, incx, y, incy) {
    return inner(n, x, start(n, incx), incx, y, start(n, incy), incy)
  },
}
