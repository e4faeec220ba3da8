/**
 * The order in which the product engine adds: every element of a product is the same bits as the
 * chain of fused multiply-adds that native/gemm/product.h promises, computed here in doubles, at any
 * shape, place, transpose and layout.
 */
import t from 'tap'
import { panelOrder } from '../../lib/backend/js/panels.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import { getNumThreads, setNumThreads } from '../../lib/index.js'
import { identical } from '../support/engine.js'
import { floats } from '../support/values.js'

const native = new NativeBackend()
const BLOCK = 256

const double = new Float64Array(1)
const word = new BigInt64Array(double.buffer)

/**
 * a·b + c rounded once to float32 (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded
 * sums"): the product is exact in a double; the sum is rounded to odd, so that rounding it to float32
 * afterwards cannot meet a tie that was none.
 */
function fma(a: number, b: number, c: number): number {
  const product = a * b
  const sum = product + c
  const part = sum - product
  const error = product - (sum - part) + (c - part)
  if (error === 0 || !Number.isFinite(sum)) return Math.fround(sum)
  double[0] = sum
  // Towards the exact sum where the last bit is even: then it is odd.
  if ((word[0] & 1n) === 0n) word[0] += error > 0 === sum > 0 ? 1n : -1n
  return Math.fround(double[0])
}

interface Shape {
  m: number
  n: number
  k: number
  transA: 0 | 1
  transB: 0 | 1
}

/** Element (i, j) of op(a)·op(b). */
function element(a: Float32Array, b: Float32Array, shape: Shape, i: number, j: number): number {
  const { m, n, k, transA, transB } = shape
  let total = 0
  for (let begin = 0; begin < k; begin += BLOCK) {
    let sum = 0
    for (let q = begin; q < Math.min(begin + BLOCK, k); q++) {
      sum = fma(transA ? a[q * m + i] : a[i * k + q], transB ? b[j * k + q] : b[q * n + j], sum)
    }
    total = begin === 0 ? sum : Math.fround(total + sum)
  }
  return total
}

function multiply(a: Float32Array, b: Float32Array, shape: Shape, panels: 0 | 1): Float32Array {
  const { m, n, k, transA, transB } = shape
  const order = transB ? panelOrder(n, k) : panelOrder(k, n)
  const handles = [a, panels ? b.map((_, i) => b[order[i]]) : b, new Float32Array(m * n)].map(
    (values) => {
      const handle = native.alloc(values.length, 'float32')
      native.write(handle, values)
      return handle
    },
  )
  const [x, y, z] = handles
  native.run('gemm', x, y, z, transA, transB, m, n, k, 1, 0, panels)
  const result = new Float32Array(m * n)
  native.read(z, result)
  for (const handle of handles) native.release(handle)
  return result
}

// Vectors, single tiles, edges of tiles and panels, several blocks and slices of k, copies of a in
// several parts.
const shapes = [
  [1, 1, 1],
  [1, 10, 784],
  [1, 200, 300],
  [1, 37, 2100],
  [50, 200, 1],
  [3, 5, 7],
  [8, 3, 16],
  [25, 10, 300],
  [13, 129, 257],
  [129, 65, 1030],
  [200, 1, 600],
  [97, 33, 64],
  [1500, 70, 513],
  [19, 300, 128],
  [5, 300, 500],
  [33, 700, 1100],
  [1000, 70, 1100],
] as const

const isOwn = loadAddon().info().gemm === 'own'
t.test('elements are chains in the order of k', { skip: !isOwn && 'OpenBLAS computes' }, (t) => {
  for (const [m, n, k] of shapes) {
    const [a, b] = [floats(m * k), floats(k * n)]
    if (m === 1) for (let q = 0; q < k; q += 3) a[q] = 0
    for (const transA of [0, 1] as const) {
      for (const transB of [0, 1] as const) {
        const shape = { m, n, k, transA, transB }
        const found = multiply(a, b, shape, 0)
        const places = Array.from({ length: 200 }, (_, p) => (p * 7919) % (m * n))
        const wanted = places.map((at) => element(a, b, shape, Math.floor(at / n), at % n))
        const form = `${m} x ${n} x ${k}, ${transA ? 'T' : 'N'}${transB ? 'T' : 'N'}`
        identical(
          t,
          Float32Array.from(places, (at) => found[at]),
          Float32Array.from(wanted),
          form,
        )
        identical(t, multiply(a, b, shape, 1), found, `${form} in panels`)
      }
    }
  }
  t.end()
})

