/** Calls of the kernels that compute with integers and truth values, and of reductions in float64. */
import { binaryShapes, extent, reduction } from './arithmeticCases.js'
import { type Arg, type Cases, type Data, out } from './case.js'
import { bools, bytes, FINITE, floats, ints, random, SIZES, specials, tuples } from './values.js'

const EDGES = [-(2 ** 31), 2 ** 31 - 1, -1, 0, 1, 46341, -65536, 7, -7]

/** Small ones, and those at the edges of the range; as divisors none that are 0. */
function integers(n: number, divide = false): Int32Array {
  return Int32Array.from({ length: n }, () => {
    const value = random() < 0.3 ? EDGES[Math.floor(random() * EDGES.length)] : ints(1, 19)[0] - 9
    return divide && value === 0 ? 3 : value
  })
}

export function* integerPairs(divides = false): Cases {
  for (const [n0, n1, n2, aMask, bMask] of binaryShapes(false)) {
    const shape = [n0, n1, n2]
    const [a, b] = [integers(extent(shape, aMask)), integers(extent(shape, bMask), divides)]
    yield [a, b, out(n0 * n1 * n2, 'int32'), ...shape, aMask, bMask]
  }
  for (const n of SIZES) {
    yield [integers(n), integers(n, divides), { alias: 0 }, 1, 1, n, 7, 7]
    yield [integers(n), integers(n, divides), { alias: 1 }, 1, 1, n, 7, 7]
  }
}

const truths = (n: number): Data => ({ data: bools(n), dtype: 'bool' })

/** Comparisons of what is no float. */
export function* comparedWholes(): Cases {
  for (const [n0, n1, n2, aMask, bMask] of binaryShapes(false)) {
    const shape = [n0, n1, n2]
    const sizes = [extent(shape, aMask), extent(shape, bMask)]
    for (const make of [(n: number) => ints(n, 3), bytes, truths]) {
      const [a, b] = sizes.map((n) => make(n) as Arg)
      yield [a, b, out(n0 * n1 * n2), ...shape, aMask, bMask]
    }
  }
}

export function* truthPairs(): Cases {
  for (const [n0, n1, n2, aMask, bMask] of binaryShapes(true)) {
    const shape = [n0, n1, n2]
    const [a, b] = [truths(extent(shape, aMask)), truths(extent(shape, bMask))]
    yield [a, b, out(n0 * n1 * n2, 'bool'), ...shape, aMask, bMask]
  }
  // Any byte but 0 is true.
  const some: Data = { data: bytes(63), dtype: 'bool' }
  yield [some, some, out(63, 'bool'), 1, 1, 63, 7, 7]
  yield [some, truths(63), { alias: 0 }, 1, 1, 63, 7, 7]
}

export function* unaryIntegers(): Cases {
  for (const n of SIZES) {
    yield [integers(n), out(n, 'int32'), n]
    yield [integers(n), { alias: 0 }, n]
  }
}

export function* unaryTruths(): Cases {
  for (const n of SIZES) {
    yield [truths(n), out(n, 'bool'), n]
    yield [{ data: bytes(n), dtype: 'bool' }, { alias: 0 }, n]
  }
}

/** Extents of reductions that are not too large. */
function* extents(lengths: number[]): Iterable<[outer: number, length: number, inner: number]> {
  for (const [outer, inner] of tuples(2, 1100)) {
    for (const length of lengths) {
      if (outer * length * inner <= 80000) yield [outer, length, inner]
    }
  }
}

export function* integerReduction(lengths: number[]): Cases {
  for (const [outer, length, inner] of extents(lengths)) {
    const x = integers(outer * length * inner)
    yield [x, out(outer * inner, 'int32'), outer, length, inner]
  }
}

export function* truthReduction(): Cases {
  for (const [outer, length, inner] of extents(SIZES)) {
    const n = outer * length * inner
    for (const share of [0, 0.02, 0.98, 1]) {
      const data = Uint8Array.from({ length: n }, () => +(random() < share))
      yield [{ data, dtype: 'bool' }, out(outer * inner, 'bool'), outer, length, inner]
    }
  }
}

export function* variances(): Cases {
  yield* reduction('float32', SIZES, 1)
  yield* reduction('float32', [1, 7], 0)
  // Where squares less the square of the mean would be wrong.
  for (const inner of [1, 3]) {
    const x = floats(3 * 1025).map((v) => v + 1e4)
    yield [x, out(inner), 1, (3 * 1025) / inner, inner, 1]
  }
}

/** Factors near 1, with zeros here and there. */
function factors(n: number): Float32Array {
  return floats(n).map((v) => (random() < 0.01 ? 0 : 1 + v / 4))
}

export function* products(grad: boolean): Cases {
  for (const [outer, length, inner] of extents(SIZES)) {
    const n = outer * length * inner
    const small =
      length < 9
        ? [
            specials(
              n,
              FINITE.filter((x) => Math.abs(x) < 1e5),
            ),
          ]
        : []
    for (const x of [factors(n), ...small]) {
      const buffers = grad ? [floats(outer * inner), out(n)] : [out(outer * inner)]
      yield [x, ...buffers, outer, length, inner]
    }
  }
}
