/** Ops that go along an axis in order: sorting, and sums and products of all elements so far. */
import { isFloat } from '../backend/dtype.js'
import { checkFlag } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { aroundAxis, resolveAxis } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { gather } from './gather.js'
import { requireNumeric, requireTensor } from './require.js'

interface OrderAttributes {
  axis: number
  count: number
  descending: boolean
}

const order = defineOp<readonly [AnyTensor], OrderAttributes, Tensor<'int32'>>('argsort', {
  forward: ([x], { axis, count, descending }) => {
    const [outer, length, inner] = aroundAxis(x.shape, axis)
    const y = allocate(x, x.shape.with(axis, count), 'int32')
    const keys = allocate(x, [x.size], 'float64')
    const extents = [outer, length, inner, count] as const
    x.storage.backend.run('argsort', x.handle, y.handle, keys.handle, ...extents, +descending)
    keys.dispose()
    return y
  },
})

/** The first `count` positions along an axis in the order of the elements there. */
function orderOf(
  op: string,
  x: AnyTensor,
  axis: number,
  descending: boolean,
  count?: number,
): { axis: number; indices: Tensor<'int32'> } {
  requireTensor(op, x)
  if (!isFloat(x.dtype) && x.dtype !== 'int32') {
    throw new ArgumentError(
      `${op}: expected a tensor of floats or of int32, got ${x.dtype}; cast('int32') converts it`,
    )
  }
  const along = resolveAxis(op, axis, x.shape.length)
  const indices = order(x, { axis: along, count: count ?? x.shape[along], descending })
  return { axis: along, indices }
}

/** Elements in order, and the positions along the axis that they come from. */
export interface Ordered<T extends AnyTensor = Tensor> {
  /** The elements; their gradient goes to where they come from. */
  readonly values: T
  /** Their positions along the axis, in the shape of the values. */
  readonly indices: Tensor<'int32'>
}

function ordered<T extends AnyTensor>(x: T, found: ReturnType<typeof orderOf>): Ordered<T> {
  return { values: gather(x, found.axis, found.indices), indices: found.indices }
}

export function sort<T extends AnyTensor>(x: T, axis: number, descending: boolean): Ordered<T> {
  checkFlag('sort', 'descending', descending)
  return ordered(x, orderOf('sort', x, axis, descending))
}

export function argsort(x: AnyTensor, axis: number, descending: boolean): Tensor<'int32'> {
  checkFlag('argsort', 'descending', descending)
  return orderOf('argsort', x, axis, descending).indices
}

export function topK<T extends AnyTensor>(
  x: T,
  k: number,
  axis: number,
  largest: boolean,
): Ordered<T> {
  checkFlag('topK', 'largest', largest)
  const extent = x.shape[resolveAxis('topK', axis, x.shape.length)]
  if (!Number.isInteger(k) || k < 0 || k > extent) {
    throw new ArgumentError(`topK: expected k from 0 to ${extent}, got ${excerpt(k)}`)
  }
  return ordered(x, orderOf('topK', x, axis, largest, k))
}

const cumsumAxis = defineOp<readonly [AnyTensor], { axis: number; reverse: boolean }, AnyTensor>(
  'cumsum',
  {
    forward: ([x], { axis, reverse }) => {
      const y = allocate(x, x.shape, x.dtype)
      const { backend } = x.storage
      backend.run('cumsum', x.handle, y.handle, ...aroundAxis(x.shape, axis), +reverse)
      return y
    },
    backward: (dy, _, { attributes: { axis, reverse } }) => [
      (): Tensor => cumsumAxis(dy, { axis, reverse: !reverse }) as Tensor,
    ],
  },
)

const cumprodAxis = defineOp<readonly [AnyTensor], { axis: number }, AnyTensor>('cumprod', {
  forward: ([x], { axis }) => {
    const y = allocate(x, x.shape, x.dtype)
    x.storage.backend.run('cumprod', x.handle, y.handle, ...aroundAxis(x.shape, axis), 0)
    return y
  },
  save: (y, [x]) => [y, x],
  backward: (dy, [y, x], { attributes: { axis } }) => [
    () => {
      const dx = allocate(dy, x.shape)
      const { backend } = x.storage
      const buffers = [x.handle, y.handle, dy.handle, dx.handle] as const
      backend.run('cumprodGrad', ...buffers, ...aroundAxis(x.shape, axis))
      return dx
    },
  ],
})

export function cumsum<T extends AnyTensor>(x: T, axis: number): T {
  requireNumeric('cumsum', x)
  const along = resolveAxis('cumsum', axis, x.shape.length)
  return cumsumAxis(x, { axis: along, reverse: false }) as T
}

export function cumprod<T extends AnyTensor>(x: T, axis: number): T {
  requireNumeric('cumprod', x)
  return cumprodAxis(x, { axis: resolveAxis('cumprod', axis, x.shape.length) }) as T
}
