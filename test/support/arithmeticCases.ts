/**
 * Calls of the kernels that compute with floats.
 */
import type { DType, TypedArray } from '../../lib/backend/dtype.js'
import { type Arg, type Cases, out } from './case.js'
import { FINITE, floats, ints, random, SIZES, SPECIAL, specials, tuples } from './values.js'

export const extent = ([n0, n1, n2]: number[], mask: number) =>
  (mask & 1 ? n0 : 1) * (mask & 2 ? n1 : 1) * (mask & 4 ? n2 : 1)

/** Extents and masks; what walks them is common to all operations, so one gets all. */
export function* binaryShapes(all: boolean): Iterable<number[]> {
  for (const n of SIZES) yield [1, 1, n, 7, 7]
  yield* [
    [1, 7, 63, 7, 4],
    [1, 63, 7, 2, 7],
    [1, 7, 63, 2, 4],
    [7, 1, 1025, 0, 7],
    [7, 9, 7, 5, 2],
    [3, 7, 63, 1, 6],
    [0, 7, 3, 6, 7],
    [7, 0, 3, 7, 4],
    [7, 3, 0, 3, 7],
  ]
  for (const shape of all ? tuples(3, 343, [1, 2, 7]) : []) {
    for (let aMask = 0; aMask < 8; aMask++) {
      for (let bMask = 0; bMask < 8; bMask++) yield [...shape, aMask, bMask]
    }
  }
}

export function* binary(make: (n: number) => TypedArray = floats, all = false): Cases {
  for (const [n0, n1, n2, aMask, bMask] of binaryShapes(all)) {
    const shape = [n0, n1, n2]
    const a = make(extent(shape, aMask))
    const b = make(extent(shape, bMask))
    yield [a, b, out(n0 * n1 * n2), ...shape, aMask, bMask]
  }
  for (const n of SIZES) {
    if (make !== floats) break
    yield [floats(n), floats(n), { alias: 0 }, 1, 1, n, 7, 7]
    yield [floats(n), floats(n), { alias: 1 }, 1, 1, n, 7, 7]
    yield [floats(n), floats(1), { alias: 0 }, 1, 1, n, 7, 0]
  }
  if (make === floats) yield* binarySpecials()
}

export function* binarySpecials(): Cases {
  const n = SPECIAL.length
  yield [Float32Array.from(SPECIAL), Float32Array.from(SPECIAL), out(n * n), 1, n, n, 2, 4]
  yield [Float32Array.from(SPECIAL), Float32Array.from(SPECIAL), out(n * n), 1, n, n, 4, 2]
  yield [specials(1025), specials(1025), out(1025), 1, 1, 1025, 7, 7]
}

export function* unary(scale = 2, ...scalars: number[]): Cases {
  for (const n of SIZES) {
    yield [floats(n, scale), out(n), n, ...scalars]
    yield [specials(n), out(n), n, ...scalars]
    yield [floats(n, scale), { alias: 0 }, n, ...scalars]
  }
}

/** Halves, what lies beside them, and where floats have no fractions any more. */
export function* rounded(): Cases {
  yield* unary()
  const halves = Array.from({ length: 41 }, (_, i) => (i - 20) / 2)
  const near = halves.flatMap((x) => [x, x * (1 + 2 ** -23), x * (1 - 2 ** -23)])
  const values = [...near, 2 ** 22 + 0.5, 2 ** 23 - 0.5, 2 ** 23 + 1, 2 ** 24 + 2, -(2 ** 23) + 0.5]
  yield [specials(1025, values), out(1025), 1025]
}

/** Gradients from results between low and high. */
export function* activationGrad(low: number, high: number): Cases {
  const results = (n: number) =>
    Float32Array.from({ length: n }, () => low + (high - low) * random())
  for (const n of SIZES) {
    yield [results(n), floats(n), out(n), n]
    yield [results(n), floats(n), { alias: 0 }, n]
    yield [results(n), floats(n), { alias: 1 }, n]
    const values = [low, high, (low + high) / 2, Number.NaN, 0, -0]
    yield [specials(n, values), specials(n), out(n), n]
  }
}

export function* biasActivation(scale: number): Cases {
  for (const [r, c] of [...tuples(2, 70000), [17, 300]]) {
    yield [floats(r * c, scale), floats(c), out(r * c), r, c]
    yield [specials(r * c), specials(c), out(r * c), r, c]
    yield [floats(r * c, scale), floats(c), { alias: 0 }, r, c]
  }
}

