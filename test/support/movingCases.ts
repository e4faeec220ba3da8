/**
 * Calls of the kernels that move elements, pick them by index or draw them.
 */
import { type DType, dtypes } from '../../lib/backend/dtype.js'
import { type Cases, type Data, out } from './case.js'
import { bools, bytes, doubles, floats, ints, SIZES, specials, tuples } from './values.js'

/** n elements of each dtype. */
export function* samples(n: number): Iterable<Data> {
  yield { data: floats(n), dtype: 'float32' }
  yield { data: doubles(n), dtype: 'float64' }
  yield { data: ints(n, 2 ** 31), dtype: 'int32' }
  yield { data: bytes(n), dtype: 'uint8' }
  yield { data: bools(n), dtype: 'bool' }
}

export function* copy2d(): Cases {
  for (const [r, c] of tuples(2, 70000)) {
    for (const [xOffset, xGap, yOffset, yGap] of [
      [0, 0, 0, 0],
      [3, 2, 0, 0],
      [0, 0, 5, 1],
      [1, 3, 2, 4],
    ]) {
      const [xStride, yStride] = [c + xGap, c + yGap]
      const yLength = yOffset + r * yStride
      for (const x of samples(Math.max(xOffset + r * xStride, yLength))) {
        const y = { ...x, data: x.data.slice(0, yLength).fill(9) }
        yield [x, y, r, c, xOffset, xStride, yOffset, yStride]
      }
    }
  }
  // Every row from the same place; columns of a matrix.
  yield [floats(70), new Float32Array(350), 5, 70, 0, 0, 0, 70]
  for (const x of samples(350)) {
    yield [x, { ...x, data: x.data.slice(0, 50) }, 50, 1, 3, 7, 0, 1]
  }
}

export function* expand(): Cases {
  for (const [outer, repeat, inner] of tuples(3, 70000)) {
    for (const x of samples(outer * inner)) {
      yield [x, out(outer * repeat * inner, x.dtype), outer, repeat, inner]
    }
  }
}

export function* fill(): Cases {
  for (const n of SIZES) {
    for (const dtype of Object.keys(dtypes) as DType[]) {
      for (const value of [0, -0, 2.5, -1, 0.1, Number.NaN, -Infinity, 2 ** 31, -(2 ** 40) - 3]) {
        yield [out(n, dtype), n, value]
      }
    }
  }
}

// The fraction goes towards zero; what is beyond the integers, of any size; ties of rounding.
const CONVERTED = [
  0,
  -0,
  0.5,
  -0.5,
  0.999,
  -0.999,
  1,
  2.5,
  -2.5,
  254.9,
  255,
  256,
  257.5,
  -1,
  -128,
  -255.5,
  2 ** 24 + 1,
  -(2 ** 24) - 1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 32 + 300.5,
  2 ** 53 + 2,
  -(2 ** 53) - 6,
  2 ** 62,
  2 ** 63,
  -(2 ** 63),
  2 ** 64 + 2 ** 12,
  2 ** 80,
  1e300,
  -1e300,
  3.5e38,
  2 ** -149,
  2 ** -1074,
  Infinity,
  -Infinity,
  Number.NaN,
]
export function* cast(): Cases {
  for (const dtype of Object.keys(dtypes) as DType[]) {
    for (const n of SIZES) for (const x of samples(n)) yield [x, out(n, dtype), n]
    const n = CONVERTED.length
    for (const from of Object.keys(dtypes) as DType[]) {
      const data = new dtypes[from].array(n)
      data.set(CONVERTED)
      yield [{ data, dtype: from }, out(n, dtype), n]
    }
  }
}

export function* transpose(): Cases {
  for (const [outer, r, c, inner] of tuples(4, 5000)) {
    const n = outer * r * c * inner
    for (const x of samples(n)) yield [x, out(n, x.dtype), outer, r, c, inner]
  }
  yield [floats(1025 * 63), out(1025 * 63), 1, 1025, 63, 1]
}

export const picks = (count: number, rowCount: number) => ints(rowCount === 0 ? 0 : count, rowCount)

export function* gatherShapes(): Iterable<number[]> {
  for (const [count, cols] of tuples(2, 70000)) {
    for (const sourceRows of [1, 7, 63]) yield [count, cols, sourceRows]
  }
}

export function* gatherRows(): Cases {
  for (const [count, cols, sourceRows] of gatherShapes()) {
    const indices = picks(count, sourceRows)
    for (const x of samples(sourceRows * cols)) {
      yield [x, indices, out(count * cols, x.dtype), count, cols, sourceRows]
    }
  }
}

// The last two: the low word overflows into the high one, and both to 0.
const STATES = [
  [1, 2, 0, 0],
  [-5, 123456789, 77, 3],
  [9, -1, -2, 6],
  [0, 0, -1, -1],
]
const LENGTHS = [...SIZES, 2, 3, 4, 5, 255, 256, 257, 70001]
export function* drawn(dtype: DType, ...scalars: number[]): Cases {
  for (const n of LENGTHS) {
    for (const state of STATES) yield [out(n, dtype), Int32Array.from(state), n, ...scalars]
  }
}

export function* warp(): Cases {
  for (const [count, height, width] of tuples(3, 20000)) {
    const n = count * height * width
    const turns = floats(4 * count, 1.5)
    const far = floats(2 * n, 1e6)
    for (const shifts of [new Float32Array(2 * n), floats(2 * n, 3), far]) {
      yield [floats(n), turns, shifts, out(n), count, height, width]
    }
    const neutral = Float32Array.from(
      { length: 4 * count },
      (_, i) => +(i % 4 === 0 || i % 4 === 3),
    )
    yield [floats(n), neutral, new Float32Array(2 * n), out(n), count, height, width]
  }
}

const PROBABILITIES = [
  0,
  -0,
  2 ** -24,
  2 ** -149,
  0.5,
  1 - 2 ** -24,
  1,
  -1,
  2,
  Infinity,
  Number.NaN,
]
export function* bernoulliEach(): Cases {
  for (const n of LENGTHS) {
    for (const state of STATES) {
      const p = floats(n).map(Math.abs)
      yield [p, out(n), Int32Array.from(state), n]
      yield [specials(n, PROBABILITIES), { alias: 0 }, Int32Array.from(state), n]
    }
  }
}
