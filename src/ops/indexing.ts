/** Indexing ops: entries of a tensor chosen by int32 tensors. */
import type { DType } from '../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import { checkShape, format, type Shape, sizeOf } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { requireDType } from './require.js'

/** The shape of rows taken from x, and the elements of one row. */
function rowsTaken(op: string, x: AnyTensor, indices: AnyTensor): { shape: Shape; cols: number } {
  requireDType(op, indices, 'int32')
  if (x.shape.length === 0 || indices.shape.length !== 1) {
    throw new ShapeError(
      `${op}: expected rows to take from and a list of indices, got ${format(x.shape)} and ${format(indices.shape)}`,
    )
  }
  const rest = x.shape.slice(1)
  return { shape: [indices.size, ...rest], cols: sizeOf(rest) }
}

/**
 * The rows of x (its entries along the first axis) that the indices name, in their order.
 * @throws KernelError when an index is out of range
 */
export const selectRows = defineOp<readonly [AnyTensor, Tensor<'int32'>], undefined, AnyTensor>(
  'indexSelect',
  {
    forward: ([x, indices]) => {
      const { shape, cols } = rowsTaken('indexSelect', x, indices)
      const y = allocate(x, shape, x.dtype)
      const { backend } = x.storage
      backend.run('gatherRows', x.handle, indices.handle, y.handle, indices.size, cols, x.shape[0])
      return y
    },
    save: (_, [, indices]) => [indices],
    backward: (dy, [indices], { shapes: [shape] }) => [
      () => {
        const dx = fullLike(dy, 0, shape)
        const cols = sizeOf(shape.slice(1))
        const count = indices.size
        const { backend } = dy.storage
        backend.run('scatterAdd', dy.handle, indices.handle, dx.handle, 1, shape[0], count, cols, 0)
        return dx
      },
      () => indices,
    ],
  },
)

/** The same from bytes, as floats times scale: images stay bytes until their batch is taken. */
export const gatherBytes = defineOp<readonly [Tensor<'uint8'>, Tensor<'int32'>], { scale: number }>(
  'gatherBytes',
  {
    forward: ([x, indices], { scale }) => {
      requireDType('gatherBytes', x, 'uint8')
      const { shape, cols } = rowsTaken('gatherBytes', x, indices)
      const y = allocate(x, shape)
      const { backend } = x.storage
      backend.run(
        'gatherBytes',
        x.handle,
        indices.handle,
        y.handle,
        indices.size,
        cols,
        x.shape[0],
        scale,
      )
      return y
    },
  },
)

const oneHotOp = defineOp<readonly [Tensor<'int32'>], { classes: number }>('oneHot', {
  forward: ([labels], { classes }) => {
    const y = allocate(labels, checkShape('oneHot', [...labels.shape, classes]))
    labels.storage.backend.run('oneHot', labels.handle, y.handle, labels.size, classes)
    return y
  },
})

/**
 * Labels [...] as rows [..., classes] with a 1 at the label.
 * @throws KernelError when a label is not below classes, ArgumentError for labels that are not int32
 * @example oneHot(tensor([2, 0], [2], 'int32'), 3) // [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(labels: Tensor<'int32'>, classes: number): Tensor {
  requireDType('oneHot', labels, 'int32')
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ArgumentError(`oneHot: expected classes >= 1, got ${excerpt(classes)}`)
  }
  return oneHotOp(labels, { classes })
}

interface CastAttributes {
  from: DType
  to: DType
}

/**
 * The elements in another dtype: floats lose what is behind the point on the way to integers, and
 * all but 0 is true. Between floats it has a gradient.
 */
export const cast = defineOp<readonly [AnyTensor], CastAttributes, AnyTensor>('cast', {
  forward: ([x], { to }) => {
    const y = allocate(x, x.shape, to)
    x.storage.backend.run('cast', x.handle, y.handle, x.size)
    return y
  },
  backward: (dy, _, { attributes: { from } }) => [() => dy.cast(from) as Tensor],
})