export function* biasActivationGrad(low: number, high: number): Cases {
  for (const [r, c] of [...tuples(2, 70000), [17, 300]]) {
    const results = Float32Array.from({ length: r * c }, () => low + (high - low) * random())
    const scratch = out(Math.ceil(r / 16) * c)
    yield [results, floats(r * c), out(r * c), out(c), scratch, r, c]
    yield [results, floats(r * c), { alias: 0 }, out(c), scratch, r, c]
    yield [results, floats(r * c), { alias: 1 }, out(c), scratch, r, c]
    const values = [low, high, (low + high) / 2, Number.NaN, 0, -0]
    const gradients = specials(r * c, [...FINITE.filter((x) => Math.abs(x) < 1e7), Infinity])
    yield [specials(r * c, values), gradients, out(r * c), out(c), scratch, r, c]
  }
}

export function* reduction(dtype: DType, lengths: number[], ...scalars: number[]): Cases {
  for (const [outer, inner] of tuples(2, 1100)) {
    for (const length of lengths) {
      const n = outer * length * inner
      if (n > 80000) continue
      yield [floats(n), out(outer * inner, dtype), outer, length, inner, ...scalars]
      // Ties; then NaN, infinities and zeros of both signs.
      yield [ints(n, 3), out(outer * inner, dtype), outer, length, inner, ...scalars].map(asFloats)
      const some = specials(n, [...FINITE.filter((x) => Math.abs(x) < 1e7), Number.NaN, Infinity])
      yield [some, out(outer * inner, dtype), outer, length, inner, ...scalars]
    }
  }
  yield [floats(300000), out(1, dtype), 1, 300000, 1, ...scalars]
  yield [floats(300000), out(3, dtype), 1, 100000, 3, ...scalars]
}
const asFloats = (arg: Arg) => (arg instanceof Int32Array ? Float32Array.from(arg) : arg)

const shapes = () => [...tuples(2, 70000), [17, 64], [17, 65], [3, 300]]

export function* rows(): Cases {
  for (const [r, c] of shapes()) {
    for (const x of [floats(r * c), floats(r * c, 1e4), specials(r * c), specials(r * c, FINITE)]) {
      yield [x, out(r * c), r, c]
    }
  }
}

export function* rowsGrad(toResult: (p: number) => number): Cases {
  for (const [r, c] of shapes()) {
    // Results as softmax gives them: a row sums to 1, from even to one-sided.
    const p = floats(r * c, 8).map((x) => Math.exp(x))
    for (let i = 0; i < r; i++) {
      const row = p.subarray(i * c, (i + 1) * c)
      const sum = row.reduce((a, b) => a + b, 0)
      row.forEach((x, j) => {
        row[j] = toResult(x / sum)
      })
    }
    yield [p, floats(r * c), out(r * c), r, c]
  }
}

export function* crossEntropy(grad: boolean): Cases {
  for (const [r, c] of shapes()) {
    if (c === 0 && r > 0) continue
    for (const x of [floats(r * c), floats(r * c, 1e4), specials(r * c)]) {
      const dlosses = grad ? [floats(r)] : []
      yield [x, ints(r, c), ...dlosses, out(grad ? r * c : r), r, c]
    }
  }
}

export function* gemm(): Cases {
  const extents = [...tuples(3, 70000), [1025, 63, 257], [2, 2, 2], [5, 257, 4], [9, 6, 600]]
  for (const [m, n, k] of [...extents, ...panelShapes]) {
    for (const [transA, transB] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      const [a, b] = [floats(m * k), floats(k * n)]
      const scalars = random() < 0.5 ? [1, 1] : [-0.5, 0.75]
      yield [a, b, floats(m * n), transA, transB, m, n, k, ...scalars, 0]
      yield [a, b, floats(m * n), transA, transB, m, n, k, ...scalars, 1]
      if (m * n * k > 10000) continue
      // beta = 0 ignores what c held; alpha = 0 only scales.
      yield [a, b, new Float32Array(m * n).fill(Number.NaN), transA, transB, m, n, k, 1, 0, 0]
      yield [a, b, floats(m * n), transA, transB, m, n, k, 0, 0.5, 0]
    }
  }
}

