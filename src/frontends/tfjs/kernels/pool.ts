/** Pools over images, channels last, and their gradients. */

import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { Handle, KernelArgs } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { NONE } from '../entry.js'
import { floatsOf, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sameShape, sizeOf } from '../shape.js'

type Info = backend_util.Conv2DInfo
export type Geometry =
  KernelArgs<'averagePoolGrad'> extends readonly [Handle, Handle, number, ...infer Geometry]
    ? Geometry
    : never

interface Attributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** Whether every window has at least one element of the image. */
export const touches = (
  extent: number,
  window: number,
  stride: number,
  before: number,
  windows: number,
) => before >= 0 && before < window && windows > 0 && (windows - 1) * stride < extent + before

/** The extents of a pool, or undefined where it is left to the backend `cpu`. */
function infoOf(
  x: Shape,
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
): Info | undefined {
  const info = backend_util.computePool2DInfo(
    x as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  )
  const { top, left } = info.padInfo
  const isFit =
    sizeOf(info.inShape) > 0 &&
    touches(info.inHeight, info.filterHeight, info.strideHeight, top, info.outHeight) &&
    touches(info.inWidth, info.filterWidth, info.strideWidth, left, info.outWidth)
  return isFit ? info : undefined
}

function geometryOf(info: Info): Geometry {
  const { batchSize, inHeight, inWidth, inChannels, filterHeight, filterWidth } = info
  const { strideHeight, strideWidth, padInfo, outHeight, outWidth } = info
  return [
    ...[batchSize, inHeight, inWidth, inChannels, filterHeight, filterWidth],
    ...[strideHeight, strideWidth, padInfo.top, padInfo.left, outHeight, outWidth],
  ] as unknown as Geometry
}

const isIdentity = ({ filterHeight, filterWidth, inShape, outShape }: Info) =>
  filterHeight === 1 && filterWidth === 1 && sameShape(inShape, outShape)

export function hasNaN({ device }: NeuroblasBackend, x: Handle, size: number): boolean {
  const largest = device.alloc(1, 'float32')
  const value = new Float32Array(1)
  device.run('max', x, largest, 1, size, 1)
  device.read(largest, value)
  device.release(largest)
  return Number.isNaN(value[0])
}

/** What a pool chose, and where. */
interface Pooled {
  y: Handle
  places: Handle
}

/** Of images without NaN, which the backend `cpu` passes over; undefined where there are some. */
function largest(backend: NeuroblasBackend, x: Handle, info: Info): Pooled | undefined {
  const { device } = backend
  const size = sizeOf(info.outShape)
  const y = device.alloc(size, 'float32')
  const places = device.alloc(size, info.filterHeight * info.filterWidth <= 256 ? 'uint8' : 'int32')
  device.run('maxPool', x, y, places, ...geometryOf(info))
  if (!hasNaN(backend, y, size)) return { y, places }
  device.release(y)
  device.release(places)
  return undefined
}

/** The places are kept with the result, for the gradient. */
const maxPool = rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
  const from = floatsOf(backend, x)
  const info = infoOf(x.shape, attributes)
  if (from === NONE || info === undefined) return undefined
  if (isIdentity(info)) return backend.share(x)
  const pooled = largest(backend, from, info)
  if (pooled === undefined) return undefined
  const y = backend.tensorOf(pooled.y, info.outShape, 'float32')
  backend.data.get(y.dataId).keepPlaces(pooled.places)
  return y
})

/** Of the result that this backend made they are there; else the pool is computed once more. */
function placesOf(
  backend: NeuroblasBackend,
  output: TensorInfo,
  x: Handle,
  info: Info,
): Handle | undefined {
  const { places } = backend.data.get(output.dataId)
  if (places !== NONE) return places
  const again = largest(backend, x, info)
  if (again === undefined) return undefined
  backend.device.release(again.y)
  backend.data.get(output.dataId).keepPlaces(again.places)
  return again.places
}

const maxPoolGrad = rule<Tensors<'dy' | 'input' | 'output'>, Attributes>(
  (backend, { dy, input, output }, attributes) => {
    const { device } = backend
    const gradient = floatsOf(backend, dy)
    const x = floatsOf(backend, input)
    const info = infoOf(input.shape, attributes)
    if (gradient === NONE || x === NONE || info === undefined) return undefined
    if (isIdentity(info)) return backend.share(dy)
    const places = placesOf(backend, output, x, info)
    if (places === undefined) return undefined
    const dx = device.alloc(sizeOf(info.inShape), 'float32')
    device.run('maxPoolGrad', gradient, places, dx, ...geometryOf(info))
    return backend.tensorOf(dx, input.shape, 'float32')
  },
)

/** Divided by the elements inside the image. */
const avgPool = rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
  const from = floatsOf(backend, x)
  const info = infoOf(x.shape, attributes)
  if (from === NONE || info === undefined) return undefined
  if (isIdentity(info)) return backend.share(x)
  const y = backend.device.alloc(sizeOf(info.outShape), 'float32')
  backend.device.run('averagePool', from, y, 0, ...geometryOf(info))
  return backend.tensorOf(y, info.outShape, 'float32')
})

/** Divided by the whole window, as TensorFlow.js does. */
const avgPoolGrad = rule<Tensors<'dy' | 'input'>, Attributes>(
  (backend, { dy, input }, attributes) => {
    const gradient = floatsOf(backend, dy)
    const info = infoOf(input.shape, attributes)
    if (gradient === NONE || info === undefined) return undefined
    const dx = backend.device.alloc(sizeOf(info.inShape), 'float32')
    backend.device.run('averagePoolGrad', gradient, dx, 1, ...geometryOf(info))
    return backend.tensorOf(dx, input.shape, 'float32')
  },
)

export const pool: Rules = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AvgPool: avgPool,
  AvgPoolGrad: avgPoolGrad,
}
