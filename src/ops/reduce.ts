/** Reductions over one or more axes: sum, mean, max, min, norm, argmax. */
import { type DType, isFloat } from '../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import {
  aroundAxis,
  format,
  resolveAxes,
  resolveAxis,
  type Shape,
  sizeOf,
} from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { equal, sub, where } from './elementwise.js'
import { expandTo } from './layout.js'
import { fold } from './raw.js'
import { requireFloat, requireNumeric, requireTensor } from './require.js'

type Axes = readonly number[]

/** The shape with 1 where an axis was folded, so that it broadcasts against what was folded. */
function keepingAxes(shape: Shape, axes: Axes): Shape {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
}

const sumAxes = defineOp<readonly [AnyTensor], { axes: Axes; scale: number }, AnyTensor>('sum', {
  forward: ([x], { axes, scale }) => {
    requireNumeric('sum', x)
    return fold('sum', x, axes, scale)
  },
  backward: (dy, _, { shapes: [shape], attributes: { axes, scale } }) => [
    () => {
      const scaled = scale === 1 ? dy : dy.mul(scale)
      return expandTo(scaled.reshape(keepingAxes(shape, axes)), shape)
    },
  ],
})

const maxAxes = defineOp<readonly [AnyTensor], { axes: Axes }, AnyTensor>('max', {
  forward: ([x], { axes }) => {
    requireNumeric('max', x)
    return fold('max', x, axes, 1)
  },
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

/**
 * An axis, several, or all of them.
 * @inline
 */
export type AxesArgument = number | readonly number[] | undefined

/** The result of a reduction, with the axes that were folded where they are to be kept. */
export function finish<D extends DType>(
  y: Tensor<D>,
  shape: Shape,
  axes: Axes,
  keepDims: boolean,
): Tensor<D> {
  if (typeof keepDims !== 'boolean') {
    throw new ArgumentError(
      `keepDims: expected true or false, got ${excerpt(keepDims)}; several axes are one array, such as x.sum([0, 1])`,
    )
  }
  return keepDims ? y.reshape(keepingAxes(shape, axes)) : y
}

/** Of bool, how many are true. */
export function sum(given: AnyTensor, axes?: AxesArgument, keepDims = false): AnyTensor {
  requireTensor('sum', given)
  const x = given.dtype === 'bool' ? given.cast('int32') : given
  const list = resolveAxes('sum', axes, x.shape.length)
  return finish(sumAxes(x, { axes: list, scale: 1 }), x.shape, list, keepDims)
}

/** The mean of nothing is NaN. */
export function mean(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  requireFloat('mean', x)
  const list = resolveAxes('mean', axes, x.shape.length)
  const scale = 1 / sizeOf(list.map((axis) => x.shape[axis]))
  return finish(sumAxes(x, { axes: list, scale }), x.shape, list, keepDims)
}

export function refuseEmpty(op: string, x: AnyTensor, axes: Axes): void {
  if (axes.some((axis) => x.shape[axis] === 0)) {
    throw new ShapeError(
      `${op}: expected at least one element to choose from, got shape ${format(x.shape)}`,
    )
  }
}

/** @throws ShapeError when there is no element to choose from */
export function max(x: AnyTensor, axes?: AxesArgument, keepDims = false): AnyTensor {
  const list = resolveAxes('max', axes, x.shape.length)
  refuseEmpty('max', x, list)
  return finish(maxAxes(x, { axes: list }), x.shape, list, keepDims)
}

/** The elements in reverse order of size: -x, and of integers -1 - x, which none is too small for. */
export function reversed(op: string, x: AnyTensor): AnyTensor {
  requireNumeric(op, x)
  if (isFloat(x.dtype)) return x.neg()
  const one = allocate(x, [], 'int32')
  x.storage.backend.run('fill', one.handle, 1, -1)
  return sub(one, x)
}

/** @throws ShapeError when there is no element to choose from */
export function min(x: AnyTensor, axes?: AxesArgument, keepDims = false): AnyTensor {
  const list = resolveAxes('min', axes, x.shape.length)
  refuseEmpty('min', x, list)
  return reversed('min', max(reversed('min', x), list, keepDims))
}

const normAxis = defineOp<readonly [Tensor], { axis: number }>('norm', {
  forward: ([x], { axis }) => {
    requireFloat('norm', x)
    const y = allocate(x, x.shape.toSpliced(axis, 1))
    x.storage.backend.run('norm', x.handle, y.handle, ...aroundAxis(x.shape, axis))
    return y
  },
  save: (y, [x]) => [y, x],
  // x / |x|, and 0 where |x| is 0. Divided first: 1 / |x| overflows where x is tiny.
  backward: (dy, [y, x], { shapes: [shape], attributes: { axis } }) => [
    () => {
      const kept = keepingAxes(shape, [axis])
      const length = where(y, y, fullLike(y, 1)).reshape(kept)
      return x.div(length).mul(dy.reshape(kept))
    },
  ],
})

/** Axis by axis, the last one first: of a matrix the rows in parallel. */
export function norm(x: Tensor, axes?: AxesArgument, keepDims = false): Tensor {
  const list = resolveAxes('norm', axes, x.shape.length)
  const y = list.toReversed().reduce((h, axis) => normAxis(h, { axis }), x)
  return finish(list.length > 0 ? y : x.abs(), x.shape, list, keepDims)
}

const argmaxAxis = defineOp<readonly [AnyTensor], { axis: number }, Tensor<'int32'>>('argmax', {
  forward: ([x], { axis }) => {
    requireNumeric('argmax', x)
    const [outer, length, inner] = aroundAxis(x.shape, axis)
    const y = allocate(x, x.shape.toSpliced(axis, 1), 'int32')
    x.storage.backend.run('argmax', x.handle, y.handle, outer, length, inner)
    return y
  },
})

/** Position of the first largest element along an axis; over all elements for undefined. */
export function argmax(x: AnyTensor, axis?: number): Tensor<'int32'> {
  const flat = axis === undefined ? x.reshape([x.size]) : x
  const along = axis === undefined ? 0 : resolveAxis('argmax', axis, x.shape.length)
  refuseEmpty('argmax', flat, [along])
  return argmaxAxis(flat, { axis: along })
}

/** Position of the first smallest element. */
export function argmin(x: AnyTensor, axis?: number): Tensor<'int32'> {
  return argmax(reversed('argmin', x), axis)
}
