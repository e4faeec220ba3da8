/** Calls of the kernels of convolutions: other extents along each axis, and few and many of everything. */
import { type Cases, out } from './case.js'
import { floats, ints, random } from './values.js'

export interface ConvShape {
  batch: number
  image: [number, number]
  channels: number
  filters: number
  kernel: [number, number]
  stride: [number, number]
  before: [number, number]
  after: [number, number]
  dilation: [number, number]
  groups: number
}

const plain: ConvShape = {
  batch: 2,
  image: [5, 7],
  channels: 3,
  filters: 4,
  kernel: [3, 2],
  stride: [1, 1],
  before: [0, 0],
  after: [0, 0],
  dilation: [1, 1],
  groups: 1,
}
const padded = { before: [1, 0], after: [0, 2] } satisfies Partial<ConvShape>

/** Small ones, for gradients in float64, too. */
export const smallShapes: ConvShape[] = [
  plain,
  { ...plain, batch: 1, channels: 1, filters: 1, kernel: [1, 1] },
  { ...plain, ...padded, stride: [2, 3] },
  { ...plain, ...padded, stride: [3, 1], dilation: [2, 1], kernel: [2, 3] },
  { ...plain, channels: 4, filters: 6, groups: 2, ...padded },
  { ...plain, channels: 3, filters: 3, groups: 3, kernel: [2, 2], stride: [1, 2], ...padded },
  { ...plain, channels: 2, filters: 4, groups: 2, dilation: [1, 2] },
  { ...plain, batch: 0 },
  { ...plain, image: [1, 1], kernel: [1, 1], before: [3, 2], after: [2, 1] },
]

const shapes: ConvShape[] = [
  ...smallShapes,
  { ...plain, channels: 17, filters: 70, before: [1, 1], after: [1, 1] },
  { ...plain, channels: 70, filters: 17, stride: [2, 2] },
  { ...plain, batch: 9, image: [12, 9], channels: 16, filters: 33, kernel: [3, 3] },
  { ...plain, channels: 33, filters: 33, groups: 33, kernel: [3, 3], ...padded },
  { ...plain, image: [130, 1], kernel: [5, 1], channels: 8, filters: 5 },
  { ...plain, batch: 1, image: [40, 40], channels: 50, filters: 8, ...padded },
]

/** From one number to another, both included. */
const pick = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
const pair = (least: number, most: number): [number, number] => [
  pick(least, most),
  pick(least, most),
]

/** Any that fits; native/test/conv_test.cc has many more. */
function randomShape(): ConvShape {
  const groups = pick(0, 3) === 0 ? pick(2, 5) : 1
  const shape: ConvShape = {
    batch: pick(1, 10),
    image: pair(1, 9),
    channels: groups * pick(1, 20 / groups),
    filters: groups * pick(1, 40 / groups),
    kernel: pair(1, 4),
    stride: pair(1, 3),
    before: pair(0, 3),
    after: pair(0, 3),
    dilation: pair(1, 2),
    groups,
  }
  return outExtent(shape, 0) > 0 && outExtent(shape, 1) > 0 ? shape : randomShape()
}

export const outExtent = (shape: ConvShape, axis: 0 | 1): number =>
  Math.floor(
    (shape.before[axis] +
      shape.image[axis] +
      shape.after[axis] -
      (shape.kernel[axis] - 1) * shape.dilation[axis] -
      1) /
      shape.stride[axis],
  ) + 1

function* calls(): Iterable<{ x: number; w: number; y: number; filters: number; rest: number[] }> {
  for (const shape of [...shapes, ...Array.from({ length: 40 }, randomShape)]) {
    const { batch, image, channels, filters, kernel, stride, before, dilation, groups } = shape
    const results = [outExtent(shape, 0), outExtent(shape, 1)]
    yield {
      x: batch * image[0] * image[1] * channels,
      w: (kernel[0] * kernel[1] * channels * filters) / groups,
      y: batch * results[0] * results[1] * filters,
      filters,
      rest: [
        ...[batch, ...image, channels, ...results, filters],
        ...[...kernel, ...stride, ...before, ...dilation, groups],
      ],
    }
  }
}

export function* conv(): Cases {
  for (const { x, w, y, rest } of calls()) yield [floats(x), floats(w), out(y), ...rest]
}
export function* convBias(): Cases {
  for (const { x, w, y, filters, rest } of calls()) {
    yield [floats(x), floats(w), floats(filters), out(y), ...rest]
  }
}
export function* convInputGrad(): Cases {
  for (const { x, w, y, rest } of calls()) yield [floats(y), floats(w), out(x), ...rest]
}
export function* convWeightGrad(): Cases {
  for (const { x, w, y, rest } of calls()) {
    yield [floats(x), floats(y), out(w), out(w <= 8192 ? 8 * w : 0), ...rest]
  }
}

/** Those with windows of 2 × 2 in their results, of numbers whose sums are exact: so ties are ties. */
function* pooledCalls() {
  for (const call of calls()) {
    const [batch, , , , height, width, filters, kernelHeight, kernelWidth] = call.rest
    const windows = [Math.floor(height / 2), Math.floor(width / 2)]
    const pools = batch * windows[0] * windows[1] * filters
    const [padTop, padLeft, dilationHeight, dilationWidth] = call.rest.slice(11)
    const isPaddedWithin =
      padTop <= (kernelHeight - 1) * dilationHeight && padLeft <= (kernelWidth - 1) * dilationWidth
    const runs = Math.ceil((batch * height * width) / 16) * filters
    if (height > 1 && width > 1) yield { ...call, pools, runs, isPaddedWithin }
  }
}
const whole = (n: number) => Float32Array.from(ints(n, 7), (value) => value - 3)

export function* convBiasReluPool(): Cases {
  for (const { x, w, filters, pools, rest } of pooledCalls()) {
    yield [whole(x), whole(w), whole(filters), out(pools), out(pools, 'uint8'), ...rest]
  }
}
export function* convPoolInputGrad(): Cases {
  for (const { x, w, pools, isPaddedWithin, rest } of pooledCalls()) {
    const places = Uint8Array.from(ints(pools, 4))
    if (isPaddedWithin) yield [whole(pools), whole(pools), places, whole(w), out(x), ...rest]
  }
}
export function* convPoolWeightGrad(): Cases {
  for (const { x, w, filters, pools, runs, rest } of pooledCalls()) {
    const places = Uint8Array.from(ints(pools, 4))
    const scratch = out((w <= 8192 ? 8 * w : 0) + runs)
    yield [whole(x), whole(pools), whole(pools), places, out(w), out(filters), scratch, ...rest]
  }
}
