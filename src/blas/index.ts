/**
 * `neuroblas/blas`: gemm, gemv, axpy and dot on plain typed arrays, for projects that want only
 * that. Row-major, with BLAS's usual arguments; all arrays of a call are Float32Array or all are
 * Float64Array. Runs on OpenBLAS where the system has it, else on the engine and the loops of the
 * addon, and on loops in JavaScript where that is the backend in use.
 *
 * Throws ArgumentError for an argument of the wrong type or outside its range, and ShapeError where
 * the sizes do not fit each other or an array. A result must not share memory with an operand, save
 * for blocks of one matrix that do not meet.
 * @module neuroblas/blas
 */
import { currentBackend } from '../backend/current.js'
import { loadAddon } from '../backend/native/addon.js'
import { flag, matrix, number, sameType, separate, size, vector } from './checks.js'
import { type Axpy, type Dot, type Engine, type Gemm, type Gemv, loops } from './engine.js'

export type { AxpyArguments, DotArguments, GemmArguments, GemvArguments } from './engine.js'

function engine(): Engine {
  return currentBackend().name === 'native' ? loadAddon().blas : loops
}

/**
 * c = alpha·op(a)·op(b) + beta·c, where op(a) is [m, k], op(b) is [k, n], c is [m, n], and op
 * transposes where its flag says so. `lda`, `ldb`, `ldc` are the distances between the starts of
 * rows as they are stored. With beta = 0, c is not read.
 * @throws ArgumentError for an argument of the wrong type or outside its range, ShapeError where the
 * sizes do not fit the arrays
 * @example
 * // c [2, 2] = a [2, 3]·b [3, 2]
 * gemm(false, false, 2, 2, 3, 1, a, 3, b, 2, 0, c, 2)
 */
export function gemm(...args: Gemm): void {
  const [transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc] = args
  flag('gemm', 'transA', transA)
  flag('gemm', 'transB', transB)
  size('gemm', 'm', m)
  size('gemm', 'n', n)
  size('gemm', 'k', k)
  number('gemm', 'alpha', alpha)
  number('gemm', 'beta', beta)
  sameType('gemm', { a, b, c })
  const product = matrix('gemm', 'c', c, m, n, 'n', ldc)
  separate('gemm', product, [
    transA ? matrix('gemm', 'a', a, k, m, 'm', lda) : matrix('gemm', 'a', a, m, k, 'k', lda),
    transB ? matrix('gemm', 'b', b, n, k, 'k', ldb) : matrix('gemm', 'b', b, k, n, 'n', ldb),
  ])
  engine().gemm(...args)
}

/**
 * y = alpha·op(a)·x + beta·y, where a is [m, n] and op transposes it where `trans` says so. With
 * beta = 0, y is not read.
 * @throws ArgumentError, ShapeError as `gemm`
 */
export function gemv(...args: Gemv): void {
  const [trans, m, n, alpha, a, lda, x, incx, beta, y, incy] = args
  flag('gemv', 'trans', trans)
  size('gemv', 'm', m)
  size('gemv', 'n', n)
  number('gemv', 'alpha', alpha)
  number('gemv', 'beta', beta)
  sameType('gemv', { a, x, y })
  const product = vector('gemv', 'y', y, trans ? n : m, incy)
  separate('gemv', product, [
    matrix('gemv', 'a', a, m, n, 'n', lda),
    vector('gemv', 'x', x, trans ? m : n, incx),
  ])
  engine().gemv(...args)
}

/**
 * y = alpha·x + y. A negative increment walks the array from its far end, as in BLAS.
 * @throws ArgumentError, ShapeError as `gemm`
 */
export function axpy(...args: Axpy): void {
  const [n, alpha, x, incx, y, incy] = args
  size('axpy', 'n', n)
  number('axpy', 'alpha', alpha)
  sameType('axpy', { x, y })
  separate('axpy', vector('axpy', 'y', y, n, incy), [vector('axpy', 'x', x, n, incx)])
  engine().axpy(...args)
}

/**
 * Σ x·y. A negative increment walks the array from its far end, as in BLAS.
 * @throws ArgumentError, ShapeError as `gemm`
 */
export function dot(...args: Dot): number {
  const [n, x, incx, y, incy] = args
  size('dot', 'n', n)
  sameType('dot', { x, y })
  vector('dot', 'x', x, n, incx)
  vector('dot', 'y', y, n, incy)
  return engine().dot(...args)
}
