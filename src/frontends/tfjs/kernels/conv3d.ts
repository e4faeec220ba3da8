/**
 * Convolutions of volumes, channels last, and their gradients: for each plane of the kernel a convolution of
 * images, those planes of the volume that it meets, added up.
 */

import { backend_util } from '@tensorflow/tfjs-core'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { ALL } from '../broadcast.js'
import { handlesOf, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sameShape, sizeOf } from '../shape.js'
import { copyStrided } from '../strided.js'
import { type Extents, weightScratch } from './conv.js'

type Info = backend_util.Conv3DInfo
type Volume = [number, number, number, number, number]

interface Attributes {
  strides: [number, number, number] | number
  pad: 'valid' | 'same' | number
  dilations?: [number, number, number] | number
}

function infoOf(
  x: Shape,
  filter: Shape,
  { strides, pad, dilations }: Attributes,
): Info | undefined {
  const info = backend_util.computeConv3DInfo(
    x as Volume,
    filter as Volume,
    strides,
    dilations ?? 1,
    pad,
  )
  const { front, top, left } = info.padInfo
  // Strides larger than the kernel give paddings below 0.
  const isFit =
    Math.min(front, top, left) >= 0 &&
    info.inChannels === filter[3] &&
    sizeOf(info.inShape) > 0 &&
    sizeOf(info.outShape) > 0
  return isFit ? info : undefined
}

/** The extents of one plane's convolution, of the images of all planes of the result. */
function extentsOf(info: Info): Extents {
  const { batchSize, outDepth, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } =
    info
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info
  const { dilationHeight, dilationWidth } = info
  return [
    ...[batchSize * outDepth, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels],
    ...[filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left],
    ...[dilationHeight, dilationWidth, 1],
  ] as unknown as Extents
}

/** Planes of the result that a plane of the kernel meets in the volume: [first, count], and where the first lies. */
function meeting(info: Info, plane: number): { first: number; count: number; at: number } {
  const shift = plane * info.dilationDepth - info.padInfo.front
  const first = Math.max(0, Math.ceil(-shift / info.strideDepth))
  const last = Math.min(
    info.outDepth - 1,
    Math.floor((info.inDepth - 1 - shift) / info.strideDepth),
  )
  return { first, count: Math.max(0, last - first + 1), at: first * info.strideDepth + shift }
}

/** Copies planes of the volume x to their places beside the planes of the result, or back. */
function copyPlanes(
  backend: NeuroblasBackend,
  info: Info,
  plane: number,
  x: Handle,
  images: Handle,
  isBack: boolean,
): void {
  const size = info.inHeight * info.inWidth * info.inChannels
  const { first, count, at } = meeting(info, plane)
  const inVolume = { strides: [info.inDepth * size, info.strideDepth * size, 1], offset: at * size }
  const inImages = { strides: [info.outDepth * size, size, 1], offset: first * size }
  const [from, to] = isBack ? [inImages, inVolume] : [inVolume, inImages]
  if (count === 0) return
  copyStrided(backend, {
    from: isBack ? images : x,
    to: isBack ? x : images,
    shape: [info.batchSize, count, size],
    fromStrides: from.strides,
    fromOffset: from.offset,
    toStrides: to.strides,
    toOffset: to.offset,
  })
}

/** Images that a plane of the kernel meets, zeros where that is outside the volume. */
function imagesAt(backend: NeuroblasBackend, info: Info, plane: number, x: Handle): Handle {
  const size = info.batchSize * info.outDepth * info.inHeight * info.inWidth * info.inChannels
  const images = backend.device.alloc(size, 'float32')
  backend.device.run('fill', images, size, 0)
  copyPlanes(backend, info, plane, x, images, false)
  return images
}

/** Calls `use` with each plane of the kernel's buffer, as a view. */
function forPlanes(
  { device }: NeuroblasBackend,
  info: Info,
  weights: Handle,
  use: (plane: number, w: Handle) => void,
): void {
  const size = sizeOf(info.filterShape) / info.filterDepth
  for (let plane = 0; plane < info.filterDepth; plane++) {
    const w = device.view(weights, plane * size, size)
    use(plane, w)
    device.release(w)
  }
}

