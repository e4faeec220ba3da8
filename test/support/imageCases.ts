/** Calls of the kernels of pools and norms. */
import { normScratch } from '../../lib/backend/kernels/norm.js'
import { type Cases, out } from './case.js'
import { floats, ints, random, specials, tuples } from './values.js'

/** A window along one axis: extent, window, stride, padding before, windows. */
type Axis = [extent: number, window: number, stride: number, before: number, windows: number]

const AXES: [Axis, Axis][] = [
  [
    [1, 1, 1, 0, 1],
    [1, 1, 1, 0, 1],
  ],
  [
    [4, 2, 2, 0, 2],
    [6, 2, 2, 0, 3],
  ],
  [
    [7, 3, 2, 1, 4],
    [5, 2, 1, 0, 4],
  ],
  [
    [5, 3, 1, 2, 7],
    [3, 2, 3, 1, 2],
  ],
  // As much as possible lies in the padding.
  [
    [2, 5, 3, 4, 2],
    [9, 4, 5, 2, 3],
  ],
]
const LARGE: [Axis, Axis] = [
  [18, 17, 1, 0, 2],
  [19, 16, 2, 1, 2],
]

/** Geometries as the kernels take them, with the elements of x and y. */
function* geometries(): Iterable<{ sizes: number[]; inputs: number; outputs: number }> {
  const made = (batch: number, channels: number, [down, across]: [Axis, Axis]) => {
    const sizes = [batch, down[0], across[0], channels]
    for (const at of [1, 2, 3, 4]) sizes.push(down[at], across[at])
    return {
      sizes,
      inputs: batch * down[0] * across[0] * channels,
      outputs: batch * down[4] * across[4] * channels,
    }
  }
  for (const axes of AXES) {
    for (const channels of [1, 2, 3, 6, 7, 16, 17, 31, 70]) yield made(2, channels, axes)
    yield made(0, 3, axes)
    yield made(3, 0, axes)
  }
  yield made(3, 3, LARGE)
  yield made(40, 64, AXES[2])
}

const dtypeOf = (sizes: number[]) => (sizes[4] * sizes[5] <= 256 ? 'uint8' : 'int32')

export function* maxPool(): Cases {
  for (const { sizes, inputs, outputs } of geometries()) {
    const places = out(outputs, dtypeOf(sizes))
    yield [floats(inputs), out(outputs), places, ...sizes]
    yield [Float32Array.from(ints(inputs, 3)), out(outputs), places, ...sizes]
    yield [specials(inputs), out(outputs), places, ...sizes]
  }
}

export function* maxPoolGrad(): Cases {
  for (const { sizes, inputs, outputs } of geometries()) {
    const places = ints(outputs, sizes[4] * sizes[5])
    const kept = dtypeOf(sizes) === 'uint8' ? Uint8Array.from(places) : places
    yield [floats(outputs), kept, out(inputs), ...sizes]
  }
}

export function* averagePool(isGradient: boolean): Cases {
  for (const { sizes, inputs, outputs } of geometries()) {
    const [read, written] = isGradient ? [outputs, inputs] : [inputs, outputs]
    for (const countPadding of [0, 1]) yield [floats(read), out(written), countPadding, ...sizes]
  }
}

const SHAPES = [
  ...tuples(2, 70000),
  ...[2, 3, 6, 16, 17, 48, 63, 64, 70].map((cols) => [300, cols]),
  [2000, 6],
  [70, 1100],
]
const EPSILON = 1e-3

/** Values around 10, some columns far from 0 for their spread. */
const columns = (n: number) => floats(n).map((x, i) => x * (1 + (i % 3)) + 10)
const positives = (n: number) => Float32Array.from({ length: n }, () => 0.25 + random())

export function* batchNormMoments(): Cases {
  for (const [rows, cols] of SHAPES) {
    if (rows === 0 && cols > 0) continue
    const scratch = out(normScratch(rows, cols), 'float64')
    const size = rows * cols
    const moments = [out(cols), out(cols), floats(cols), positives(cols), scratch, rows, cols]
    yield [columns(size), ...moments, 0.1, rows > 1 ? 1 : 0]
    yield [columns(size).map((x) => x + 1000), ...moments, 1, 0]
    yield [specials(size, [1, 2, Number.NaN, -1, 3, Infinity, 5]), ...moments, 0.25, 0]
  }
}

export function* batchNorm(): Cases {
  for (const [rows, cols] of SHAPES) {
    const size = rows * cols
    const moments = [floats(cols, 11), positives(cols), floats(cols), floats(cols)]
    yield [columns(size), ...moments, out(size), rows, cols, EPSILON]
    yield [specials(size), ...moments, out(size), rows, cols, EPSILON]
  }
}

export function* batchNormSums(): Cases {
  for (const [rows, cols] of SHAPES) {
    const scratch = out(normScratch(rows, cols), 'float64')
    const moments = [floats(cols, 11), positives(cols)]
    const results = [out(cols), out(cols), scratch]
    const size = rows * cols
    yield [floats(size), columns(size), ...moments, ...results, rows, cols, EPSILON]
  }
}

export function* batchNormGrad(): Cases {
  for (const [rows, cols] of SHAPES) {
    const size = rows * cols
    const of = [floats(cols, 11), positives(cols), floats(cols), floats(cols, 9), floats(cols, 9)]
    yield [floats(size), columns(size), ...of, out(size), rows, cols, EPSILON]
  }
}

export function* layerNorm(): Cases {
  for (const [rows, cols] of SHAPES) {
    if (cols === 0) continue
    for (const centered of [0, 1]) {
      const results = [out(rows * cols), out(rows), out(rows)]
      const of = [floats(cols), floats(cols), ...results, rows, cols, EPSILON, centered]
      yield [columns(rows * cols), ...of]
    }
  }
}

export function* layerNormGrad(): Cases {
  for (const [rows, cols] of SHAPES) {
    if (cols === 0) continue
    for (const centered of [0, 1]) {
      const size = rows * cols
      const of = [floats(cols), floats(rows, 11), positives(rows)]
      yield [floats(size), columns(size), ...of, out(size), rows, cols, centered]
    }
  }
}

export function* layerNormSums(): Cases {
  for (const [rows, cols] of SHAPES) {
    const scratch = out(normScratch(rows, cols), 'float64')
    const size = rows * cols
    const of = [floats(rows, 11), positives(rows), out(cols), out(cols), scratch, rows, cols]
    yield [floats(size), columns(size), ...of]
  }
}
