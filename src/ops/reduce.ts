/**
 * Ops that fold axes away.
 */
import { ShapeError } from '../base/errors.js'
import {
  aroundAxis,
  format,
  resolveAxes,
  resolveAxis,
  type Shape,
  sameShape,
  sizeOf,
} from '../tensor/shape.js'
import { type AnyTensor, allocate, type Tensor } from '../tensor/tensor.js'
import { defineOp, requireDType } from './define.js'
import { equal, where } from './elementwise.js'
import { expandTo } from './layout.js'

type Axes = readonly number[]

/** The shape with 1 where an axis was folded, so that it broadcasts against what was folded. */
function keepingAxes(shape: Shape, axes: Axes): Shape {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
}

/** Runs of neighbouring axes, last first: each is one call of a kernel. */
function runsOf(axes: Axes): [number, number][] {
  const runs: [number, number][] = []
  for (const axis of axes) {
    const last = runs.at(-1)
    if (last && last[1] === axis) last[1] = axis + 1
    else runs.push([axis, axis + 1])
  }
  return runs.reverse()
}

/** Folds the axes away, one run after the other; the scale goes into the last call. */
function fold(kernel: 'sum' | 'max', x: Tensor, axes: Axes, scale: number): Tensor {
  requireDType(kernel, x, 'float32')
  let y = x.view()
  const runs = runsOf(axes)
  for (const [i, [begin, end]] of runs.entries()) {
    const { shape } = y
    const outer = sizeOf(shape.slice(0, begin))
    const length = sizeOf(shape.slice(begin, end))
    const inner = sizeOf(shape.slice(end))
    const next = allocate(x, shape.toSpliced(begin, end - begin))
    const { backend } = x.storage
    if (kernel === 'max') backend.run('max', y.handle, next.handle, outer, length, inner)
    else
      backend.run(
        'sum',
        y.handle,
        next.handle,
        outer,
        length,
        inner,
        i === runs.length - 1 ? scale : 1,
      )
    y.dispose()
    y = next
  }
  return runs.length > 0 ? y : y.clone()
}

const sumAxes = defineOp<readonly [Tensor], { axes: Axes; scale: number }>('sum', {
  forward: ([x], { axes, scale }) => fold('sum', x, axes, scale),
  backward: (dy, _, { shapes: [shape], attributes: { axes, scale } }) => [
    () => {
      const scaled = scale === 1 ? dy : dy.mul(scale)
      return expandTo(scaled.reshape(keepingAxes(shape, axes)), shape)
    },
  ],
})

const maxAxes = defineOp<readonly [Tensor], { axes: Axes }>('max', {
  forward: ([x], { axes }) => fold('max', x, axes, 1),
  save: (y, [x]) => [y, x],
  // Equal largest elements share the gradient.
  backward: (dy, [y, x], { shapes: [shape], attributes: { axes } }) => [
    () => {
      const kept = keepingAxes(shape, axes)
      const isLargest = equal(x, y.reshape(kept))
      const count = sumAxes(isLargest, { axes, scale: 1 })
      return isLargest.mul(dy.div(count).reshape(kept))
    },
  ],
})

/** An axis, several, or all of them. */
export type AxesArgument = number | readonly number[] | undefined

function finish(y: Tensor, shape: Shape, axes: Axes, keepDims: boolean): Tensor {
  return keepDims ? y.reshape(keepingAxes(shape, axes)) : y
}

export function sum(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  const list = resolveAxes('sum', axes, x.shape.length)
  return finish(sumAxes(x, { axes: list, scale: 1 }), x.shape, list, keepDims)
}

/** The mean of nothing is NaN. */
export function mean(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  const list = resolveAxes('mean', axes, x.shape.length)
  const scale = 1 / sizeOf(list.map((axis) => x.shape[axis]))
  return finish(sumAxes(x, { axes: list, scale }), x.shape, list, keepDims)
}

function refuseEmpty(op: string, x: AnyTensor, axes: Axes): void {
  if (axes.some((axis) => x.shape[axis] === 0)) {
    throw new ShapeError(
      `${op}: expected at least one element to choose from, got shape ${format(x.shape)}`,
    )
  }
}

/** @throws ShapeError when there is no element to choose from */
export function max(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  const list = resolveAxes('max', axes, x.shape.length)
  refuseEmpty('max', x, list)
  return finish(maxAxes(x, { axes: list }), x.shape, list, keepDims)
}

/** @throws ShapeError when there is no element to choose from */
export function min(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  const list = resolveAxes('min', axes, x.shape.length)
  refuseEmpty('min', x, list)
  return max(x.neg(), list, keepDims).neg()
}

const normAxis = defineOp<readonly [Tensor], { axis: number }>('norm', {
  forward: ([x], { axis }) => {
    requireDType('norm', x, 'float32')
    const y = allocate(x, x.shape.toSpliced(axis, 1))
    x.storage.backend.run('norm', x.handle, y.handle, ...aroundAxis(x.shape, axis))
    return y
  },
  save: (y, [x]) => [y, x],
  // x / |x|, and 0 where |x| is 0.
  backward: (dy, [y, x], { shapes: [shape], attributes: { axis } }) => [
    () => {
      const kept = keepingAxes(shape, [axis])
      const scale = where(y, dy.div(y), y.filled(0))
      return x.mul(scale.reshape(kept))
    },
  ],
})

/** Axis by axis, the last one first: of a matrix the rows in parallel. */
export function norm(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  const list = resolveAxes('norm', axes, x.shape.length)
  const y = list.toReversed().reduce((h, axis) => normAxis(h, { axis }), x)
  return finish(list.length > 0 ? y : x.abs(), x.shape, list, keepDims)
}

const argmaxAxis = defineOp<readonly [Tensor], { axis: number }, Tensor<'int32'>>('argmax', {
  forward: ([x], { axis }) => {
    requireDType('argmax', x, 'float32')
    const [outer, length, inner] = aroundAxis(x.shape, axis)
    const y = allocate(x, x.shape.toSpliced(axis, 1), 'int32')
    x.storage.backend.run('argmax', x.handle, y.handle, outer, length, inner)
    return y
  },
})

/** Position of the first largest element along an axis; over all elements for undefined. */
export function argmax(x: Tensor, axis?: number): Tensor<'int32'> {
  const flat = axis === undefined ? x.reshape([x.size]) : x
  const along = axis === undefined ? 0 : resolveAxis('argmax', axis, x.shape.length)
  refuseEmpty('argmax', flat, [along])
  return argmaxAxis(flat, { axis: along })
}

/** Sums what broadcasting repeated, back to the shape before it. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const offset = x.shape.length - shape.length
  const axes = x.shape.flatMap((extent, axis) =>
    axis < offset || (shape[axis - offset] === 1 && extent !== 1) ? [axis] : [],
  )
  const y = sumAxes(x, { axes, scale: 1 })
  if (sameShape(y.shape, shape)) return y
  // A view alone would leave the sum's own reference behind.
  const reshaped = y.view(shape)
  y.dispose()
  return reshaped
}
