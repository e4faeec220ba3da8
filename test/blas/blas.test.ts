/**
 * neuroblas/blas against loops in float64, on OpenBLAS and on the loops of the library, in both
 * precisions; and that every argument is refused when it is wrong.
 */
import t, { type Test } from 'tap'
import { setBackend } from '../../lib/backend/current.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { ArgumentError, ShapeError } from '../../lib/base/errors.js'
import { axpy, dot, gemm, gemv } from '../../lib/blas/index.js'

type FloatArray = Float32Array | Float64Array
type FloatArrayType = typeof Float32Array | typeof Float64Array
// The same functions with any arguments.
const calls = { gemm, gemv, axpy, dot } as unknown as Record<
  'gemm' | 'gemv' | 'axpy' | 'dot',
  (...args: unknown[]) => number
>
const precisions = { float32: Float32Array, float64: Float64Array }
const flags = [false, true]

let seed = 1
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 31 - 1
}

/** A row-major matrix with room between its rows and after the last one. */
class Matrix {
  readonly data: FloatArray
  constructor(
    Type: FloatArrayType,
    readonly rows: number,
    readonly cols: number,
    readonly lead = cols + 3,
  ) {
    this.data = new Type(rows * lead + 5).map(random)
  }
  at(i: number, j: number): number {
    return this.data[i * this.lead + j]
  }
}

/** A vector with a step, read as BLAS reads it. */
class Vector {
  readonly data: FloatArray
  constructor(
    Type: FloatArrayType,
    readonly n: number,
    readonly step: number,
  ) {
    this.data = new Type((n - 1) * Math.abs(step) + 3).map(random)
  }
  position(i: number): number {
    return (this.step < 0 ? this.n - 1 - i : i) * Math.abs(this.step)
  }
  at(i: number): number {
    return this.data[this.position(i)]
  }
}

const sum = (n: number, term: (i: number) => number) => {
  let result = 0
  for (let i = 0; i < n; i++) result += term(i)
  return result
}

/** Equal within the rounding of sums of some dozens of terms around 1. */
function close(test: Test, got: FloatArray, want: ArrayLike<number>, what: string) {
  const tolerance = got instanceof Float32Array ? 1e-5 : 1e-13
  let worst = 0
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i] - want[i]) / (1 + Math.abs(want[i]))
    if (!(error <= worst)) worst = error
  }
  if (!(worst <= tolerance)) test.fail(`${what}: off by ${worst}`)
}

function checkGemm(test: Test, Type: FloatArrayType) {
  for (const [m, n, k] of [
    [1, 1, 1],
    [3, 5, 7],
    [1, 9, 4],
    [9, 1, 4],
    [4, 9, 1],
    [33, 17, 65],
    [0, 3, 2],
    [3, 0, 2],
    [3, 2, 0],
  ])
    for (const transA of flags)
      for (const transB of flags)
        for (const [alpha, beta] of [
          [1, 0],
          [0.5, 1],
          [-2, 0.25],
          [0, 2],
        ]) {
          const a = transA ? new Matrix(Type, k, m) : new Matrix(Type, m, k)
          const b = transB ? new Matrix(Type, n, k, k + 1) : new Matrix(Type, k, n, n + 1)
          const c = new Matrix(Type, m, n)
          const want = Float64Array.from(c.data)
          for (let i = 0; i < m; i++)
            for (let j = 0; j < n; j++)
              want[i * c.lead + j] =
                beta * c.at(i, j) +
                alpha *
                  sum(
                    k,
                    (p) => (transA ? a.at(p, i) : a.at(i, p)) * (transB ? b.at(j, p) : b.at(p, j)),
                  )
          const what = `gemm ${m} ${n} ${k} ${transA} ${transB} ${alpha} ${beta}`
          const operands = [a.data, a.lead, b.data, b.lead]
          calls.gemm(transA, transB, m, n, k, alpha, ...operands, beta, c.data, c.lead)
          close(test, c.data, want, what)
        }
}

