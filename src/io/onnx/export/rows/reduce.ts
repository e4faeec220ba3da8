/** Ops that fold axes, or go along them. */
import { sizeOf } from '../../../../tensor/shape.js'
import type { Emitter, OpValue } from '../emitter.js'
import type { Reading } from '../merge.js'
import { fixed, plain, type Row, type Rows, type Write } from '../row.js'

interface SumAttributes {
  readonly axes: readonly number[]
  readonly scale: number
}

/** A sum that is scaled by the number of its elements is a mean, whatever the batch. */
const readSum: Reading = (attributes, [x]) => {
  const { axes, scale } = attributes as SumAttributes
  const isMean = scale !== 1 && scale === 1 / sizeOf(axes.map((axis) => x[axis]))
  return isMean ? { axes, isMean } : { axes, scale, isMean }
}

const sum: Write = (g, [x], { axes, scale, isMean }, call) => {
  if (isMean) return g.node('ReduceMean', [x], { axes, keepdims: 0 })
  const y = axes.length === 0 ? x : g.node('ReduceSum', [x, g.ints(axes)], { keepdims: 0 })
  return scale === 1 ? y : g.node('Mul', [y, g.scalar(scale, call.dtype)])
}

const reduction =
  (op: string): Write =>
  (g, [x], { axes }) =>
    axes.length === 0 ? x : g.node(op, [x], { axes, keepdims: 0 })

/** Of one axis. */
const alongAxis = (op: string) =>
  plain((g, [x], { axis }) => g.node(op, [x], { axes: [axis], keepdims: 0 }))

/** Truth values are folded as integers. */
function fold(op: string): Row {
  return plain((g, [x], attributes, call) => {
    const truth = call.from.inputs[0].dtype === 'bool' ? x : g.asBool(x)
    const folded = reduction(op)(g, [g.cast(truth, 'int32')], attributes, call)
    return g.cast(folded, 'bool')
  })
}

function variance(g: Emitter, x: string, axis: number, correction: number, call: OpValue): string {
  const kept = { axes: [axis], keepdims: 1 }
  const rest = g.node('Sub', [x, g.node('ReduceMean', [x], kept)])
  if (correction === 0) {
    return g.node('ReduceMean', [g.node('Mul', [rest, rest])], { axes: [axis], keepdims: 0 })
  }
  const count = fixed(call.from.inputs[0].shape[axis], 'a number of elements', call)
  const sums = g.node('ReduceSumSquare', [rest], { axes: [axis], keepdims: 0 })
  return g.node('Div', [sums, g.scalar(Math.max(0, count - correction), call.dtype)])
}

/** Products of all elements so far: ONNX has none but over whole axes, so the others count as 1 for each place. */
const cumprod: Write = (g, [x], { axis }, call) => {
  const count = fixed(call.shape[axis], 'a number of elements', call)
  const rank = call.shape.length
  const counted = new Uint8Array(count * count).map((_, i) => +(i % count <= Math.floor(i / count)))
  const isBefore = g.constant(counted, 'bool', [
    count,
    count,
    ...Array<number>(rank - axis - 1).fill(1),
  ])
  const repeated = g.node('Unsqueeze', [x, g.ints([axis])])
  const taken = g.node('Where', [isBefore, repeated, g.scalar(1, call.dtype)])
  return g.node('ReduceProd', [taken], { axes: [axis + 1], keepdims: 0 })
}

/** Without the mean it is x/√(mean of x² + epsilon)·weight + bias, which ONNX has no op for before opset 23. */
const layerNorm: Write = (g, [x, weight, bias], { epsilon, centered }, call) => {
  const rank = call.from.inputs[1].shape.length
  if (centered) return g.node('LayerNormalization', [x, weight, bias], { axis: -rank, epsilon })
  const axes = Array.from({ length: rank }, (_, i) => i - rank)
  const squares = g.node('ReduceMean', [g.node('Mul', [x, x])], { axes, keepdims: 1 })
  const length = g.node('Sqrt', [g.node('Add', [squares, g.scalar(epsilon, call.dtype)])])
  return g.node('Add', [g.node('Mul', [g.node('Div', [x, length]), weight]), bias])
}

export const reduceRows: Rows = {
  sum: plain(sum, readSum),
  max: plain(reduction('ReduceMax')),
  maxWithIndices: alongAxis('ReduceMax'),
  norm: alongAxis('ReduceL2'),
  prod: alongAxis('ReduceProd'),
  any: fold('ReduceMax'),
  all: fold('ReduceMin'),
  var: plain((g, [x], { axis, correction }, call) => variance(g, x, axis, correction, call)),
  std: plain((g, [x], { axis, correction }, call) =>
    g.node('Sqrt', [variance(g, x, axis, correction, call)]),
  ),
  argmax: plain((g, x, { axis }) => g.cast(g.node('ArgMax', x, { axis, keepdims: 0 }), 'int32')),
  argsort: plain((g, [x], { axis, count, descending }) => {
    const order = { axis, largest: Number(descending) }
    return g.cast(g.node('TopK', [x, g.extents([count])], order, 1), 'int32')
  }),
  cumsum: plain((g, [x], { axis, reverse }) =>
    g.node('CumSum', [x, g.scalar(axis, 'int64')], { reverse: Number(reverse) }),
  ),
  cumprod: plain(cumprod),
  softmax: plain((g, x) => g.node('Softmax', x, { axis: -1 })),
  logSoftmax: plain((g, x) => g.node('LogSoftmax', x, { axis: -1 })),
  softmaxCrossEntropy: plain((g, [logits, labels]) => {
    const log = g.node('LogSoftmax', [logits], { axis: -1 })
    const at = g.node('Unsqueeze', [labels, g.ints([1])])
    const chosen = g.node('GatherElements', [log, at], { axis: 1 })
    return g.node('Neg', [g.node('Squeeze', [chosen, g.ints([1])])])
  }),
  layerNorm: plain(layerNorm),
  batchNormTraining:
    'it normalizes by a batch and changes running moments, which a model does in training alone',
}
