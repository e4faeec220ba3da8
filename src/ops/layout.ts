/** Layout ops: they move elements without computing with them. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import {
  aroundAxis,
  format,
  resolveAxis,
  resolveReshape,
  type Shape,
  sameShape,
} from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineListOp, defineOp } from './define.js'
import { expandForward, permuteForward, sumTo } from './raw.js'
import { requireDType, requireTensor } from './require.js'

/** The same elements in another shape; shares the buffer. One extent may be -1. */
export const reshape = defineOp<readonly [AnyTensor], { shape: Shape }, AnyTensor>('reshape', {
  forward: ([x], { shape }) => x.view(resolveReshape(x.shape, shape)),
  backward: (dy, _, { shapes: [shape] }) => [() => dy.reshape(shape)],
})

const broadcastTo = defineOp<readonly [Tensor], { shape: Shape }>('broadcastTo', {
  forward: ([x], { shape }) => expandForward(x, shape),
  backward: (dy, _, { shapes: [shape] }) => [() => sumTo(dy, shape)],
})

/** x repeated to a shape that it broadcasts to; always a buffer of its own. */
export function expandTo(x: Tensor, shape: Shape): Tensor {
  return broadcastTo(x, { shape })
}

/** Axes in another order; always a buffer of its own. */
export const permute = defineOp<readonly [AnyTensor], { axes: readonly number[] }, AnyTensor>(
  'transpose',
  {
    forward: ([x], { axes }) => {
      const y = permuteForward(x, axes)
      if (y.storage !== x.storage) return y
      const copy = y.clone()
      y.dispose()
      return copy
    },
    backward: (dy, _, { attributes: { axes } }) => [
      () => dy.transpose(axes.map((_, axis) => axes.indexOf(axis))),
    ],
  },
)

interface SliceAttributes {
  axis: number
  start: number
  length: number
}

/** The elements start .. start + length of one axis. */
export const sliceAxis = defineOp<readonly [AnyTensor], SliceAttributes, AnyTensor>('slice', {
  forward: ([x], { axis, start, length }) => {
    const [outer, extent, inner] = aroundAxis(x.shape, axis)
    const y = allocate(x, x.shape.with(axis, length), x.dtype)
    const cols = length * inner
    if (y.size > 0) {
      const { backend } = x.storage
      backend.run('copy2d', x.handle, y.handle, outer, cols, start * inner, extent * inner, 0, cols)
    }
    return y
  },
  backward: (dy, _, { shapes: [shape], attributes: { axis, start, length } }) => [
    () => {
      const dx = fullLike(dy, 0, shape)
      const [outer, extent, inner] = aroundAxis(shape, axis)
      const cols = length * inner
      if (dy.size > 0) {
        const { backend } = dy.storage
        backend.run(
          'copy2d',
          dy.handle,
          dx.handle,
          outer,
          cols,
          0,
          cols,
          start * inner,
          extent * inner,
        )
      }
      return dx
    },
  ],
})

/** A start and an end as Array.prototype.slice reads them, as a position and a length. */
export function resolveRange(extent: number, start = 0, end = extent): [number, number] {
  if (!Number.isInteger(start) || !Number.isInteger(end)) {
    throw new ArgumentError(`slice: expected integers, got ${excerpt(start)} and ${excerpt(end)}`)
  }
  const from = Math.min(Math.max(start < 0 ? start + extent : start, 0), extent)
  const to = Math.min(Math.max(end < 0 ? end + extent : end, from), extent)
  return [from, to - from]
}

const concatTensors = defineListOp<{ axis: number }, AnyTensor>('concat', {
  forward: (inputs, { axis }) => {
    const extent = inputs.reduce((sum, x) => sum + x.shape[axis], 0)
    const y = allocate(inputs[0], inputs[0].shape.with(axis, extent), inputs[0].dtype)
    let start = 0
    for (const x of inputs) {
      const [outer, length, inner] = aroundAxis(x.shape, axis)
      const cols = length * inner
      if (x.size > 0) {
        const { backend } = x.storage
        backend.run(
          'copy2d',
          x.handle,
          y.handle,
          outer,
          cols,
          0,
          cols,
          start * inner,
          extent * inner,
        )
      }
      start += length
    }
    return y
  },
  backward: (dy, _, { shapes, attributes: { axis } }) => {
    let start = 0
    return shapes.map((shape) => {
      const begin = start
      start += shape[axis]
      return () => sliceAxis(dy, { axis, start: begin, length: shape[axis] }) as Tensor
    })
  },
})

/** A copy of a list of tensors. */
function tensorsIn<T extends AnyTensor>(op: string, list: readonly T[]): T[] {
  if (!Array.isArray(list) || list.length === 0) {
    throw new ArgumentError(`${op}: expected a list of at least one tensor, such as ${op}([x, y])`)
  }
  const tensors = [...list]
  for (const x of tensors) requireTensor(op, x)
  return tensors
}

/**
 * Tensors joined along an axis they already have; all other extents agree.
 * @throws ShapeError when another extent differs, ArgumentError for an empty list or dtypes that differ
 * @example concat([x, y], 1) // [2, 3] and [2, 4] make [2, 7]
 */
export function concat<T extends AnyTensor>(list: readonly T[], axis = 0): T {
  const tensors = tensorsIn('concat', list)
  const [first] = tensors
  const along = resolveAxis('concat', axis, first.shape.length)
  for (const x of tensors) {
    requireDType('concat', x, first.dtype)
    if (
      x.shape.length !== first.shape.length ||
      !sameShape(x.shape.with(along, 0), first.shape.with(along, 0))
    ) {
      throw new ShapeError(
        `concat: expected shapes that differ only along axis ${along}, got ${format(first.shape)} and ${format(x.shape)}`,
      )
    }
  }
  return concatTensors(tensors, { axis: along }) as T
}

/**
 * Tensors of one shape joined along a new axis.
 * @param axis its position in the result; negative ones count from the back
 * @throws ShapeError when the shapes differ, ArgumentError for an empty list or dtypes that differ
 * @example stack([x, y]) // [3] and [3] make [2, 3]
 */
export function stack<T extends AnyTensor>(list: readonly T[], axis = 0): T {
  const tensors = tensorsIn('stack', list)
  const { shape } = tensors[0]
  for (const x of tensors) {
    if (!sameShape(x.shape, shape)) {
      throw new ShapeError(
        `stack: expected equal shapes, got ${format(shape)} and ${format(x.shape)}`,
      )
    }
  }
  const along = resolveAxis('stack', axis, shape.length + 1)
  const withAxis = shape.toSpliced(along, 0, 1)
  return concat(
    tensors.map((x) => reshape(x, { shape: withAxis })),
    along,
  ) as T
}
