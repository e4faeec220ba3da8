/**
 * Images of another size. Rows and columns are independent of each other: each axis is two gathers and a
 * mixture of them, and its gradient two scatters.
 */

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { ALL } from '../broadcast.js'
import { NONE } from '../entry.js'
import { type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { aroundAxis, type Shape, sizeOf } from '../shape.js'

interface Centers {
  alignCorners: boolean
  halfPixelCenters?: boolean
}

/** For each new place along an axis two old ones, and the share of the second. */
interface Sources {
  first: Int32Array
  second: Int32Array
  share: Float32Array
}

/** Of old and new lengths, how many old places one new place is. */
function scaleOf(from: number, to: number, alignCorners: boolean): number {
  return alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to
}

function bilinear(from: number, to: number, { alignCorners, halfPixelCenters }: Centers): Sources {
  const scale = scaleOf(from, to, alignCorners)
  const places = Array.from({ length: to }, (_, i) =>
    halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i,
  )
  const floors = places.map((place) => Math.max(0, Math.floor(place)))
  return {
    first: Int32Array.from(floors),
    second: Int32Array.from(places, (place) => Math.min(from - 1, Math.ceil(place))),
    share: Float32Array.from(places, (place, i) => place - floors[i]),
  }
}

function nearest(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: Centers,
): Int32Array {
  const scale = scaleOf(from, to, alignCorners)
  return Int32Array.from({ length: to }, (_, i) => {
    const place = halfPixelCenters ? scale * (i + 0.5) : scale * i
    return Math.min(from - 1, alignCorners ? Math.round(place) : Math.floor(place))
  })
}

type Way = (
  backend: NeuroblasBackend,
  x: Handle,
  extents: [outer: number, from: number, inner: number],
  to: number,
  centers: Centers,
) => Handle

function upload({ device }: NeuroblasBackend, values: Int32Array | Float32Array): Handle {
  const handle = device.alloc(values.length, values instanceof Int32Array ? 'int32' : 'float32')
  device.write(handle, values)
  return handle
}

/** Calls `use` with buffers of these values, and releases them. */
function withBuffers<R>(
  backend: NeuroblasBackend,
  values: readonly (Int32Array | Float32Array)[],
  use: (...handles: Handle[]) => R,
): R {
  const handles = values.map((list) => upload(backend, list))
  const result = use(...handles)
  for (const handle of handles) backend.device.release(handle)
  return result
}

const nearestAlong: Way = (backend, x, [outer, from, inner], to, centers) =>
  withBuffers(backend, [nearest(from, to, centers)], (places) => {
    const y = backend.device.alloc(outer * to * inner, 'float32')
    backend.device.run('gather', x, places, y, outer, from, to, inner, 0)
    return y
  })

const nearestGradAlong: Way = (backend, dy, [outer, to, inner], from, centers) =>
  withBuffers(backend, [nearest(from, to, centers)], (places) => {
    const dx = backend.device.alloc(outer * from * inner, 'float32')
    backend.device.run('fill', dx, outer * from * inner, 0)
    backend.device.run('scatterAdd', dy, places, dx, outer, from, to, inner, 0)
    return dx
  })

/** first + (second - first)·share */
const bilinearAlong: Way = (backend, x, [outer, from, inner], to, centers) => {
  const { first, second, share } = bilinear(from, to, centers)
  return withBuffers(backend, [first, second, share], (firsts, seconds, shares) => {
    const { device } = backend
    const size = outer * to * inner
    const y = device.alloc(size, 'float32')
    const other = device.alloc(size, 'float32')
    device.run('gather', x, firsts, y, outer, from, to, inner, 0)
    device.run('gather', x, seconds, other, outer, from, to, inner, 0)
    device.run('sub', other, y, other, 1, 1, size, ALL, ALL)
    device.run('mul', other, shares, other, outer, to, inner, ALL, 2)
    device.run('add', y, other, y, 1, 1, size, ALL, ALL)
    device.release(other)
    return y
  })
}

const bilinearGradAlong: Way = (backend, dy, [outer, to, inner], from, centers) => {
  const { first, second, share } = bilinear(from, to, centers)
  return withBuffers(backend, [first, second, share], (firsts, seconds, shares) => {
    const { device } = backend
    const size = outer * to * inner
    const dx = device.alloc(outer * from * inner, 'float32')
    const part = device.alloc(size, 'float32')
    device.run('fill', dx, outer * from * inner, 0)
    device.run('mul', dy, shares, part, outer, to, inner, ALL, 2)
    device.run('scatterAdd', part, seconds, dx, outer, from, to, inner, 0)
    device.run('sub', dy, part, part, 1, 1, size, ALL, ALL)
    device.run('scatterAdd', part, firsts, dx, outer, from, to, inner, 0)
    device.release(part)
    return dx
  })
}

/** Rows first, then columns. */
function resized(
  backend: NeuroblasBackend,
  x: TensorInfo,
  height: number,
  width: number,
  way: Way,
  centers: Centers,
): TensorInfo | undefined {
  const from = backend.handleOf(x)
  const shape: Shape = [x.shape[0], height, width, x.shape[3]]
  if (from === NONE || sizeOf(x.shape) === 0 || sizeOf(shape) === 0) return undefined
  const rows = way(backend, from, aroundAxis(x.shape, 1), height, centers)
  const y = way(backend, rows, aroundAxis(x.shape.with(1, height), 2), width, centers)
  backend.device.release(rows)
  return backend.tensorOf(y, shape, 'float32')
}

type Resize = Centers & { size: [number, number] }

const resizeBilinear = rule<Tensors<'images'>, Resize>(
  (backend, { images }, { size: [height, width], ...centers }) =>
    // Of images of any dtype it makes floats.
    resized(backend, { ...images, dtype: 'float32' }, height, width, bilinearAlong, centers),
)

const resizeNearest = rule<Tensors<'images'>, Resize>(
  (backend, { images }, { size: [height, width], ...centers }) =>
    images.dtype === 'float32'
      ? resized(backend, images, height, width, nearestAlong, centers)
      : undefined,
)

function gradient(way: Way): Rule {
  return rule<Tensors<'images' | 'dy'>, Centers>((backend, { images, dy }, { alignCorners }) =>
    resized(backend, dy, images.shape[1], images.shape[2], way, { alignCorners }),
  )
}

export const resizing: Rules = {
  ResizeBilinear: resizeBilinear,
  ResizeBilinearGrad: gradient(bilinearGradAlong),
  ResizeNearestNeighbor: resizeNearest,
  ResizeNearestNeighborGrad: gradient(nearestGradAlong),
}
