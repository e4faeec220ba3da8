/**
 * Calls of the kernels that go to places: strided copies, triangles, indices along an axis, orders,
 * running sums, distances.
 */
import { dtypes } from '../../lib/backend/dtype.js'
import { type Cases, type Data, out } from './case.js'
import { picks, samples } from './movingCases.js'
import { floats, ints, SIZES, specials, tuples } from './values.js'

/** Numbers for all 8 axes, the last of which are given. */
const forAxes = (list: readonly number[], other: number) => [
  ...new Array<number>(8 - list.length).fill(other),
  ...list,
]

/** As many elements of the dtype of x, all 1. */
const onesLike = ({ dtype }: Data, length: number): Data => ({
  data: new dtypes[dtype].array(length).fill(1),
  dtype,
})

// Extents; offset and strides in x; length, offset and strides in y.
const STRIDED: [number[], number, number[], number, number, number[]][] = [
  [[], 3, [], 5, 2, []],
  [[7], 6, [-1], 7, 0, [1]],
  [[1025], 0, [3], 1025, 1024, [-1]],
  [[63], 5, [0], 63, 0, [1]],
  [[7, 63], 440, [-63, -1], 441, 0, [63, 1]],
  [[7, 63], 0, [63, 1], 900, 20, [120, 1]],
  [[7, 63], 2, [1, 7], 7 * 130, 1, [130, 2]],
  [[3, 4, 5], 59, [-20, -5, -1], 60, 0, [20, 5, 1]],
  [[3, 4, 5], 0, [1, 3, 12], 60, 0, [1, 3, 12]],
  [[33], 0, [34], 33, 0, [1]],
  [[33], 0, [1], 33 * 33, 0, [34]],
  [[2, 0, 2 ** 40], 0, [1, 1, 1], 1, 0, [1, 1, 1]],
  [
    [2, 2, 2, 2, 2, 2, 2, 2],
    0,
    [1, 2, 4, 8, 16, 32, 64, 128],
    256,
    0,
    [128, 64, 32, 16, 8, 4, 2, 1],
  ],
  [[1, 3, 1, 2], 0, [-9, 2, 2 ** 40, 1], 6, 0, [0, 2, -5, 1]],
  [[150, 311], 3, [313, 1], 150 * 311, 0, [311, 1]],
  [[311, 150], 46_649, [-1, -311], 150 * 311, 0, [150, 1]],
]

export function* copyStrided(): Cases {
  for (const [extents, xOffset, xStrides, yLength, yOffset, yStrides] of STRIDED) {
    let last = xOffset
    for (const [axis, extent] of extents.entries()) {
      if (extent > 1) last += Math.max(xStrides[axis], 0) * (extent - 1)
    }
    if (extents.includes(0)) last = 0
    for (const x of samples(last + 1)) {
      const numbers = [...forAxes(extents, 1), ...forAxes(xStrides, 0), ...forAxes(yStrides, 0)]
      yield [x, onesLike(x, yLength), xOffset, yOffset, ...numbers]
    }
  }
}

export function* triangle(): Cases {
  for (const [outer, rows, cols] of tuples(3, 5000)) {
    const n = outer * rows * cols
    for (const diagonal of [0, 1, -3, 5, -(2 ** 40), Infinity]) {
      for (const upper of [0, 1]) {
        const x = [...samples(n)]
        // Each dtype once, in turn.
        const { data, dtype } = x[Math.abs(diagonal % 5) || upper]
        yield [{ data, dtype }, out(n, dtype), outer, rows, cols, diagonal, upper]
      }
    }
  }
  for (const x of samples(301 * 257)) yield [x, out(301 * 257, x.dtype), 1, 301, 257, -2, 0]
}

/** Indices into an axis, for each element or as a list, and the extents of the call. */
function* indexed(): Iterable<{
  indices: Int32Array
  part: number
  whole: number
  extents: number[]
}> {
  for (const [outer, count, inner] of tuples(3, 3000)) {
    for (const length of [1, 7, 63]) {
      if (outer * length * inner > 20_000) continue // where nothing is taken
      for (const each of [0, 1]) {
        const part = outer * count * inner
        const indices = ints(each ? part : count, length)
        yield {
          indices,
          part,
          whole: outer * length * inner,
          extents: [outer, length, count, inner, each],
        }
      }
    }
  }
  for (const each of [0, 1]) {
    for (const [outer, count, inner] of [
      [3, 100, 257],
      [1, 70_001, 1],
    ]) {
      const part = outer * count * inner
      const indices = picks(each ? part : count, 7)
      yield { indices, part, whole: outer * 7 * inner, extents: [outer, 7, count, inner, each] }
    }
  }
}

