/** Rows of the op table: convolutions, against one loop over all indices. */
import { conv1d, conv2d, conv3d, convTranspose2d } from '../../lib/index.js'
import { type ConvShape, outExtent, smallShapes } from './convCases.js'
import type { OpCase } from './opCase.js'
import { at, build, indices, type Nd, sample } from './reference.js'

const optionsOf = ({ stride, before, after, dilation, groups }: ConvShape) => ({
  stride,
  padding: [0, 1].map((axis) => [before[axis], after[axis]] as const),
  dilation,
  groups,
})

const imageOf = ({ batch, image, channels }: ConvShape) => [batch, ...image, channels]
const weightOf = ({ kernel, channels, filters, groups }: ConvShape) => [
  ...kernel,
  channels / groups,
  filters,
]
const resultOf = (shape: ConvShape) => [
  shape.batch,
  outExtent(shape, 0),
  outExtent(shape, 1),
  shape.filters,
]

/** Where a tap of a result reads, for indices [n, i, j, o] and [a, b, c, o]; undefined: outside. */
function pixel(shape: ConvShape, result: number[], tap: number[]): number[] | undefined {
  const [row, col] = [0, 1].map(
    (axis) =>
      result[axis + 1] * shape.stride[axis] + tap[axis] * shape.dilation[axis] - shape.before[axis],
  )
  const isInside = row >= 0 && row < shape.image[0] && col >= 0 && col < shape.image[1]
  const group = Math.floor(result[3] / (shape.filters / shape.groups))
  const channel = group * (shape.channels / shape.groups) + tap[2]
  return isInside ? [result[0], row, col, channel] : undefined
}

function convolve(shape: ConvShape, x: Nd, w: Nd, bias?: Nd): Nd {
  const taps = indices(w.shape.slice(0, 3))
  return build(resultOf(shape), (result) => {
    let sum = bias ? at(bias, [result[3]]) : 0
    for (const tap of taps) {
      const from = pixel(shape, result, tap)
      if (from) sum += at(x, from) * at(w, [...tap, result[3]])
    }
    return sum
  })
}

function spread(shape: ConvShape, y: Nd, w: Nd, bias: Nd): Nd {
  const x = build(imageOf(shape), ([, , , c]) => at(bias, [c]))
  const place = (index: number[]) => index.reduce((sum, i, axis) => sum * x.shape[axis] + i, 0)
  for (const result of indices(y.shape)) {
    for (const tap of indices(w.shape.slice(0, 3))) {
      const to = pixel(shape, result, tap)
      if (to) x.data[place(to)] += at(y, result) * at(w, [...tap, result[3]])
    }
  }
  return x
}

const nameOf = (shape: ConvShape) =>
  Object.entries(shape)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

// Smaller numbers, so that sums of many products keep their digits.
const small = (shape: number[], seed = 0): Nd => {
  const values = sample(shape, seed)
  return { ...values, data: values.data.map((value) => value / 8) }
}

const line: ConvShape = {
  ...smallShapes[0],
  image: [9, 1],
  kernel: [3, 1],
  stride: [2, 1],
  before: [1, 0],
  after: [2, 0],
  dilation: [2, 1],
  channels: 4,
  groups: 2,
}
const lines: OpCase = {
  name: 'of lines',
  inputs: [small([2, 9, 4]), small([3, 2, 4], 1), small([4], 2)],
  apply: (x, w, bias) =>
    conv1d(x, w, bias, { stride: 2, padding: [[1, 2]], dilation: 2, groups: 2 }),
  expected: (x, w, bias) => {
    const y = convolve(line, { ...x, shape: [2, 9, 1, 4] }, { ...w, shape: [3, 1, 2, 4] }, bias)
    return { ...y, shape: [2, y.shape[1], 4] }
  },
}

/** Each axis of a volume by itself. */
const volumes: OpCase = {
  name: 'of volumes',
  inputs: [small([2, 4, 3, 5, 2]), small([2, 2, 3, 2, 3], 1), small([3], 2)],
  apply: (x, w, bias) =>
    conv3d(x, w, bias, {
      stride: [2, 1, 2],
      padding: [
        [1, 2],
        [0, 1],
        [1, 1],
      ],
      dilation: [3, 1, 1],
    }),
  expected: (x, w, bias) =>
    build([2, 2, 3, 3, 3], ([n, d, i, j, o]) => {
      let sum = at(bias, [o])
      for (const [t, a, b, c] of indices([2, 2, 3, 2])) {
        const from = [2 * d + 3 * t - 1, i + a, 2 * j + b - 1]
        const isInside = from.every((p, axis) => p >= 0 && p < x.shape[axis + 1])
        if (isInside) sum += at(x, [n, ...from, c]) * at(w, [t, a, b, c, o])
      }
      return sum
    }),
}

export const convolutions: Record<'conv2d' | 'convTranspose2d', OpCase[]> = {
  conv2d: [
    ...smallShapes.flatMap((shape): OpCase[] => [
      {
        name: nameOf(shape),
        inputs: [small(imageOf(shape)), small(weightOf(shape), 1), small([shape.filters], 2)],
        apply: (x, w, bias) => conv2d(x, w, bias, optionsOf(shape)),
        expected: (x, w, bias) => convolve(shape, x, w, bias),
      },
      {
        name: `without a bias, ${nameOf(shape)}`,
        inputs: [small(imageOf(shape)), small(weightOf(shape), 1)],
        apply: (x, w) => conv2d(x, w, null, optionsOf(shape)),
        expected: (x, w) => convolve(shape, x, w),
      },
    ]),
    lines,
    volumes,
  ],
  // Of the results of a convolution whose images have no rest.
  convTranspose2d: smallShapes.map((given) => {
    const image = [0, 1].map((axis) => {
      const span = (given.kernel[axis] - 1) * given.dilation[axis] + 1
      return (
        (outExtent(given, axis as 0) - 1) * given.stride[axis] +
        span -
        given.before[axis] -
        given.after[axis]
      )
    })
    const shape = { ...given, image: image as [number, number] }
    return {
      name: nameOf(shape),
      inputs: [small(resultOf(shape)), small(weightOf(shape), 1), small([shape.channels], 2)],
      apply: (y, w, bias) => convTranspose2d(y, w, bias, optionsOf(shape)),
      expected: (y, w, bias) => spread(shape, y, w, bias),
    }
  }),
}
