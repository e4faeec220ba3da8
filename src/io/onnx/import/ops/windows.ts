/** Convolutions and pools, whose channels are the second axis in a file and the last one here. */
import { DataError } from '../../../../base/errors.js'
import { conv1d, conv2d, conv3d, convTranspose2d } from '../../../../ops/conv.js'
import { avgPool1d, avgPool2d, maxPool1d, maxPool2d } from '../../../../ops/pool.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operator, Operators } from '../call.js'
import type { Node } from '../node.js'
import { Value } from '../value.js'

type Pair = readonly [before: number, after: number]

/** Axes of images in a file, [batch, channels, ...space], in the order that they have here. */
export const channelsLast = (rank: number): number[] => [0, ...spaceOf(rank), 1]

const spaceOf = (rank: number) => Array.from({ length: rank - 2 }, (_, i) => i + 2)

/** Axes of weights, [filters, channels, ...space], in the order that they have here. */
export const weightOrder = (rank: number): number[] => [...spaceOf(rank), 1, 0]

/** Images that came out. */
export const images = (y: AnyTensor): Value => new Value('float', y, channelsLast(y.shape.length))

/** What a window is moved by, along each axis of space. */
interface Moves {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
}

function movesOf(node: Node, kernel: readonly number[]): Moves {
  const ones = kernel.map(() => 1)
  return {
    kernel,
    stride: node.numbers('strides', ones),
    dilation: node.numbers('dilations', ones),
  }
}

const spanOf = ({ kernel, dilation }: Moves, axis: number) =>
  (kernel[axis] - 1) * dilation[axis] + 1

/** The borders of an image, [before, after] along each axis of space. */
function bordersOf(node: Node, moves: Moves, extents: readonly number[]): Pair[] {
  const auto = node.text('auto_pad', 'NOTSET')
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    return extents.map((extent, axis) => {
      const last = (Math.ceil(extent / moves.stride[axis]) - 1) * moves.stride[axis]
      return halved(Math.max(0, last + spanOf(moves, axis) - extent), auto)
    })
  }
  const pads = node.numbers('pads', Array(2 * extents.length).fill(0))
  if (auto === 'VALID') return extents.map(() => [0, 0])
  return extents.map((_, axis) => [pads[axis], pads[axis + extents.length]])
}

/** The odd one comes behind, or with SAME_LOWER before. */
const halved = (total: number, auto: string): Pair => {
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)]
  return auto === 'SAME_UPPER' ? [less, more] : [more, less]
}

const WINDOW = ['auto_pad', 'dilations', 'kernel_shape', 'pads', 'strides']

function checkSpace(rank: number, most: number): void {
  if (rank >= 3 && rank <= most + 2) return
  throw new DataError(
    `expected images of 1 to ${most} axes beside batch and channels, got ${rank - 2}`,
  )
}

/** Volumes are convolved plane by plane, also those of their borders. */
const MOST_PLANES = 1000

function conv(call: Call): Value {
  const [x, weight, bias] = [call.input(0), call.input(1), call.maybe(2)]
  checkSpace(x.rank, 3)
  const moves = movesOf(call.node, weight.shape.slice(2))
  const borders = bordersOf(call.node, moves, x.shape.slice(2))
  if (x.rank === 5 && Math.max(...borders[0]) > MOST_PLANES) {
    throw new DataError(`expected at most ${MOST_PLANES} planes before a volume, got ${borders[0]}`)
  }
  const op = [conv1d, conv2d, conv3d][x.rank - 3]
  const y = op(
    x.inOrder(channelsLast(x.rank)),
    weight.inOrder(weightOrder(weight.rank)),
    bias?.device ?? null,
    {
      stride: moves.stride,
      dilation: moves.dilation,
      padding: borders,
      groups: call.node.number('group', 1),
    },
  )
  return images(y)
}

/** Lines are images of one column. */
function convTranspose(call: Call): Value {
  const [x, weight, bias] = [call.input(0), call.input(1), call.maybe(2)]
  checkSpace(x.rank, 2)
  const { node } = call
  const moves = movesOf(node, weight.shape.slice(2))
  const borders = transposedBorders(node, moves, x.shape.slice(2))
  // What lies beyond the last place that a pixel is spread over.
  const beyond = borders.map(([, after]): Pair => [0, Math.max(0, -after)])
  const isLine = x.rank === 3
  const wide = (values: readonly number[]) => (isLine ? [...values, 1] : values)
  const padding = borders.map(([before, after]): Pair => [before, Math.max(0, after)])
  const image = x.inOrder(channelsLast(x.rank))
  const filters = weight.inOrder(weightOrder(weight.rank))
  const [length, ...ends] = filters.shape
  const y = convTranspose2d(
    isLine ? image.unsqueeze(2) : image,
    isLine ? filters.reshape([length, 1, ...ends]) : filters,
    null,
    {
      stride: wide(moves.stride),
      dilation: wide(moves.dilation),
      padding: isLine ? [...padding, [0, 0]] : padding,
      groups: node.number('group', 1),
    },
  )
  const flat: AnyTensor = isLine ? y.squeeze(2) : y
  const whole = beyond.some(([, n]) => n > 0) ? flat.pad([[0, 0], ...beyond, [0, 0]]) : flat
  return images(bias === undefined ? whole : whole.add(bias.device))
}