export function* gather(): Cases {
  for (const { indices, part, whole, extents } of indexed()) {
    for (const x of samples(whole)) yield [x, indices, out(part, x.dtype), ...extents]
  }
}

export function* scatter(): Cases {
  for (const { indices, part, whole, extents } of indexed()) {
    for (const x of samples(part)) yield [x, indices, onesLike(x, whole), ...extents]
  }
}

export function* scatterAdd(): Cases {
  for (const { indices, part, whole, extents } of indexed()) {
    yield [floats(part), indices, floats(whole), ...extents]
    yield [ints(part, 2 ** 31), indices, ints(whole, 2 ** 31), ...extents]
  }
}

export function* select(): Cases {
  for (const n of SIZES) {
    const conditions: Data[] = [...samples(n)].map((x) => ({
      ...x,
      data: x.data.map((value, i) => (i % 3 === 0 ? 0 : value)),
    }))
    conditions[0].data = specials(n, [0, -0, 1, Number.NaN, -3, 2 ** -149])
    for (const condition of conditions) {
      for (const a of samples(n)) {
        const b = onesLike(a, n)
        yield [condition, a, b, out(n, a.dtype), n]
        yield [condition, a, b, { alias: 1 }, n]
      }
      yield [condition, specials(n), specials(n), out(n), n]
    }
  }
}

export function* argsort(): Cases {
  const lists = [(n: number) => specials(n), (n: number) => ints(n, 9), (n: number) => floats(n)]
  for (const [outer, length, inner] of tuples(3, 2000)) {
    for (const make of lists) {
      for (const count of new Set([0, Math.min(3, length), length])) {
        for (const descending of [0, 1]) {
          const n = outer * length * inner
          const extents = [outer, length, inner, count, descending]
          yield [make(n), out(outer * count * inner, 'int32'), out(n, 'float64'), ...extents]
        }
      }
    }
  }
  yield [
    Int32Array.of(-(2 ** 31), 5, 2 ** 31 - 1, 0, -1),
    out(5, 'int32'),
    out(5, 'float64'),
    1,
    5,
    1,
    5,
    0,
  ]
}

export function* scan(): Cases {
  for (const [outer, length, inner] of [...tuples(3, 5000), [3, 5, 300], [40, 700, 1]]) {
    const n = outer * length * inner
    for (const reverse of [0, 1]) {
      yield [floats(n), out(n), outer, length, inner, reverse]
      yield [ints(n, 2 ** 31), out(n, 'int32'), outer, length, inner, reverse]
    }
  }
}

export function* cumprodGrad(): Cases {
  for (const [outer, length, inner] of [...tuples(3, 5000), [3, 5, 300]]) {
    const n = outer * length * inner
    const x = floats(n).map((value, i) => (i % 11 === 0 ? 0 : value))
    yield [x, floats(n), floats(n), out(n), outer, length, inner]
  }
}

/** Outer extent, rows of both and columns. */
function* rowPairs(): Iterable<[number, number, number, number]> {
  const sizes = [0, 1, 3, 7]
  for (const [outer, p, r, cols] of tuples(4, 500, sizes)) yield [outer, p, r, cols]
  yield [2, 63, 65, 33]
  yield [1, 20, 30, 600]
  yield [1, 300, 100, 2]
}

export function* cdist(): Cases {
  for (const [outer, p, r, cols] of rowPairs()) {
    const a = floats(outer * p * cols)
    yield [a, floats(outer * r * cols), out(outer * p * r), outer, p, r, cols]
  }
}

export function* cdistGrad(): Cases {
  for (const [outer, p, r, cols] of rowPairs()) {
    const pairs = outer * p * r
    const y = floats(pairs).map((value, i) => (i % 7 === 0 ? 0 : 1 + Math.abs(value)))
    const a = floats(outer * p * cols)
    const extents = [outer, p, r, cols]
    yield [a, floats(outer * r * cols), y, floats(pairs), out(outer * p * cols), ...extents]
  }
}

export function* multinomial(): Cases {
  for (const [rows, cols] of [
    [1, 1],
    [1, 7],
    [7, 63],
    [3, 1025],
    [300, 64],
    [0, 5],
  ]) {
    for (const count of [0, 1, 5, 64]) {
      for (const replacement of [0, 1]) {
        const weights = floats(rows * cols).map((w, i) =>
          replacement && i % 3 ? 0 : Math.abs(w) + 1e-3,
        )
        if (replacement === 0 && count > cols) continue
        const [y, scratch] = [out(rows * count, 'int32'), out(rows * cols, 'float64')]
        const state = Int32Array.of(9, -1, -2, 6)
        yield [weights, y, state, scratch, rows, cols, count, replacement]
      }
    }
  }
}
