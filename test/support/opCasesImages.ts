/** Rows of the op table: pools and norms. */
import {
  avgPool1d,
  avgPool2d,
  fullLike,
  globalAvgPool2d,
  globalMaxPool2d,
  groupNorm,
  layerNorm,
  maxPool1d,
  maxPool2d,
  rmsNorm,
  type Tensor,
} from '../../lib/index.js'
import { batchNorm, batchNormTraining } from '../../lib/ops/batchNorm.js'
import type { OpCase, Shape } from './opCase.js'
import { at, build, fold, map, type Nd, positive, sample, total } from './reference.js'

type Pads = [before: number, after: number][]

interface PoolCase {
  shape: Shape
  size: number[]
  stride: number[]
  pads: Pads
  padding: 'same' | Pads
}

const POOLS: PoolCase[] = [
  {
    shape: [2, 4, 6, 3],
    size: [2, 2],
    stride: [2, 2],
    pads: [
      [0, 0],
      [0, 0],
    ],
    padding: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    shape: [1, 5, 4, 2],
    size: [3, 2],
    stride: [1, 3],
    pads: [
      [2, 1],
      [0, 1],
    ],
    padding: [
      [2, 1],
      [0, 1],
    ],
  },
  {
    shape: [1, 5, 4, 1],
    size: [3, 3],
    stride: [2, 2],
    pads: [
      [1, 1],
      [0, 1],
    ],
    padding: 'same',
  },
  {
    shape: [0, 2, 2, 1],
    size: [2, 1],
    stride: [1, 1],
    pads: [
      [0, 0],
      [0, 0],
    ],
    padding: [
      [0, 0],
      [0, 0],
    ],
  },
  { shape: [2, 5, 2], size: [3], stride: [2], pads: [[1, 1]], padding: [[1, 1]] },
]

/** f of the elements of each window within x, and of the window's places. */
function windows(
  x: Nd,
  { size, stride, pads }: PoolCase,
  f: (values: number[], places: number) => number,
): Nd {
  const extents = x.shape.slice(1, -1)
  const output = extents.map(
    (extent, axis) =>
      Math.floor((extent + pads[axis][0] + pads[axis][1] - size[axis]) / stride[axis]) + 1,
  )
  return build([x.shape[0], ...output, x.shape.at(-1)!], (index) => {
    const values: number[] = []
    for (const place of build(size, (offset) =>
      offset.reduce((n, o, axis) => n * size[axis] + o, 0),
    ).data) {
      let rest = place
      const offset = size.toReversed().map((extent) => {
        const own = rest % extent
        rest = Math.floor(rest / extent)
        return own
      })
      const position = offset
        .toReversed()
        .map((o, axis) => index[axis + 1] * stride[axis] - pads[axis][0] + o)
      const isInside = position.every((p, axis) => p >= 0 && p < extents[axis])
      if (isInside) values.push(at(x, [index[0], ...position, index.at(-1)!]))
    }
    return f(
      values,
      size.reduce((a, b) => a * b, 1),
    )
  })
}

function pools(
  apply: (x: Tensor, pool: PoolCase) => Tensor,
  f: (values: number[], places: number) => number,
): OpCase[] {
  return POOLS.map((pool) => ({
    name: `${pool.size} by ${pool.stride} over ${pool.shape}`,
    inputs: [sample(pool.shape)],
    apply: (x) => apply(x, pool),
    expected: (x) => windows(x, pool, f),
  }))
}

const globals = (apply: (x: Tensor) => Tensor, f: (values: number[]) => number): OpCase[] => [
  {
    name: 'globally',
    inputs: [sample([2, 3, 5, 2])],
    apply,
    expected: (x) => fold(f, x, [1, 2]),
  },
]

const mean = (values: number[]) => total(values) / values.length
const isSequence = ({ size }: PoolCase) => size.length === 1
const optionsOf = ({ stride, padding }: PoolCase) => ({ stride, padding })

const EPSILON = 1e-2

/** (x - mean)/√(variance + epsilon) over axes; not centered, x/√(mean of x² + epsilon). */
function normalized(x: Nd, axes: number[], centered = true): Nd {
  const means = map((m) => (centered ? m : 0), fold(mean, x, axes, true))
  const distances = map((a, m) => a - m, x, means)
  const variances = fold(
    mean,
    map((d) => d * d, distances),
    axes,
    true,
  )
  return map((d, v) => d / Math.sqrt(v + EPSILON), distances, variances)
}