function checkGemv(test: Test, Type: FloatArrayType) {
  for (const [m, n] of [
    [1, 1],
    [5, 7],
    [64, 33],
    [1, 9],
    [9, 1],
  ])
    for (const trans of flags)
      for (const [incx, incy] of [
        [1, 1],
        [2, -3],
        [-1, 2],
      ])
        for (const [alpha, beta] of [
          [1, 0],
          [-0.5, 1],
          [0, 3],
        ]) {
          const a = new Matrix(Type, m, n)
          const x = new Vector(Type, trans ? m : n, incx)
          const y = new Vector(Type, trans ? n : m, incy)
          const want = Float64Array.from(y.data)
          for (let i = 0; i < y.n; i++)
            want[y.position(i)] =
              beta * y.at(i) + alpha * sum(x.n, (p) => (trans ? a.at(p, i) : a.at(i, p)) * x.at(p))
          calls.gemv(trans, m, n, alpha, a.data, a.lead, x.data, incx, beta, y.data, incy)
          close(test, y.data, want, `gemv ${m} ${n} ${trans} ${incx} ${incy} ${alpha} ${beta}`)
        }
}

function checkVectors(test: Test, Type: FloatArrayType) {
  for (const n of [1, 7, 63])
    for (const incx of [1, -1, 3])
      for (const incy of [1, -2]) {
        const x = new Vector(Type, n, incx)
        const y = new Vector(Type, n, incy)
        const product = sum(n, (i) => x.at(i) * y.at(i))
        const want = Float64Array.from(y.data)
        for (let i = 0; i < n; i++) want[y.position(i)] += 1.5 * x.at(i)
        const got = calls.dot(n, x.data, incx, y.data, incy)
        close(test, Type.of(got), [product], `dot ${n} ${incx} ${incy}`)
        calls.axpy(n, 1.5, x.data, incx, y.data, incy)
        close(test, y.data, want, `axpy ${n} ${incx} ${incy}`)
      }
}

const nan = (n: number) => new Float64Array(n).fill(Number.NaN)
const zeros = (n: number) => new Float64Array(n)

for (const backend of ['native', 'js'] as const) {
  t.test(`on the ${backend} backend`, async (t) => {
    setBackend(backend)

    for (const [name, Type] of Object.entries(precisions)) {
      t.test(`${name} agrees with loops in float64`, async (t) => {
        checkGemm(t, Type)
        checkGemv(t, Type)
        checkVectors(t, Type)
      })
    }

    t.test('beta = 0 does not read the result, alpha = 0 not the operands', async (t) => {
      const ones = zeros(4).fill(1)
      const c = nan(4)
      gemm(false, false, 2, 2, 2, 1, ones, 2, ones, 2, 0, c, 2)
      t.strictSame([...c], [2, 2, 2, 2])
      gemm(false, false, 2, 2, 2, 0, nan(4), 2, ones, 2, 0.5, c, 2)
      t.strictSame([...c], [1, 1, 1, 1])
      gemm(false, false, 2, 2, 0, 1, zeros(0), 1, zeros(0), 2, 3, c, 2)
      t.strictSame([...c], [3, 3, 3, 3])
      const y = nan(2)
      gemv(false, 2, 2, 1, ones, 2, ones, 1, 0, y, 1)
      t.strictSame([...y], [2, 2])
      gemv(true, 2, 2, 0, nan(4), 2, ones, 1, 2, y, -1)
      t.strictSame([...y], [4, 4])
      gemv(false, 2, 0, 1, zeros(0), 1, zeros(0), 1, 0, y, 1)
      t.strictSame([...y], [0, 0])
      axpy(2, 0, nan(2), 1, y, 1)
      t.strictSame([...y], [0, 0])
    })

    t.test('infinities and NaN in the operands reach the result', async (t) => {
      const c = zeros(1)
      gemm(false, false, 1, 1, 2, 1, Float64Array.of(0, 1), 2, Float64Array.of(NaN, 1), 1, 0, c, 1)
      t.ok(Number.isNaN(c[0]))
      t.equal(dot(2, Float64Array.of(1, 1), 1, Float64Array.of(-Infinity, 5), 1), -Infinity)
    })

    t.test('nothing is nothing', async (t) => {
      t.equal(dot(0, zeros(0), 1, zeros(0), -5), 0)
      axpy(0, 1, zeros(0), 7, zeros(0), 1)
      gemm(false, true, 0, 0, 0, 1, zeros(0), 1, zeros(0), 1, 0, zeros(0), 1)
    })

    t.test('blocks of one matrix may be combined while they do not meet', async (t) => {
      // [A | B] in one 2 × 4 matrix: B += A·A, and a row of it added to the other.
      const both = Float64Array.of(1, 2, 0, 0, 3, 4, 0, 0)
      gemm(false, false, 2, 2, 2, 1, both, 4, both, 4, 1, both.subarray(2), 4)
      t.strictSame([...both], [1, 2, 7, 10, 3, 4, 15, 22])
      axpy(4, -1, both.subarray(0, 4), 1, both.subarray(4), 1)
      axpy(4, 10, both.subarray(1), 2, both, 2)
      t.strictSame([...both], [21, 2, 107, 10, 22, 2, 128, 12])
      for (const offset of [0, 1, 3]) {
        t.throws(
          () => gemm(false, false, 2, 2, 2, 1, both, 4, zeros(4), 2, 1, both.subarray(offset), 4),
          /gemm: c must (not share memory with a|hold)/,
        )
      }
    })
  })
}

