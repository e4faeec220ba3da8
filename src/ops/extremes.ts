/** The largest and smallest elements along an axis, together with where they are. */
import type { DType } from '../backend/dtype.js'
import { fullLike } from '../tensor/allocate.js'
import { resolveAxis } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { where } from './elementwise.js'
import { oneHot } from './indexing.js'
import { fold } from './raw.js'
import { argmax, finish, refuseEmpty, reversed } from './reduce.js'
import { requireNumeric } from './require.js'

/** Elements along an axis, and their positions on it. */
export interface Extremes<D extends DType> {
  /** Of the tensor's dtype. */
  values: Tensor<D>
  /** int32; of equal elements the first, and of NaN the first of all. */
  indices: Tensor<'int32'>
}

/** 1 where the position along the axis is that of the indices, else 0. */
function maskOf(like: Tensor, indices: Tensor<'int32'>, axis: number, length: number): Tensor {
  const rows = oneHot(indices, length)
  const order = [...indices.shape.keys()].toSpliced(axis, 0, indices.shape.length)
  const mask = rows.transpose(order)
  return mask.dtype === like.dtype ? mask : (mask.cast(like.dtype) as Tensor)
}

/** The largest elements; only those at the indices get the gradient. */
const largest = defineOp<readonly [AnyTensor, Tensor<'int32'>], { axis: number }, AnyTensor>(
  'maxWithIndices',
  {
    forward: ([x], { axis }) => fold('max', x, [axis], 1),
    save: (_, [, indices]) => [indices],
    backward: (dy, [indices], { shapes: [shape], attributes: { axis } }) => [
      () => where(maskOf(dy, indices, axis, shape[axis]), dy.unsqueeze(axis), fullLike(dy, 0, [])),
      () => indices,
    ],
  },
)

function extremes(
  op: string,
  x: AnyTensor,
  given: number,
  keepDims: boolean,
  isMax: boolean,
): Extremes<DType> {
  requireNumeric(op, x)
  const axis = resolveAxis(op, given, x.shape.length)
  refuseEmpty(op, x, [axis])
  const turned = isMax ? x : reversed(op, x)
  const indices = argmax(turned, axis)
  const found = largest(turned, indices, { axis })
  const values = isMax ? found : reversed(op, found)
  return {
    values: finish(values, x.shape, [axis], keepDims),
    indices: finish(indices, x.shape, [axis], keepDims),
  }
}

export const maxWithIndices = (x: AnyTensor, axis: number, keepDims: boolean) =>
  extremes('maxWithIndices', x, axis, keepDims, true)
export const minWithIndices = (x: AnyTensor, axis: number, keepDims: boolean) =>
  extremes('minWithIndices', x, axis, keepDims, false)
