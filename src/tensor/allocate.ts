/** New tensors on the backend of another one, and parts of its buffer. */
import { type DType, type FloatDType, isFloat } from '../backend/dtype.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { defaultFloat } from './defaultFloat.js'
import { checkShape, type Shape, sizeOf } from './shape.js'
import { Storage } from './storage.js'
import { type AnyTensor, isTensor, Tensor } from './tensor.js'

/** The dtype of floats computed from x: its own, or the default where it has none. */
export function floatOf(x: AnyTensor): FloatDType {
  return isFloat(x.dtype) ? x.dtype : defaultFloat()
}

/** A new tensor with undefined content on the backend of another one; a float one by default. */
export function allocate(like: AnyTensor, shape: Shape): Tensor
export function allocate<D extends DType>(like: AnyTensor, shape: Shape, dtype: D): Tensor<D>
export function allocate(like: AnyTensor, shape: Shape, dtype: DType = floatOf(like)): AnyTensor {
  return new Tensor(new Storage(like.storage.backend, dtype, sizeOf(shape)), shape)
}

/**
 * A new float tensor on the backend of x with every element the same value.
 * @param shape that of x by default
 * @throws ShapeError for what is no shape
 */
export function fullLike(x: AnyTensor, value: number, shape: Shape = x.shape): Tensor {
  if (!isTensor(x)) throw new ArgumentError(`fullLike: expected a tensor, got ${excerpt(x)}`)
  x.handle // refuses a released tensor
  if (typeof value !== 'number') {
    throw new ArgumentError(`fullLike: expected a number, got ${excerpt(value)}`)
  }
  const y = allocate(x, shape === x.shape ? shape : checkShape('fullLike', shape))
  x.storage.backend.run('fill', y.handle, y.size, value)
  return y
}

/**
 * Elements of x from `offset` on, without a copy and outside any graph: what is written to either is
 * seen in both.
 */
export function partOf<D extends DType>(x: Tensor<D>, offset: number, shape: Shape): Tensor<D> {
  x.handle // refuses a released tensor
  return new Tensor<D>(x.storage.part(offset, sizeOf(shape)), shape)
}