const f = (n: number) => new Float32Array(n)
// m = 2, n = 3, k = 5 throughout.
const good: Record<keyof typeof calls, unknown[]> = {
  gemm: [false, false, 2, 3, 5, 1, f(10), 5, f(15), 3, 0, f(6), 3],
  gemv: [false, 2, 3, 1, f(6), 3, f(3), 1, 0, f(2), 1],
  axpy: [3, 1, f(3), 1, f(3), 1],
  dot: [3, f(3), 1, f(3), 1],
}

const shared = f(20)
const detached = f(20)
structuredClone(detached.buffer, { transfer: [detached.buffer] })
const whole = 'an integer from 0 to 2^31 - 1'

// Call, the arguments that differ from the good ones, error, message.
const bad: [keyof typeof calls, Record<number, unknown>, typeof ArgumentError, string][] = [
  ['gemm', { 0: 0 }, ArgumentError, 'gemm: transA must be true or false, got 0'],
  ['gemm', { 1: undefined }, ArgumentError, 'gemm: transB must be true or false, got undefined'],
  ['gemm', { 2: -1 }, ArgumentError, `gemm: m must be ${whole}, got -1`],
  ['gemm', { 3: 2.5 }, ArgumentError, `gemm: n must be ${whole}, got 2.5`],
  ['gemm', { 4: NaN }, ArgumentError, `gemm: k must be ${whole}, got NaN`],
  ['gemm', { 4: 2 ** 31 }, ArgumentError, `gemm: k must be ${whole}, got 2147483648`],
  ['gemm', { 4: '5' }, ArgumentError, `gemm: k must be ${whole}, got string`],
  ['gemm', { 5: '1' }, ArgumentError, 'gemm: alpha must be a number, got string'],
  ['gemm', { 10: null }, ArgumentError, 'gemm: beta must be a number, got object'],
  ['gemm', { 6: [1] }, ArgumentError, 'gemm: a must be a Float32Array or a Float64Array'],
  ['gemm', { 8: new Int32Array(15) }, ArgumentError, 'gemm: b must be a Float32Array or'],
  ['gemm', { 11: zeros(6) }, ArgumentError, 'gemm: the arrays must be all Float32Array or all'],
  ['gemm', { 7: 4 }, ShapeError, 'gemm: lda must be at least k = 5, got 4'],
  ['gemm', { 0: true, 7: 1 }, ShapeError, 'gemm: lda must be at least m = 2, got 1'],
  ['gemm', { 9: 2 }, ShapeError, 'gemm: ldb must be at least n = 3, got 2'],
  ['gemm', { 1: true, 9: 4 }, ShapeError, 'gemm: ldb must be at least k = 5, got 4'],
  ['gemm', { 12: 2 }, ShapeError, 'gemm: ldc must be at least n = 3, got 2'],
  ['gemm', { 4: 0, 7: 0 }, ShapeError, 'gemm: lda must be at least 1, got 0'],
  ['gemm', { 7: -5 }, ArgumentError, `gemm: lda must be ${whole}, got -5`],
  ['gemm', { 6: f(9) }, ShapeError, 'gemm: a must hold at least 10 elements, got 9'],
  ['gemm', { 7: 6 }, ShapeError, 'gemm: a must hold at least 11 elements, got 10'],
  ['gemm', { 8: f(14) }, ShapeError, 'gemm: b must hold at least 15 elements, got 14'],
  ['gemm', { 11: f(5) }, ShapeError, 'gemm: c must hold at least 6 elements, got 5'],
  ['gemm', { 12: 2 ** 31 - 1 }, ShapeError, 'gemm: c must hold at least 2147483650 elements'],
  ['gemm', { 11: detached }, ShapeError, 'gemm: c must hold at least 6 elements, got 0'],
  ['gemm', { 6: shared, 11: shared }, ArgumentError, 'gemm: c must not share memory with a'],
  [
    'gemm',
    { 8: shared, 11: shared.subarray(14) },
    ArgumentError,
    'gemm: c must not share memory with b',
  ],
  ['gemv', { 0: 'no' }, ArgumentError, 'gemv: trans must be true or false, got string'],
  ['gemv', { 1: Infinity }, ArgumentError, `gemv: m must be ${whole}, got Infinity`],
  ['gemv', { 2: undefined }, ArgumentError, `gemv: n must be ${whole}, got undefined`],
  ['gemv', { 3: undefined }, ArgumentError, 'gemv: alpha must be a number, got undefined'],
  ['gemv', { 8: {} }, ArgumentError, 'gemv: beta must be a number, got object'],
  ['gemv', { 5: 2 }, ShapeError, 'gemv: lda must be at least n = 3, got 2'],
  ['gemv', { 4: f(5) }, ShapeError, 'gemv: a must hold at least 6 elements, got 5'],
  ['gemv', { 6: f(2) }, ShapeError, 'gemv: x must hold at least 3 elements, got 2'],
  ['gemv', { 7: -2 }, ShapeError, 'gemv: x must hold at least 5 elements, got 3'],
  ['gemv', { 0: true, 10: 1 }, ShapeError, 'gemv: y must hold at least 3 elements, got 2'],
  ['gemv', { 7: 0 }, ArgumentError, 'gemv: incx must be an integer other than 0'],
  ['gemv', { 10: 0.5 }, ArgumentError, 'gemv: incy must be an integer other than 0'],
  ['gemv', { 4: zeros(6) }, ArgumentError, 'gemv: the arrays must be all'],
  ['gemv', { 6: shared, 9: shared.subarray(2) }, ArgumentError, 'gemv: y must not share'],
  ['axpy', { 0: -3 }, ArgumentError, `axpy: n must be ${whole}, got -3`],
  ['axpy', { 1: '2' }, ArgumentError, 'axpy: alpha must be a number, got string'],
  ['axpy', { 2: f(2) }, ShapeError, 'axpy: x must hold at least 3 elements, got 2'],
  ['axpy', { 3: -(2 ** 31) }, ArgumentError, 'axpy: incx must be an integer other than 0'],
  ['axpy', { 5: 2 ** 31 - 1 }, ShapeError, 'axpy: y must hold at least 4294967295 elements, got 3'],
  ['axpy', { 4: zeros(3) }, ArgumentError, 'axpy: the arrays must be all'],
  ['axpy', { 2: shared, 4: shared }, ArgumentError, 'axpy: y must not share memory with x'],
  ['dot', { 0: 4 }, ShapeError, 'dot: x must hold at least 4 elements, got 3'],
  ['dot', { 1: detached }, ShapeError, 'dot: x must hold at least 3 elements, got 0'],
  ['dot', { 3: 'abc' }, ArgumentError, 'dot: y must be a Float32Array or a Float64Array'],
  ['dot', { 2: 0 }, ArgumentError, 'dot: incx must be an integer other than 0'],
  ['dot', { 4: NaN }, ArgumentError, 'dot: incy must be an integer other than 0'],
]