t.test('a row does not depend on the others', { skip: !isOwn && 'OpenBLAS computes' }, (t) => {
  for (const [n, k] of [
    [10, 128],
    [64, 300],
    [129, 784],
  ]) {
    const [a, b] = [floats(77 * k), floats(k * n)]
    const all = multiply(a, b, { m: 77, n, k, transA: 0, transB: 0 }, 0)
    for (const [first, rows] of [
      [0, 1],
      [5, 7],
      [40, 37],
      [76, 1],
    ]) {
      const part = a.slice(first * k, (first + rows) * k)
      const found = multiply(part, b, { m: rows, n, k, transA: 0, transB: 0 }, 0)
      identical(t, found, all.slice(first * n, (first + rows) * n), `${rows} rows from ${first}`)
    }
  }
  t.end()
})

t.test('any number of threads', (t) => {
  const before = getNumThreads()
  t.teardown(() => setNumThreads(before))
  for (const [m, n, k] of [
    [500, 300, 40],
    [17, 2000, 900],
    [3000, 10, 100],
  ]) {
    const [a, b] = [floats(m * k), floats(k * n)]
    const shape = { m, n, k, transA: 0, transB: 0 } as const
    setNumThreads(1)
    const alone = multiply(a, b, shape, 0)
    for (const threads of [2, 3, 5]) {
      setNumThreads(threads)
      identical(t, multiply(a, b, shape, 0), alone, `${m} x ${n} x ${k} on ${threads} threads`)
    }
  }
  t.end()
})

t.test('products are as close to the exact ones as those of a plain chain in doubles', (t) => {
  const [m, n, k] = [64, 64, 3000]
  const [a, b] = [floats(m * k), floats(k * n)]
  const found = multiply(a, b, { m, n, k, transA: 0, transB: 0 }, 0)
  let squares = 0
  let scale = 0
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let q = 0; q < k; q++) sum += a[i * k + q] * b[q * n + j]
      squares += (found[i * n + j] - sum) ** 2
      scale += sum ** 2
    }
  }
  // A chain of 256 errs by some √256/2 halves of 2^-24, a sum of 12 blocks by little more.
  t.ok(Math.sqrt(squares / scale) < 8 * 2 ** -24, `relative error ${Math.sqrt(squares / scale)}`)
  t.end()
})

t.test('zero times NaN and infinity shows, also where zeros are left out', (t) => {
  const [k, n] = [40, 64]
  const a = floats(k).map((x, q) => (q % 2 ? 0 : x))
  const alloc = (values: Float32Array) => {
    const handle = native.alloc(values.length, 'float32')
    native.write(handle, values)
    return handle
  }
  const good = floats(k * n)
  const [x, w, y] = [a, good, new Float32Array(n)].map(alloc)
  const product = () => {
    native.run('gemm', x, w, y, 0, 0, 1, n, k, 1, 0, 0)
    const found = new Float32Array(n)
    native.read(y, found)
    return found
  }
  // What is known of the weights is found out by the second product with the same.
  const wanted = product()
  for (let i = 0; i < 3; i++) identical(t, product(), wanted, 'finite weights')
  for (const bad of [Number.NaN, Infinity]) {
    native.write(w, Float32Array.of(bad), 1 * n + 5)
    for (let i = 0; i < 4; i++) t.ok(Number.isNaN(product()[5]), `a row that meets zero: ${bad}`)
    native.write(w, good)
    for (let i = 0; i < 3; i++) identical(t, product(), wanted, 'finite again')
  }

  // A step of one example, dw = xᵀ·dy: a row moves where its x is not zero, or where dy is not finite.
  const settings = alloc(Float32Array.of(1e30, 0, 0, 1, 0, 0, 0))
  const dy = alloc(new Float32Array(n).fill(1e30))
  native.run('gemmSgd', x, dy, w, settings, 1, 0, k, n, 1, 0)
  for (let i = 0; i < 4; i++) t.notOk(Number.isFinite(product()[5]), 'weights that overflowed')
  native.write(w, good)
  for (let i = 0; i < 3; i++) product()
  native.write(dy, Float32Array.of(Number.NaN))
  native.run('gemmSgd', x, dy, w, settings, 1, 0, k, n, 1, 0)
  for (let i = 0; i < 4; i++) t.ok(Number.isNaN(product()[0]), 'a gradient that is NaN')
  const weights = new Float32Array(k * n)
  native.read(w, weights)
  t.ok(
    weights.every((v, i) => Number.isNaN(v) === (i % n === 0) || !Number.isFinite(v)),
    'all rows',
  )
  for (const handle of [x, w, y, settings, dy]) native.release(handle)
  t.end()
})
