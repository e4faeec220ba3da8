/** Sums, means and the like over axes. */
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operator, Operators } from '../call.js'
import { compute, Value } from '../value.js'
import { floats } from './elementwise.js'

type Reduce = (x: AnyTensor, axes: readonly number[], keepDims: boolean) => AnyTensor

/** Axes are a setting in older models and an input in newer ones; without any, all of them. */
function over(call: Call, fn: Reduce): Value {
  const x = call.input(0)
  const given = call.listed('axes', 1) ?? []
  const all = [...x.shape.keys()]
  const isAll = given.length === 0 && !call.node.flag('noop_with_empty_axes')
  const axes = isAll ? all : given.map((axis) => call.axis(axis))
  const keepDims = call.node.flag('keepdims', true)
  // Wherever the axes lie: images need not be brought back into the order of the file.
  const order = x.axes ?? all
  const places = axes.map((axis) => order.indexOf(axis))
  const y = compute([x.axes ? new Value(x.kind, x.physical) : x], (a) => fn(a, places, keepDims))
  if (x.axes === undefined) return new Value(x.kind, y)
  const left = keepDims ? order : order.filter((axis) => !axes.includes(axis))
  const sorted = [...left].sort((a, b) => a - b)
  return new Value(
    x.kind,
    y,
    left.map((axis) => sorted.indexOf(axis)),
  )
}

const reduce = (fn: Reduce): Operator => ({
  attributes: ['axes', 'keepdims', 'noop_with_empty_axes'],
  run: (call) => over(call, fn),
})

/** With whole numbers as floats. */
const ofFloats =
  (fn: Reduce): Reduce =>
  (x, ...rest) =>
    fn(floats(x), ...rest)

export const reductions: Operators = {
  ReduceL1: reduce((x, axes, keep) => x.abs().sum(axes, keep)),
  ReduceL2: reduce(ofFloats((x, axes, keep) => x.norm(axes, keep))),
  ReduceLogSum: reduce(ofFloats((x, axes, keep) => x.sum(axes, keep).log())),
  ReduceLogSumExp: reduce(ofFloats((x, axes, keep) => x.logsumexp(axes, keep))),
  ReduceMax: reduce((x, axes, keep) => x.max(axes, keep)),
  ReduceMean: reduce(ofFloats((x, axes, keep) => x.mean(axes, keep))),
  ReduceMin: reduce((x, axes, keep) => x.min(axes, keep)),
  ReduceProd: reduce(ofFloats((x, axes, keep) => x.prod(axes, keep))),
  ReduceSum: reduce((x, axes, keep) => x.sum(axes, keep)),
  ReduceSumSquare: reduce((x, axes, keep) => x.mul(x).sum(axes, keep)),
}
