/** Layout ops: they move elements without computing with them. */
import { ArgumentError, ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
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
import { along, readView, wholeOf } from './views.js'

/** The same elements in another shape; shares the buffer. One extent may be -1. */
export const reshape = defineOp<readonly [AnyTensor], { shape: Shape }, AnyTensor>('reshape', {
  forward: ([x], { shape }) => x.view(resolveReshape(x.shape, shape)),
  backward: (dy, _, { shapes: [shape] }) => [() => dy.reshape(shape)],
})

const broadcastTo = defineOp<readonly [AnyTensor], { shape: Shape }, AnyTensor>('broadcastTo', {
  forward: ([x], { shape }) => expandForward(x, shape),
  backward: (dy, _, { shapes: [shape] }) => [() => sumTo(dy, shape)],
})

/** x repeated to a shape that it broadcasts to; always a buffer of its own. */
export function expandTo<T extends AnyTensor>(x: T, shape: Shape): T {
  return broadcastTo(x, { shape }) as T
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
      return () => {
        const view = along(wholeOf(dy.shape), axis, begin, shape[axis])
        return readView(dy, { view }) as Tensor
      }
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
