/**
 * Pools over volumes, channels last, and their gradients: a pool over the images of all planes, then one over the
 * planes, which are the rows of an image that has all pixels of a plane side by side.
 */

import { backend_util } from '@tensorflow/tfjs-core'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { NONE } from '../entry.js'
import { floatsOf, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sizeOf } from '../shape.js'
import { type Geometry, hasNaN, touches } from './pool.js'

type Info = backend_util.Conv3DInfo

interface Attributes {
  filterSize: [number, number, number] | number
  strides: [number, number, number] | number
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** One of the two pools. */
interface Stage {
  readonly geometry: Geometry
  /** Elements that go in, and that come out. */
  readonly from: number
  readonly to: number
  /** Elements of a window. */
  readonly window: number
}

interface Volume {
  readonly shape: number[]
  readonly planes: Stage
  readonly depth: Stage
}

function stage(extents: readonly number[]): Stage {
  const [batch, height, width, channels, windowHeight, windowWidth] = extents
  const [outHeight, outWidth] = extents.slice(-2)
  return {
    geometry: extents as unknown as Geometry,
    from: batch * height * width * channels,
    to: batch * outHeight * outWidth * channels,
    window: windowHeight * windowWidth,
  }
}

/** The two pools, or undefined where it is left to the backend `cpu`. */
function volumeOf(
  x: Shape,
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
): Volume | undefined {
  const info = backend_util.computePool3DInfo(
    x as [number, number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  )
  const { batchSize, inDepth, inHeight, inWidth, inChannels } = info
  const { filterDepth, filterHeight, filterWidth, strideDepth, strideHeight, strideWidth } = info
  const { outDepth, outHeight, outWidth, padInfo } = info
  if (!isFit(info)) return undefined
  const pixels = outHeight * outWidth
  return {
    shape: info.outShape,
    planes: stage([
      ...[batchSize * inDepth, inHeight, inWidth, inChannels, filterHeight, filterWidth],
      ...[strideHeight, strideWidth, padInfo.top, padInfo.left, outHeight, outWidth],
    ]),
    depth: stage([
      ...[batchSize, inDepth, pixels, inChannels, filterDepth, 1],
      ...[strideDepth, 1, padInfo.front, 0, outDepth, pixels],
    ]),
  }
}

function isFit(info: Info): boolean {
  const { inDepth, inHeight, inWidth, filterDepth, filterHeight, filterWidth, padInfo } = info
  const { strideDepth, strideHeight, strideWidth, outDepth, outHeight, outWidth } = info
  return (
    sizeOf(info.inShape) > 0 &&
    touches(inDepth, filterDepth, strideDepth, padInfo.front, outDepth) &&
    touches(inHeight, filterHeight, strideHeight, padInfo.top, outHeight) &&
    touches(inWidth, filterWidth, strideWidth, padInfo.left, outWidth)
  )
}

/** What a pool chose, and where. */
function largest({ device }: NeuroblasBackend, x: Handle, { geometry, to, window }: Stage) {
  const y = device.alloc(to, 'float32')
  const places = device.alloc(to, window <= 256 ? 'uint8' : 'int32')
  device.run('maxPool', x, y, places, ...geometry)
  return { y, places }
}

/** Both pools. NaN is in the result, which the backend `cpu` passes over. */
function largestOf(backend: NeuroblasBackend, x: Handle, { planes, depth }: Volume) {
  const { device } = backend
  const first = largest(backend, x, planes)
  const second = largest(backend, first.y, depth)
  device.release(first.y)
  const release = () => {
    for (const handle of [second.y, first.places, second.places]) device.release(handle)
  }
  return { y: second.y, places: [first.places, second.places] as const, release }
}

const maxPool = rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
  const from = floatsOf(backend, x)
  const volume = volumeOf(x.shape, attributes)
  if (from === NONE || volume === undefined) return undefined
  const { y, places, release } = largestOf(backend, from, volume)
  if (hasNaN(backend, y, volume.depth.to)) {
    release()
    return undefined
  }
  for (const handle of places) backend.device.release(handle)
  return backend.tensorOf(y, volume.shape, 'float32')
})

const maxPoolGrad = rule<Tensors<'dy' | 'input'>, Attributes>(
  (backend, { dy, input }, attributes) => {
    const { device } = backend
    const gradient = floatsOf(backend, dy)
    const x = floatsOf(backend, input)
    const volume = volumeOf(input.shape, attributes)
    if (gradient === NONE || x === NONE || volume === undefined) return undefined
    const { planes, depth } = volume
    const { y, places, release } = largestOf(backend, x, volume)
    if (hasNaN(backend, y, depth.to)) {
      release()
      return undefined
    }
    const between = device.alloc(depth.from, 'float32')
    const dx = device.alloc(planes.from, 'float32')
    device.run('maxPoolGrad', gradient, places[1], between, ...depth.geometry)
    device.run('maxPoolGrad', between, places[0], dx, ...planes.geometry)
    device.release(between)
    release()
    return backend.tensorOf(dx, input.shape, 'float32')
  },
)

/** Two passes of a kernel of averages; `isWhole` is 1 where they are divided by the whole window. */
function inTwoPasses(
  { device }: NeuroblasBackend,
  kernel: 'averagePool' | 'averagePoolGrad',
  from: Handle,
  isWhole: 0 | 1,
  [first, second]: readonly [Stage, Stage],
): Handle {
  const side = kernel === 'averagePool' ? 'to' : 'from'
  const between = device.alloc(first[side], 'float32')
  const result = device.alloc(second[side], 'float32')
  device.run(kernel, from, between, isWhole, ...first.geometry)
  device.run(kernel, between, result, isWhole, ...second.geometry)
  device.release(between)
  return result
}

/** Divided by the elements inside the volume. */
const avgPool = rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
  const from = floatsOf(backend, x)
  const volume = volumeOf(x.shape, attributes)
  if (from === NONE || volume === undefined) return undefined
  const { planes, depth, shape } = volume
  const y = inTwoPasses(backend, 'averagePool', from, 0, [planes, depth])
  return backend.tensorOf(y, shape, 'float32')
})

/** Divided by the whole window, as TensorFlow.js does. */
const avgPoolGrad = rule<Tensors<'dy' | 'input'>, Attributes>(
  (backend, { dy, input }, attributes) => {
    const gradient = floatsOf(backend, dy)
    const volume = volumeOf(input.shape, attributes)
    if (gradient === NONE || volume === undefined) return undefined
    const { planes, depth } = volume
    const dx = inTwoPasses(backend, 'averagePoolGrad', gradient, 1, [depth, planes])
    return backend.tensorOf(dx, input.shape, 'float32')
  },
)

export const pool3d: Rules = {
  MaxPool3D: maxPool,
  MaxPool3DGrad: maxPoolGrad,
  AvgPool3D: avgPool,
  AvgPool3DGrad: avgPoolGrad,
}
