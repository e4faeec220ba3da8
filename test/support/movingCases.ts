/**
 * Calls of the kernels that move elements, pick them by index or draw them.
 */
import type { DType, TypedArray } from '../../lib/backend/dtype.js'
import { type Arg, type Cases, out } from './case.js'
import { bytes, floats, ints, SIZES, specials, tuples } from './values.js'

function* moved(make: (from: TypedArray, dtype: DType) => Arg[], n: number): Cases {
  yield make(floats(n), 'float32')
  yield make(ints(n, 2 ** 31), 'int32')
  yield make(bytes(n), 'uint8')
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
      yield* moved(
        (x) => [x, x.slice(0, yLength).fill(9), r, c, xOffset, xStride, yOffset, yStride],
        Math.max(xOffset + r * xStride, yLength),
      )
    }
  }
  // Every row from the same place; columns of a matrix.
  yield [floats(70), new Float32Array(350), 5, 70, 0, 0, 0, 70]
  yield [floats(350), new Float32Array(50), 50, 1, 3, 7, 0, 1]
}

export function* transpose(): Cases {
  for (const [outer, r, c, inner] of tuples(4, 5000)) {
    const n = outer * r * c * inner
    yield* moved((x, dtype) => [x, out(n, dtype), outer, r, c, inner], n)
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
    yield* moved(
      (x, dtype) => [x, indices, out(count * cols, dtype), count, cols, sourceRows],
      sourceRows * cols,
    )
  }
}

export function* scatterAddRows(): Cases {
  for (const [count, cols, targetRows] of gatherShapes()) {
    const indices = picks(count, targetRows)
    yield [floats(count * cols), indices, floats(targetRows * cols), count, cols, targetRows]
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