/** Batches of one, several and none, every way to repeat an operand. */
export function* gemmBatched(): Cases {
  const products = [...tuples(3, 200, [1, 3, 8]), [0, 3, 2], [3, 2, 0], [33, 70, 65]]
  for (const [m, n, k] of products) {
    for (const [transA, transB] of [...transposes, [1, 1]]) {
      for (const [n0, n1, n2, aMask, bMask] of [
        [1, 1, 3, 7, 7],
        [1, 2, 3, 7, 4],
        [2, 1, 2, 1, 5],
        [2, 3, 2, 5, 2],
        [1, 0, 2, 7, 4],
        [1, 17, 1, 2, 2],
      ]) {
        const batch = [n0, n1, n2]
        const [a, b] = [extent(batch, aMask) * m * k, extent(batch, bMask) * k * n]
        const y = out(n0 * n1 * n2 * m * n)
        yield [floats(a), floats(b), y, transA, transB, ...batch, aMask, bMask, m, n, k]
      }
    }
  }
}

export function* linear(): Cases {
  for (const [m, n, k] of panelShapes) {
    for (const panels of [0, 1]) {
      yield [floats(m * k), floats(k * n), floats(n), out(m * n), m, n, k, panels]
    }
  }
}

/** @param low, high between which the results of the activation lie */
export function* linearGrad(low: number, high: number): Cases {
  for (const [m, n, k] of panelShapes) {
    const y = Float32Array.from({ length: m * n }, () => low + (high - low) * random())
    for (const panels of [0, 1]) {
      const results = [out(m * n), out(n), out(Math.ceil(m / 16) * n)]
      yield [floats(m * k), floats(k * n), y, ...results, m, n, k, panels]
    }
  }
}

const SETTINGS = [
  [0.125, 0, 0, 1, 0, 0, 0],
  [0.125, 0.5, 0, 1, 0, 0, 0],
  [0.0625, 0.875, 1, 1, 0.25, 0, 0],
  [0.25, 0.75, 1, 1, 0, 0.125, 1],
  [0.25, 0.5, 0, 0.25, 0.5, 0.25, 0.5],
]
export function* sgd(momentum: boolean): Cases {
  for (const n of SIZES) {
    for (const settings of SETTINGS) {
      const velocity = momentum ? [floats(n)] : []
      yield [floats(n), floats(n), ...velocity, Float32Array.from(settings), n]
    }
  }
}

// A weight gradient and what follows it; one shape is more than a block of rows.
const gradientShapes = [
  [0, 3, 2],
  [1, 7, 63],
  [63, 65, 1],
  [7, 63, 65],
  [96, 64, 33],
  [9, 5, 0],
  [784, 128, 32],
]
const transposes = [
  [0, 0],
  [1, 0],
  [0, 1],
]

// Weights of one panel, of several, and with an incomplete one; more than one tile of the rest.
const panelShapes = [...gradientShapes, [33, 200, 7], [100, 129, 70], [65, 64, 130], [1, 66, 1]]

/** A product and a step with it, for weights in rows and in panels. */
function* updates(
  settings: Iterable<ArrayLike<number>>,
  states: (n: number) => readonly Float32Array[],
): Cases {
  for (const each of settings) {
    for (const [m, n, k] of panelShapes) {
      const operands = [floats(m * k), floats(k * n), floats(m * n), ...states(m * n)]
      for (const flags of transposes) {
        for (const panels of [0, 1]) {
          yield [...operands, Float32Array.from(each), ...flags, m, n, k, panels]
        }
      }
    }
  }
}

export const gemmSgd = () => updates(SETTINGS, () => [])
export const gemmSgdMomentum = () => updates(SETTINGS.slice(1), (n) => [floats(n)])
export const gemmAdam = () =>
  updates(adamSettings(), (n) => [floats(n), floats(n).map((v) => v * v)])

/** Adam's, with and without what its kin have. */
export function* adamSettings(): Iterable<Float32Array> {
  const last = [0, 0.25].flatMap((decay) => [0, 0.5].map((l1) => [decay, decay, l1]))
  for (const end of last) {
    yield Float32Array.of(0.125, 0.0625, 0, 0.125, 0.0078125, 1, 1e-3, 1, ...end)
  }
  yield Float32Array.of(0.125, 0.0625, 0.03125, 0.125, 0.0078125, 1, 1e-3, 0.875, 0, 0.25, 0.5)
  yield Float32Array.of(0.125, 0.0625, 0, 0.125, 0.0078125, 0, 1, 1, 0.25, 0, 0)
}

export function* adam(): Cases {
  for (const n of SIZES) {
    for (const settings of adamSettings()) {
      const squares = floats(n).map((v) => v * v)
      yield [floats(n), floats(n), floats(n), squares, settings, n]
    }
  }
}

export function* maxNorm(): Cases {
  for (const [r, c] of tuples(2, 70000)) {
    for (const limit of [0.5, 3, Infinity]) yield [floats(r * c), Float32Array.of(limit), r, c]
  }
}
