/**
 * The rules of convolution. The gradient of the images is the transposed convolution, which is an op of its
 * own.
 */
import type { Handle, KernelArgs } from '../backend/kernels.js'
import { allocate } from '../tensor/allocate.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineListOp, defineOp } from './define.js'
import { sumTo } from './raw.js'
import { placeWindow, type Window } from './window.js'

/** Options that were checked, with the kernel's extents. */
export interface Convolution {
  readonly window: Window
  readonly groups: number
}

type ConvExtents =
  KernelArgs<'conv'> extends readonly [Handle, Handle, Handle, ...infer Extents] ? Extents : never

/** A convolution of images of one shape, as its kernels take it. */
interface Geometry {
  readonly images: Shape
  readonly weight: Shape
  readonly results: Shape
  readonly extents: ConvExtents
}

function geometryOf(
  op: string,
  images: Shape,
  weight: Shape,
  { window, groups }: Convolution,
): Geometry {
  const [batch, height, width] = images
  const filters = weight[3]
  const { before, output } = placeWindow(op, window, [height, width])
  const { size, stride, dilation } = window
  const extents = [
    ...[...images, ...output, filters],
    ...[...size, ...stride, ...before, ...dilation, groups],
  ]
  const results = [batch, ...output, filters]
  return { images, weight, results, extents: extents as unknown as ConvExtents }
}

function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { results, extents }: Geometry,
) {
  const y = allocate(x, results)
  const { backend } = x.storage
  if (bias === undefined) backend.run('conv', x.handle, weight.handle, y.handle, ...extents)
  else backend.run('convBias', x.handle, weight.handle, bias.handle, y.handle, ...extents)
  return y
}

function inputGrad(dy: Tensor, weight: Tensor, { images, extents }: Geometry): Tensor {
  const dx = allocate(dy, images)
  const { backend } = dy.storage
  const [height, width, channels, filters] = weight.shape
  // Filters before channels, so that the channels of a result lie side by side.
  const turned = allocate(dy, [height, width, filters, channels])
  backend.run('transpose', weight.handle, turned.handle, height * width, channels, filters, 1)
  backend.run('convInputGrad', dy.handle, turned.handle, dx.handle, ...extents)
  turned.dispose()
  return dx
}

/** Weights whose gradient is added up in parts, and how many: as the kernel table says. */
const FEW_WEIGHTS = 8192
const PARTS = 8

function weightGrad(x: Tensor, dy: Tensor, { weight, extents }: Geometry): Tensor {
  const dw = allocate(x, weight)
  const scratch = allocate(x, [dw.size <= FEW_WEIGHTS ? PARTS * dw.size : 0])
  const { backend } = x.storage
  backend.run('convWeightGrad', x.handle, dy.handle, dw.handle, scratch.handle, ...extents)
  scratch.dispose()
  return dw
}

/** What a rule keeps of its call. */
interface ConvAttributes {
  convolution: Convolution
}

export const convolution2d = defineListOp<ConvAttributes, Tensor>('conv2d', {
  forward: (inputs, { convolution }) => {
    const [x, weight, bias] = inputs as Tensor[]
    return convolve(x, weight, bias, geometryOf('conv2d', x.shape, weight.shape, convolution))
  },
  save: (_, [x, weight]) => [x, weight],
  backward: (dy, [x, weight], { attributes: { convolution }, shapes }) => {
    const geometry = geometryOf('conv2d', x.shape, weight.shape, convolution)
    return [
      () => inputGrad(dy, weight, geometry),
      () => weightGrad(x, dy, geometry),
      () => sumTo(dy, shapes[2]),
    ]
  },
})

/** The images that a convolution makes results of this shape of. */
interface TransposedAttributes extends ConvAttributes {
  images: Shape
}

export const transposed2d = defineOp<readonly [Tensor, Tensor], TransposedAttributes>(
  'convTranspose2d',
  {
    forward: ([x, weight], { convolution, images }) =>
      inputGrad(x, weight, geometryOf('convTranspose2d', images, weight.shape, convolution)),
    save: (_, inputs) => inputs,
    backward: (dy, [x, weight], { attributes: { convolution, images } }) => {
      const geometry = geometryOf('convTranspose2d', images, weight.shape, convolution)
      return [() => convolve(dy, weight, undefined, geometry), () => weightGrad(dy, x, geometry)]
    },
  },
)