t.test('every wrong argument is refused by name', async (t) => {
  for (const [name, changes, type, message] of bad) {
    const args = good[name].map((value, i) => (i in changes ? changes[i] : value))
    try {
      calls[name](...args)
      t.fail(`not refused: ${message}`)
    } catch (error) {
      t.ok(error instanceof type && error.message.startsWith(message), message, { error })
    }
  }
})

t.test('the addon refuses by itself what would reach foreign memory', async (t) => {
  setBackend('native')
  const { blas } = loadAddon()
  const numbers = [-1, 0.5, NaN, Infinity, 2 ** 31, 2 ** 31 - 1, 1e300, undefined, 'x', null]
  for (const [name, args] of Object.entries(good)) {
    args.forEach((value, i) => {
      // alpha and beta may be any number.
      if (typeof value === 'number' && value !== 0 && value !== 1) {
        for (const wrong of numbers) {
          t.throws(() => blas[name](...args.with(i, wrong)), { code: 'BLAS' }, `${name} ${i}`)
        }
      }
      if (value instanceof Float32Array) {
        for (const wrong of [f(value.length - 1), zeros(99), detached, [], {}, undefined]) {
          t.throws(() => blas[name](...args.with(i, wrong)), { code: 'BLAS' }, `${name} ${i}`)
        }
      }
    })
    t.throws(() => blas[name](), { code: 'BLAS' })
  }
  class Liar extends Float32Array {
    override get length() {
      return 1000
    }
  }
  t.throws(() => dot(1000, new Liar(3), 1, new Float32Array(1000), 1), { code: 'BLAS' })
})
