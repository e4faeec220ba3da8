/** Convolutions of images with weights, both channels last. */

import { checkCount, optionsOf } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { fullLike } from '../tensor/allocate.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Convolution, convolution2d, transposed2d } from './convolution.js'
import { stack } from './layout.js'
import { requireFloats } from './require.js'
import { checkWindow, type Padding, type PerAxis, placeWindow, type Window } from './window.js'

/** How a convolution moves over its images; one number for every axis, or one for each. */
export interface ConvOptions {
  /** How far apart the places are that the kernel is applied to; 1 by default. */
  stride?: PerAxis
  /**
   * What zeros the image is surrounded by: none (`valid`, the default), as many as give
   * ceil(extent / stride) results, the odd one at the end (`same`, as in Keras), so many at every edge, or
   * of each axis [before, after], such as [[top, bottom], [left, right]].
   */
  padding?: Padding
  /** How far apart the elements of the kernel are; 1 by default. */
  dilation?: PerAxis
  /**
   * Into how many groups channels and filters fall, each convolved by itself; 1 by default, as many as
   * channels for a depthwise convolution.
   */
  groups?: number
}

const OPTIONS: Record<keyof ConvOptions, true> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
}

/** @throws ArgumentError for options that do not exist or are out of range */
export function checkConvolution(
  op: string,
  kernel: PerAxis,
  axes: number,
  options: ConvOptions,
): Convolution {
  const { groups = 1, ...moves } = optionsOf(op, options, OPTIONS)
  checkCount(op, 'groups', groups)
  return { window: checkWindow(op, axes, kernel, moves), groups }
}

const AXES = ['length', 'height, width', 'depth, height, width']

/**
 * Options and operands of a call, checked. Weights of a transposed convolution are those of the one that
 * it is the gradient of: its images' channels come last.
 */
function checked(
  op: string,
  axes: number,
  [x, weight, bias]: readonly [Tensor, Tensor, Tensor | null],
  options: ConvOptions,
  isTransposed = false,
): Convolution {
  requireFloats(op, x, weight)
  const space = AXES[axes - 1]
  if (x.shape.length !== axes + 2) {
    throw new ShapeError(
      `${op}: expected images [batch, ${space}, channels], got ${format(x.shape)}`,
    )
  }
  if (weight.shape.length !== axes + 2 || weight.size === 0) {
    const ends = isTransposed ? 'filters / groups, channels' : 'channels / groups, filters'
    throw new ShapeError(
      `${op}: expected weights [${space}, ${ends}], none of them 0, got ${format(weight.shape)}`,
    )
  }
  const convolution = checkConvolution(op, weight.shape.slice(0, axes), axes, options)
  const { groups } = convolution
  const [inner, outer] = weight.shape.slice(axes)
  const [channels, filters] = isTransposed ? [outer, inner * groups] : [inner * groups, outer]
  if (x.shape[axes + 1] !== channels) {
    const grouped = groups > 1 ? ` in ${groups} groups` : ''
    throw new ShapeError(
      `${op}: expected images of ${channels} channels for weights ${format(weight.shape)}${grouped}, got ${format(x.shape)}`,
    )
  }
  if (outer % groups !== 0) {
    throw new ShapeError(`${op}: expected groups that divide ${outer}, got ${groups}`)
  }
  if (bias !== null) {
    requireFloats(op, x, bias)
    if (bias.shape.length !== 1 || bias.shape[0] !== filters) {
      throw new ShapeError(
        `${op}: expected a bias of shape [${filters}], got ${format(bias.shape)}`,
      )
    }
  }
  return convolution
}

