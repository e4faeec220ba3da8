/** Elements chosen by index, and elements that go where an index says. */

import { backend_util, type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core'
import { KernelError } from '../../../index.js'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { isNumeric, NONE, type NumericType } from '../entry.js'
import { floatsOf, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sizeOf, sizeWithin, stridesOf } from '../shape.js'

/**
 * A new buffer that `compute` fills, or NONE where the device finds an index out of range: then the kernel of
 * the backend `cpu` says what is wrong with it, or passes it over.
 */
function indexed(
  { device }: NeuroblasBackend,
  size: number,
  dtype: NumericType,
  compute: (y: Handle) => void,
): Handle {
  const y = device.alloc(size, dtype)
  try {
    compute(y)
    return y
  } catch (error) {
    device.release(y)
    if (error instanceof KernelError) return NONE
    throw error
  }
}

const valuesOf = (backend: NeuroblasBackend, x: TensorInfo) =>
  backend.data.get(x.dataId).values as Int32Array

/** Calls `use` with a buffer of these indices. */
function withIndices<R>(
  { device }: NeuroblasBackend,
  values: Int32Array,
  use: (handle: Handle) => R,
): R {
  const handle = device.alloc(values.length, 'int32')
  device.write(handle, values)
  const result = use(handle)
  device.release(handle)
  return result
}

/** Rows of x for each of a batch of indices; undefined where one is out of range. */
function rowsOfBatches(
  indices: Int32Array,
  batches: number,
  outer: number,
  length: number,
): Int32Array | undefined {
  if (indices.some((index) => index < 0 || index >= length)) return undefined
  const count = indices.length / batches
  return Int32Array.from({ length: indices.length * outer }, (_, at) => {
    const block = Math.floor(at / count)
    return block * length + indices[Math.floor(block / outer) * count + (at % count)]
  })
}

const gatherV2 = rule<Tensors<'x' | 'indices'>, { axis: number; batchDims?: number }>(
  (backend, { x, indices }, { axis, batchDims = 0 }) => {
    const { dtype } = x
    if (!isNumeric(dtype) || indices.dtype !== 'int32' || sizeOf(indices.shape) === 0)
      return undefined
    const [along] = util.parseAxisParam(axis, x.shape)
    const info = backend_util.segment_util.collectGatherOpShapeInfo(
      x as never,
      indices as never,
      along,
      batchDims,
    )
    const { batchSize, outerSize: outer, dimSize: length, sliceSize: inner, outputShape } = info
    const { device } = backend
    const from = backend.handleOf(x)
    const size = sizeOf(outputShape)
    const count = sizeOf(indices.shape)
    const gatherAll = (y: Handle) => {
      const places = backend.handleOf(indices)
      if (outer === 1) device.run('gatherRows', from, places, y, count, inner, length)
      else device.run('gather', from, places, y, outer, length, count, inner, 0)
    }
    const gatherBatches = (rows: Int32Array) => (y: Handle) =>
      withIndices(backend, rows, (places) =>
        device.run('gatherRows', from, places, y, rows.length, inner, batchSize * outer * length),
      )
    const rows =
      batchSize === 1
        ? undefined
        : rowsOfBatches(valuesOf(backend, indices), batchSize, outer, length)
    if (batchSize !== 1 && rows === undefined) return undefined
    const y = indexed(backend, size, dtype, rows ? gatherBatches(rows) : gatherAll)
    return y === NONE ? undefined : backend.tensorOf(y, outputShape, dtype)
  },
)

/** Each index of several axes as one number; undefined where one is out of range. */
function flattened(indices: Int32Array, shape: Shape, rank: number): Int32Array | undefined {
  const strides = stridesOf(shape.slice(0, rank))
  const flat = new Int32Array(indices.length / rank)
  for (let i = 0; i < indices.length; i++) {
    const axis = i % rank
    if (!(indices[i] >= 0 && indices[i] < shape[axis])) return undefined
    flat[(i - axis) / rank] += indices[i] * strides[axis]
  }
  return flat
}

const gatherNd = rule<Tensors<'params' | 'indices'>, undefined>((backend, { params, indices }) => {
  const { dtype } = params
  if (!isNumeric(dtype) || indices.dtype !== 'int32') return undefined
  const rank = indices.shape.at(-1) ?? 0
  const [shape, count, inner] = backend_util.prepareAndValidate(params as never, indices as never)
  if (rank === 0 || count === 0) return undefined
  const rows = flattened(valuesOf(backend, indices), params.shape, rank)
  if (rows === undefined) return undefined
  const y = backend.device.alloc(count * inner, dtype)
  withIndices(backend, rows, (places) =>
    backend.device.run(
      'gatherRows',
      backend.handleOf(params),
      places,
      y,
      count,
      inner,
      sizeWithin(params.shape, 0, rank),
    ),
  )
  return backend.tensorOf(y, shape, dtype)
})

/** Sums of the updates at each index. */
const scatterNd = rule<Tensors<'indices' | 'updates'>, { shape: number[] }>(
  (backend, { indices, updates }, { shape }) => {
    const { sliceRank, numUpdates, sliceSize, outputSize } = backend_util.calculateShapes(
      updates as never,
      indices as never,
      shape,
    )
    if (
      updates.dtype !== 'float32' ||
      indices.dtype !== 'int32' ||
      outputSize === 0 ||
      numUpdates === 0
    )
      return undefined
    const rows = flattened(valuesOf(backend, indices), shape, sliceRank)
    if (rows === undefined) return undefined
    return withIndices(backend, rows, (places) => {
      const y = scatterSum(
        backend,
        backend.handleOf(updates),
        places,
        outputSize / sliceSize,
        numUpdates,
        sliceSize,
      )
      return y === NONE ? undefined : backend.tensorOf(y, shape, 'float32')
    })
  },
)

/** y[length, inner] = the sums of x[count, inner] at their indices. */
function scatterSum(
  backend: NeuroblasBackend,
  x: Handle,
  places: Handle,
  length: number,
  count: number,
  inner: number,
): Handle {
  return indexed(backend, length * inner, 'float32', (y) => {
    backend.device.run('fill', y, length * inner, 0)
    backend.device.run('scatterAdd', x, places, y, 1, length, count, inner, 0)
  })
}

const tensorScatterUpdate = rule<Tensors<'tensor' | 'indices' | 'updates'>, undefined>(
  (backend, { tensor, indices, updates }) => {
    const { dtype } = tensor
    const { sliceRank, numUpdates, sliceSize, outputSize } = backend_util.calculateShapes(
      updates as never,
      indices as never,
      tensor.shape,
    )
    if (
      !isNumeric(dtype) ||
      updates.dtype !== dtype ||
      indices.dtype !== 'int32' ||
      outputSize === 0
    )
      return undefined
    const rows = flattened(valuesOf(backend, indices), tensor.shape, sliceRank)
    if (rows === undefined) return undefined
    const { device } = backend
    const y = device.alloc(outputSize, dtype)
    device.run('cast', backend.handleOf(tensor), y, outputSize)
    withIndices(backend, rows, (places) =>
      device.run(
        'scatter',
        backend.handleOf(updates),
        places,
        y,
        1,
        outputSize / sliceSize,
        numUpdates,
        sliceSize,
        0,
      ),
    )
    return backend.tensorOf(y, tensor.shape, dtype)
  },
)

const unsortedSegmentSum = rule<Tensors<'x' | 'segmentIds'>, { numSegments: number }>(
  (backend, { x, segmentIds }, { numSegments }) => {
    const from = floatsOf(backend, x)
    const count = sizeOf(segmentIds.shape)
    if (from === NONE || segmentIds.dtype !== 'int32' || count === 0) return undefined
    const rank = segmentIds.shape.length
    const inner = sizeWithin(x.shape, rank, x.shape.length)
    const y = scatterSum(backend, from, backend.handleOf(segmentIds), numSegments, count, inner)
    return y === NONE
      ? undefined
      : backend.tensorOf(y, [numSegments, ...x.shape.slice(rank)], 'float32')
  },
)

interface OneHot {
  dtype: DataType
  depth: number
  onValue: number
  offValue: number
}

const oneHot = rule<Tensors<'indices'>, OneHot>(
  (backend, { indices }, { dtype, depth, onValue, offValue }) => {
    if (indices.dtype !== 'int32' || !isNumeric(dtype) || depth < 1) return undefined
    const { device } = backend
    const count = sizeOf(indices.shape)
    const size = count * depth
    const floats = indexed(backend, size, 'float32', (y) =>
      device.run('oneHot', backend.handleOf(indices), y, count, depth),
    )
    if (floats === NONE) return undefined
    if (onValue !== 1 || offValue !== 0)
      device.run('affine', floats, floats, size, onValue - offValue, offValue)
    const shape = [...indices.shape, depth]
    if (dtype === 'float32') return backend.tensorOf(floats, shape, dtype)
    const y = device.alloc(size, dtype)
    device.run('cast', floats, y, size)
    device.release(floats)
    return backend.tensorOf(y, shape, dtype)
  },
)

export const gather: Rules = {
  GatherV2: gatherV2,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  TensorScatterUpdate: tensorScatterUpdate,
  UnsortedSegmentSum: unsortedSegmentSum,
  OneHot: oneHot,
}
