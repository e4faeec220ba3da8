/** Products of matrices, convolutions and pools. */
import type { Convolution } from '../../../../ops/convolution.js'
import { placeWindow } from '../../../../ops/window.js'
import type { Shape } from '../../../../tensor/shape.js'
import type { Emitter } from '../emitter.js'
import type { Reading, Value } from '../merge.js'
import { channelsFirst, own, plain, type Rows } from '../row.js'

/** Matrices with their last two axes swapped. */
function swapped(g: Emitter, x: Value): string {
  const axes = x.shape.map((_, axis) => axis)
  const [row, col] = axes.slice(-2)
  return g.permuted(x, [...axes.slice(0, -2), col, row])
}

const matmul = own((g, { transA, transB }: { transA: boolean; transB: boolean }, call) => {
  const [a, b] = call.from.inputs
  const operands = [transA ? swapped(g, a) : g.plain(a), transB ? swapped(g, b) : g.plain(b)]
  g.define(call, { plain: g.node('MatMul', operands) })
})

/** A window over images as ONNX tells it. */
interface Placed {
  readonly kernel_shape: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
  readonly group: number
}

const spaceOf = ([, height, width]: Shape) => [height, width]

function placed({ window, groups }: Convolution, images: Shape): Placed {
  const { before, after } = placeWindow('conv2d', window, spaceOf(images))
  const { size, stride, dilation } = window
  const pads = [...before, ...after]
  return { kernel_shape: size, strides: stride, dilations: dilation, pads, group: groups }
}

interface ConvAttributes {
  readonly convolution: Convolution
  readonly images: Shape
}

const readConv: Reading = (attributes, [x]) => placed((attributes as ConvAttributes).convolution, x)

/** The images that this makes are those that the convolution would have been applied to. */
const readTransposed: Reading = (attributes, [x]) => {
  const { convolution, images } = attributes as ConvAttributes
  const window = placed(convolution, images)
  const { kernel_shape, strides, dilations, pads } = window
  const output_padding = spaceOf(images).map((extent, axis) => {
    const span = (kernel_shape[axis] - 1) * dilations[axis] + 1
    return extent + pads[axis] + pads[axis + 2] - span - (x[axis + 1] - 1) * strides[axis]
  })
  return { ...window, output_padding }
}

/** Weights [height, width, channels, filters] as [filters, channels, height, width]. */
const weights = (g: Emitter, weight: Value) => g.permuted(weight, [3, 2, 0, 1])

/** A window of a pool as the kernels take it. */
type Geometry = readonly number[]

const readPool: Reading = (attributes) => {
  const { geometry, countPadding } = attributes as { geometry: Geometry; countPadding: number }
  const [, height, width, , ...rest] = geometry
  const [rows, cols, down, right, top, left, outHeight, outWidth] = rest
  const bottom = Math.max(0, (outHeight - 1) * down + rows - height - top)
  const end = Math.max(0, (outWidth - 1) * right + cols - width - left)
  const window = {
    kernel_shape: [rows, cols],
    strides: [down, right],
    pads: [top, left, bottom, end],
  }
  return { window, countPadding }
}

export const productRows: Rows = {
  matmul,
  linear: plain((g, x, _, call) => {
    if (call.shape.length === 2) return g.node('Gemm', x)
    return g.node('Add', [g.node('MatMul', x.slice(0, 2)), x[2]])
  }),
  cdist: plain((g, [a, b]) => {
    const pairs = [g.node('Unsqueeze', [a, g.ints([2])]), g.node('Unsqueeze', [b, g.ints([1])])]
    return g.node('ReduceL2', [g.node('Sub', pairs)], { axes: [3], keepdims: 0 })
  }),
  conv2d: channelsFirst((g, [x], attributes, call) => {
    const [, weight, ...bias] = call.from.inputs
    const operands = [x, weights(g, weight), ...bias.map((value) => g.plain(value))]
    return g.node('Conv', operands, attributes)
  }, readConv),
  convTranspose2d: channelsFirst(
    (g, [x], attributes, call) =>
      g.node('ConvTranspose', [x, weights(g, call.from.inputs[1])], attributes),
    readTransposed,
  ),
  maxPool2d: channelsFirst((g, [x], { window }) => g.node('MaxPool', [x], window), readPool),
  avgPool2d: channelsFirst(
    (g, [x], { window, countPadding }) =>
      g.node('AveragePool', [x], { ...window, count_include_pad: countPadding }),
    readPool,
  ),
  batchNorm: channelsFirst((g, [x], { epsilon }, call) => {
    const [mean, variance, weight, bias] = call.from.inputs.slice(1).map((value) => g.plain(value))
    return g.node('BatchNormalization', [x, weight, bias, mean, variance], { epsilon })
  }),
  warp: 'it distorts the images that a model is trained on',
}