/**
 * Cross-correlation of images with weights, as in PyTorch, Keras and TensorFlow, and a bias added to every
 * result: x [batch, height, width, channels], weight [height, width, channels / groups, filters], bias
 * [filters]; results are [batch, height, width, filters].
 * @throws ShapeError when the shapes do not fit, and for a kernel larger than the padded image,
 *   ArgumentError for options that do not exist or are out of range
 * @example conv2d(images, weight, bias, { padding: 'same' })
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvOptions = {},
): Tensor {
  const convolution = checked('conv2d', 2, [x, weight, bias], options)
  return convolution2d(bias === null ? [x, weight] : [x, weight, bias], { convolution })
}

/**
 * `conv2d` of lines: x [batch, length, channels], weight [length, channels / groups, filters], bias
 * [filters]; results are [batch, length, filters].
 * @throws as `conv2d`
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvOptions = {},
): Tensor {
  const { window, groups } = checked('conv1d', 1, [x, weight, bias], options)
  const { before, after } = placeWindow('conv1d', window, x.shape.slice(1, 2))
  const [batch, length, channels] = x.shape
  // A line is an image of one column: its places are far apart along the axis that is cut into bands.
  const y = conv2d(x.reshape([batch, length, 1, channels]), column(weight), bias, {
    stride: [window.stride[0], 1],
    padding: [
      [before[0], after[0]],
      [0, 0],
    ],
    dilation: [window.dilation[0], 1],
    groups,
  })
  return y.reshape([batch, y.shape[1], y.shape[3]])
}

function column(weight: Tensor): Tensor {
  const [length, ...channels] = weight.shape
  return weight.reshape([length, 1, ...channels])
}

/**
 * `conv2d` of volumes: x [batch, depth, height, width, channels], weight [depth, height, width,
 * channels / groups, filters], bias [filters]; results are [batch, depth, height, width, filters]. It is the
 * sum of one `conv2d` for each pair of a depth of the result and one of the kernel: right, with all
 * gradients, but slower than a kernel of its own would be.
 * @throws as `conv2d`
 */
export function conv3d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvOptions = {},
): Tensor {
  const { window, groups } = checked('conv3d', 3, [x, weight, bias], options)
  const [batch, depth, ...image] = x.shape
  const { before, after, output } = placeWindow('conv3d', window, x.shape.slice(1, 4))
  const [stride, dilation] = [window.stride[0], window.dilation[0]]
  const across: ConvOptions = {
    stride: window.stride.slice(1),
    padding: [1, 2].map((axis) => [before[axis], after[axis]] as const),
    dilation: window.dilation.slice(1),
    groups,
  }
  const planes = Array.from({ length: depth }, (_, d) =>
    x.slice([0], [d, d + 1]).reshape([batch, ...image]),
  )
  const taps = Array.from({ length: weight.shape[0] }, (_, t) =>
    weight.slice([t, t + 1]).reshape(weight.shape.slice(1)),
  )
  const filters = weight.shape[4]
  const results = Array.from({ length: output[0] }, (_, d) => {
    const terms = taps.flatMap((tap, t) => {
      const plane = planes[d * stride + t * dilation - before[0]]
      return plane === undefined ? [] : [conv2d(plane, tap, null, across)]
    })
    const zero = () => fullLike(x, 0, [batch, output[1], output[2], filters])
    const sum = terms.length > 0 ? terms.reduce((a, b) => a.add(b)) : zero()
    return bias === null ? sum : sum.add(bias)
  })
  return stack(results, 1)
}

/**
 * The transposed convolution, which spreads each pixel over the places that `conv2d` would have computed it
 * of, and is the gradient of its images: x [batch, height, width, channels], weight [height, width,
 * filters / groups, channels], bias [filters]. Without padding there are (extent - 1)·stride +
 * (kernel - 1)·dilation + 1 results along each axis, less what padding cuts off at its edges; with `same`
 * extent·stride. PyTorch's `output_padding` is less padding at the end: for padding 1 and output_padding 1
 * that is `[[1, 0], [1, 0]]`.
 * @throws as `conv2d`, ShapeError where the padding leaves nothing
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvOptions = {},
): Tensor {
  const convolution = checked('convTranspose2d', 2, [x, weight, bias], options, true)
  const { window, groups } = convolution
  const extents = [0, 1].map((axis) => resultExtent(window, axis, x.shape[axis + 1]))
  if (extents.some((extent) => extent < 1)) {
    throw new ShapeError(
      `convTranspose2d: expected padding that leaves results, got ${format(extents)} for images ${format(x.shape)}`,
    )
  }
  const images = [x.shape[0], ...extents, weight.shape[2] * groups]
  const y = transposed2d(x, weight, { convolution, images })
  return bias === null ? y : y.add(bias)
}

/** The image along an axis that this window fits into so many times. */
function resultExtent({ size, stride, dilation, padding }: Window, axis: number, extent: number) {
  if (padding === 'same') return extent * stride[axis]
  const [before, after] = padding[axis]
  return (extent - 1) * stride[axis] + (size[axis] - 1) * dilation[axis] + 1 - before - after
}