const affine = (x: Nd, weight: Nd, bias: Nd) => map((a, w, b) => a * w + b, x, weight, bias)

const batches: Shape[] = [
  [4, 3],
  [2, 3, 2],
  [2, 2, 3, 1],
]

const batchNormTrainings: OpCase[] = batches.map((shape) => {
  const channels = shape.at(-1)!
  return {
    name: `[${shape}]`,
    inputs: [sample(shape), sample([channels], 1), sample([channels], 2)],
    apply: (x: Tensor, weight: Tensor, bias: Tensor) => {
      const running = {
        runningMean: fullLike(x, 0, [channels]),
        runningVar: fullLike(x, 1, [channels]),
        momentum: 0.1,
        correction: 1 as const,
      }
      return batchNormTraining(x, weight, bias, { running, epsilon: EPSILON })
    },
    expected: (x, weight, bias) =>
      affine(
        normalized(
          x,
          shape.slice(1).map((_, axis) => axis),
        ),
        weight,
        bias,
      ),
  }
})

const batchNorms: OpCase[] = [...batches, [0, 2]].map((shape) => {
  const channels = shape.at(-1)!
  return {
    name: `[${shape}]`,
    inputs: [
      sample(shape),
      sample([channels], 1),
      positive([channels], 2),
      sample([channels], 3),
      sample([channels], 4),
    ],
    apply: (x, mean, variance, weight, bias) =>
      batchNorm(x, mean, variance, weight, bias, { epsilon: EPSILON }),
    expected: (x, mean, variance, weight, bias) => {
      const scaled = map((a, m, v) => (a - m) / Math.sqrt(v + EPSILON), x, mean, variance)
      return affine(scaled, weight, bias)
    },
  }
})

const rowNorms: OpCase[] = [
  ...(
    [
      [4, 3],
      [2, 3, 5],
      [0, 2],
    ] as Shape[]
  ).map((shape) => ({
    name: `layer norm of [${shape}]`,
    inputs: [sample(shape), sample(shape.slice(-1), 1), sample(shape.slice(-1), 2)],
    apply: (x: Tensor, weight: Tensor, bias: Tensor) =>
      layerNorm(x, weight, bias, { epsilon: EPSILON }),
    expected: (x: Nd, weight: Nd, bias: Nd) =>
      affine(normalized(x, [shape.length - 1]), weight, bias),
  })),
  {
    name: 'layer norm of two axes',
    inputs: [sample([3, 2, 4]), sample([2, 4], 1), sample([2, 4], 2)],
    apply: (x, weight, bias) => layerNorm(x, weight, bias, { epsilon: EPSILON }),
    expected: (x, weight, bias) => affine(normalized(x, [1, 2]), weight, bias),
  },
  {
    name: 'RMS norm',
    inputs: [sample([2, 3, 4]), sample([4], 1)],
    apply: (x, weight) => rmsNorm(x, weight, { epsilon: EPSILON }),
    expected: (x, weight) => map((a, w) => a * w, normalized(x, [2], false), weight),
  },
  {
    name: 'group norm',
    inputs: [sample([2, 3, 2, 4]), sample([4], 1), sample([4], 2)],
    apply: (x, weight, bias) => groupNorm(x, 2, weight, bias, { epsilon: EPSILON }),
    expected: (x, weight, bias) => {
      const grouped = normalized({ ...x, shape: [2, 6, 2, 2] }, [1, 3])
      return affine({ ...grouped, shape: x.shape }, weight, bias)
    },
  },
]

export const imageOps: Record<string, OpCase[]> = {
  maxPool2d: [
    ...pools(
      (x, pool) => (isSequence(pool) ? maxPool1d : maxPool2d)(x, pool.size, optionsOf(pool)),
      (values) => Math.max(...values),
    ),
    ...globals(globalMaxPool2d, (values) => Math.max(...values)),
  ],
  avgPool2d: [
    ...[true, false].flatMap((countIncludePad) =>
      pools(
        (x, pool) =>
          (isSequence(pool) ? avgPool1d : avgPool2d)(x, pool.size, {
            ...optionsOf(pool),
            countIncludePad,
          }),
        (values, places) => total(values) / (countIncludePad ? places : values.length),
      ),
    ),
    ...globals(globalAvgPool2d, mean),
  ],
  batchNormTraining: batchNormTrainings,
  batchNorm: batchNorms,
  layerNorm: rowNorms,
}
