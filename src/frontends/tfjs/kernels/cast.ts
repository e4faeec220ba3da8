/** Tensors of other dtypes, and of the same elements in other shapes. */

import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core'
import type { NeuroblasBackend } from '../backend.js'
import { isNumeric } from '../entry.js'
import { type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { sizeOf } from '../shape.js'

/** Of a number to int32, as JavaScript's `| 0`; to bool everything but 0 is true. */
const cast = rule<Tensors<'x'>, { dtype: DataType }>((backend, { x }, { dtype }) => {
  if (x.dtype === dtype && dtype !== 'complex64') return backend.share(x)
  if (!isNumeric(x.dtype) || !isNumeric(dtype)) return undefined
  const size = sizeOf(x.shape)
  const from = backend.handleOf(x)
  const y = backend.device.alloc(size, dtype)
  backend.device.run('cast', from, y, size)
  return backend.tensorOf(y, x.shape, dtype)
})

const identity = rule<Tensors<'x'>, undefined>((backend, { x }) => backend.share(x))

const isComplex = (x: TensorInfo) => x.dtype === 'complex64'

const reshape = rule<Tensors<'x'>, { shape: number[] }>((backend, { x }, { shape }) => {
  if (isComplex(x)) return undefined
  const size = sizeOf(x.shape)
  const whole = util.inferFromImplicitShape(shape, size)
  util.assert(
    size === sizeOf(whole),
    () =>
      `new shape: ${whole}, old shape: ${x.shape}. New shape and old shape must have the same number of elements.`,
  )
  return backend.share(x, whole)
})

const expandDims = rule<Tensors<'input'>, { dim: number }>((backend, { input }, { dim }) => {
  if (isComplex(input)) return undefined
  const rank = input.shape.length
  util.assert(
    -(rank + 1) <= dim && dim <= rank,
    () => `Axis must be in the interval [${-(rank + 1)}, ${rank}]`,
  )
  return backend.share(input, input.shape.toSpliced(dim < 0 ? rank + dim + 1 : dim, 0, 1))
})

const fill = rule<undefined, { shape: number[]; value: string | number; dtype?: DataType }>(
  (backend, _, { shape, value, dtype = util.inferDtype(value) }) =>
    filled(backend, shape, dtype, value),
)

function filled(
  backend: NeuroblasBackend,
  shape: number[],
  dtype: DataType,
  value: unknown,
): TensorInfo | undefined {
  if (!isNumeric(dtype)) return undefined
  const size = sizeOf(shape)
  const y = backend.device.alloc(size, dtype)
  backend.device.run('fill', y, size, Number(value))
  return backend.tensorOf(y, shape, dtype)
}

function filledLike(value: number): Rule {
  return rule<Tensors<'x'>, undefined>((backend, { x }) => filled(backend, x.shape, x.dtype, value))
}

export const casts: Rules = {
  Cast: cast,
  Identity: identity,
  Reshape: reshape,
  ExpandDims: expandDims,
  Fill: fill,
  ZerosLike: filledLike(0),
  OnesLike: filledLike(1),
}