/** What is cut off before and after; less than nothing where there are more results than pixels reach. */
function transposedBorders(node: Node, moves: Moves, extents: readonly number[]): Pair[] {
  const none = extents.map(() => 0)
  const added = node.numbers('output_padding', none)
  const auto = node.text('auto_pad', 'NOTSET')
  const full = extents.map(
    (extent, axis) => (extent - 1) * moves.stride[axis] + spanOf(moves, axis),
  )
  const isSame = auto === 'SAME_UPPER' || auto === 'SAME_LOWER'
  if (node.has('output_shape') || isSame) {
    const same = extents.map((extent, axis) => extent * moves.stride[axis])
    const wanted = node.numbers('output_shape', same).slice(-extents.length)
    return full.map((extent, axis) => {
      const [before, after] = halved(
        extent + added[axis] - wanted[axis],
        auto === 'SAME_UPPER' ? auto : '',
      )
      return [Math.max(0, before), after - added[axis]]
    })
  }
  const pads = node.numbers('pads', [...none, ...none])
  return extents.map((_, axis) => [pads[axis], pads[axis + extents.length] - added[axis]])
}

const POOL = [...WINDOW, 'ceil_mode', 'storage_order']

/** Where a window of a pool begins before the image and ends behind it, what is added to fill it included. */
function poolBorders(
  node: Node,
  moves: Moves,
  extents: readonly number[],
): { own: Pair[]; filled: Pair[] } {
  const own = bordersOf(node, moves, extents)
  if (!node.flag('ceil_mode')) return { own, filled: own }
  const filled = extents.map((extent, axis): Pair => {
    const [before, after] = own[axis]
    const step = moves.stride[axis]
    const rest = extent + before + after - spanOf(moves, axis)
    let count = Math.ceil(rest / step)
    // A window that begins behind the image has nothing of it.
    if (count * step >= extent + before) count--
    return [before, Math.max(after, after + count * step - rest)]
  })
  return { own, filled }
}

function pool(call: Call): { x: AnyTensor; moves: Moves; own: Pair[]; filled: Pair[] } {
  const x = call.input(0)
  checkSpace(x.rank, 2)
  const moves = movesOf(call.node, call.node.numbers('kernel_shape'))
  const borders = poolBorders(call.node, moves, x.shape.slice(2))
  return { x: x.inOrder(channelsLast(x.rank)), moves, ...borders }
}

function maxPool(call: Call): Value {
  const { x, moves, filled } = pool(call)
  const op = x.shape.length === 3 ? maxPool1d : maxPool2d
  return images(op(x, moves.kernel, { stride: moves.stride, padding: filled }))
}

function averagePool(call: Call): Value {
  const { x, moves, own, filled } = pool(call)
  const isCounted = call.node.flag('count_include_pad')
  // The file's own borders count, not what is added to fill the last window.
  const wide = isCounted ? x.pad([[0, 0], ...own, [0, 0]]) : x
  const padding = isCounted
    ? filled.map(([, after], axis): Pair => [0, after - own[axis][1]])
    : filled
  const op = x.shape.length === 3 ? avgPool1d : avgPool2d
  return images(op(wide, moves.kernel, { stride: moves.stride, padding, countIncludePad: false }))
}

const refuseDilation = (node: Node): string | undefined =>
  node.has('dilations') && node.numbers('dilations').some((step) => step !== 1)
    ? `dilations ${node.numbers('dilations')}`
    : undefined

/** Over all axes of space, which stay with extent 1. */
const globally = (fn: (x: AnyTensor, axes: number[]) => AnyTensor): Operator => ({
  run: (call) => {
    const x = call.input(0)
    const axes = channelsLast(x.rank)
    return new Value(
      'float',
      fn(
        x.inOrder(axes),
        Array.from({ length: x.rank - 2 }, (_, i) => i + 1),
      ),
      axes,
    )
  },
})

/** Each element divided by a sum of squares over neighbouring channels (Krizhevsky et al. 2012). */
function localResponse(call: Call): Value {
  const { node } = call
  const x = call.input(0)
  const size = node.number('size')
  const [alpha, beta, bias] = [
    node.number('alpha', 1e-4),
    node.number('beta', 0.75),
    node.number('bias', 1),
  ]
  const image: AnyTensor = x.inOrder(channelsLast(x.rank))
  const channels = image.shape.at(-1)!
  if (!(size >= 1 && size <= 2 * channels)) {
    throw new DataError(`expected a size from 1 to twice the ${channels} channels, got ${size}`)
  }
  const border: Pair = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  const none = Array.from({ length: x.rank - 1 }, (): Pair => [0, 0])
  const squares = image.square().pad([...none, border])
  const whole = none.map(() => undefined)
  const parts = Array.from({ length: size }, (_, i) => squares.slice(...whole, [i, i + channels]))
  const sum = parts.reduce((a, b) => a.add(b))
  return images(
    image.div(
      sum
        .mul(alpha / size)
        .add(bias)
        .pow(beta),
    ),
  )
}

export const windows: Operators = {
  AveragePool: {
    attributes: [...POOL, 'count_include_pad'],
    refuse: refuseDilation,
    run: averagePool,
  },
  Conv: { attributes: [...WINDOW, 'group'], weights: [1, 2], run: conv },
  ConvTranspose: {
    attributes: [...WINDOW, 'group', 'output_padding', 'output_shape'],
    weights: [1, 2],
    run: convTranspose,
  },
  GlobalAveragePool: globally((x, axes) => x.mean(axes, true)),
  GlobalMaxPool: globally((x, axes) => x.max(axes, true)),
  LRN: { attributes: ['alpha', 'beta', 'bias', 'size'], run: localResponse },
  MaxPool: { attributes: POOL, refuse: refuseDilation, run: maxPool },
}