const conv3D = rule<Tensors<'x' | 'filter'>, Attributes>((backend, { x, filter }, attributes) => {
  const handles = handlesOf(backend, [x, filter], 'float32')
  const info = infoOf(x.shape, filter.shape, attributes)
  if (handles === undefined || info === undefined) return undefined
  const { device } = backend
  const size = sizeOf(info.outShape)
  const y = device.alloc(size, 'float32')
  const part = device.alloc(size, 'float32')
  forPlanes(backend, info, handles[1], (plane, w) => {
    const images = imagesAt(backend, info, plane, handles[0])
    device.run('conv', images, w, plane === 0 ? y : part, ...extentsOf(info))
    if (plane > 0) device.run('add', y, part, y, 1, 1, size, ALL, ALL)
    device.release(images)
  })
  device.release(part)
  return backend.tensorOf(y, info.outShape, 'float32')
})

const weightGradient = rule<Tensors<'x' | 'dy'>, Attributes & { filterShape: number[] }>(
  (backend, { x, dy }, attributes) => {
    const handles = handlesOf(backend, [x, dy], 'float32')
    const { filterShape } = attributes
    const info = infoOf(x.shape, filterShape, attributes)
    if (handles === undefined || info === undefined || !sameShape(info.outShape, dy.shape))
      return undefined
    const { device } = backend
    const dw = device.alloc(sizeOf(filterShape), 'float32')
    const scratch = device.alloc(weightScratch(sizeOf(filterShape) / info.filterDepth), 'float32')
    forPlanes(backend, info, dw, (plane, part) => {
      const images = imagesAt(backend, info, plane, handles[0])
      device.run('convWeightGrad', images, handles[1], part, scratch, ...extentsOf(info))
      device.release(images)
    })
    device.release(scratch)
    return backend.tensorOf(dw, filterShape, 'float32')
  },
)

/** dx += the images' gradients of one plane, at the planes of the volume that they are of. */
function addPlanes(
  backend: NeuroblasBackend,
  info: Info,
  plane: number,
  dx: Handle,
  images: Handle,
): void {
  const { device } = backend
  const size = info.batchSize * info.outDepth * info.inHeight * info.inWidth * info.inChannels
  const before = imagesAt(backend, info, plane, dx)
  device.run('add', images, before, images, 1, 1, size, ALL, ALL)
  copyPlanes(backend, info, plane, dx, images, true)
  device.release(before)
}

const inputGradient = rule<Tensors<'dy' | 'filter'>, Attributes & { inputShape: number[] }>(
  (backend, { dy, filter }, attributes) => {
    const handles = handlesOf(backend, [dy, filter], 'float32')
    const info = infoOf(attributes.inputShape, filter.shape, attributes)
    if (handles === undefined || info === undefined || !sameShape(info.outShape, dy.shape))
      return undefined
    const { device } = backend
    const { filterHeight, filterWidth, inChannels, outChannels } = info
    const dx = device.alloc(sizeOf(info.inShape), 'float32')
    device.run('fill', dx, sizeOf(info.inShape), 0)
    const turned = device.alloc(sizeOf(filter.shape) / info.filterDepth, 'float32')
    const images = device.alloc(
      info.batchSize * info.outDepth * info.inHeight * info.inWidth * inChannels,
      'float32',
    )
    forPlanes(backend, info, handles[1], (plane, w) => {
      device.run('transpose', w, turned, filterHeight * filterWidth, inChannels, outChannels, 1)
      device.run('convInputGrad', handles[0], turned, images, ...extentsOf(info))
      addPlanes(backend, info, plane, dx, images)
    })
    device.release(turned)
    device.release(images)
    return backend.tensorOf(dx, info.inShape, 'float32')
  },
)

export const conv3d: Rules = {
  Conv3D: conv3D,
  Conv3DBackpropFilterV2: weightGradient,
  Conv3DBackpropInputV2: inputGradient,
}
