/** Convolutions of images, channels last, and their gradients. */

import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { Handle, KernelArgs } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { NONE } from '../entry.js'
import { floatsOf, handlesOf, type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sameShape, sizeOf } from '../shape.js'
import { canFinish, type Finish, type Fused, finish } from './matmul.js'
import { sliced, transposed } from './move.js'

type Info = backend_util.Conv2DInfo
export type Extents =
  KernelArgs<'conv'> extends readonly [Handle, Handle, Handle, ...infer Extents] ? Extents : never

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat?: 'NHWC' | 'NCHW'
  dilations?: [number, number] | number | null
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** The extents of a convolution, or undefined where it is left to the backend `cpu`. */
function infoOf(
  x: Shape,
  filter: Shape,
  attributes: Attributes,
  isDepthwise: boolean,
): Info | undefined {
  const { strides, pad, dataFormat = 'NHWC', dilations, dimRoundingMode } = attributes
  if (dataFormat !== 'NHWC') return undefined
  const info = backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    isDepthwise,
  )
  const { top, left } = info.padInfo
  const isFit = top >= 0 && left >= 0 && info.inChannels === filter[2]
  return isFit && sizeOf(info.inShape) > 0 && sizeOf(info.outShape) > 0 ? info : undefined
}

/** A depthwise convolution has a group for each channel. */
function extentsOf(info: Info, isDepthwise: boolean): Extents {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } =
    info
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } =
    info
  return [
    ...[batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels],
    ...[filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left],
    ...[dilationHeight, dilationWidth, isDepthwise ? inChannels : 1],
  ] as unknown as Extents
}

function convolution(isDepthwise: boolean): Rule {
  return rule<Tensors<'x' | 'filter'>, Attributes>((backend, { x, filter }, attributes) => {
    const handles = handlesOf(backend, [x, filter], 'float32')
    const info = infoOf(x.shape, filter.shape, attributes, isDepthwise)
    if (handles === undefined || info === undefined) return undefined
    const y = backend.device.alloc(sizeOf(info.outShape), 'float32')
    backend.device.run('conv', handles[0], handles[1], y, ...extentsOf(info, isDepthwise))
    return backend.tensorOf(y, info.outShape, 'float32')
  })
}

/** A bias for each filter is added by the kernel itself, and relu with it. */
function fused(isDepthwise: boolean): Rule {
  return rule<Tensors<'x' | 'filter'> & Fused, Attributes & Finish>(
    (backend, inputs, attributes) => {
      const { x, filter, bias } = inputs
      const { device } = backend
      const handles = handlesOf(backend, [x, filter], 'float32')
      const info = infoOf(x.shape, filter.shape, attributes, isDepthwise)
      if (handles === undefined || info === undefined) return undefined
      const shape = info.outShape
      if (!canFinish(shape, inputs, attributes)) return undefined
      const extents = extentsOf(info, isDepthwise)
      const y = device.alloc(sizeOf(shape), 'float32')
      const result = { handle: y, shape }
      if (
        bias === undefined ||
        bias === null ||
        sizeOf(bias.shape) !== info.outChannels ||
        bias.shape.at(-1) !== info.outChannels
      ) {
        device.run('conv', handles[0], handles[1], y, ...extents)
        return finish(backend, result, inputs, attributes)
      }
      const isRelu = attributes.activation === 'relu'
      const kernel = isRelu ? 'convBiasRelu' : 'convBias'
      device.run(kernel, handles[0], handles[1], floatsOf(backend, bias), y, ...extents)
      if (isRelu) return backend.tensorOf(y, shape, 'float32')
      return finish(backend, result, { ...inputs, bias: undefined }, attributes)
    },
  )
}

/** Up to so many weights their gradient is added up in parts; see `convWeightGrad` of the kernel table. */
const FEW_WEIGHTS = 8192
const PARTS = 8

/** Elements that this takes. */
export const weightScratch = (weights: number) => (weights <= FEW_WEIGHTS ? PARTS * weights : 0)

function weightGradient(isDepthwise: boolean): Rule {
  return rule<Tensors<'x' | 'dy'>, Attributes & { filterShape: number[] }>(
    (backend, { x, dy }, attributes) => {
      const { device } = backend
      const { filterShape } = attributes
      const handles = handlesOf(backend, [x, dy], 'float32')
      const info = infoOf(x.shape, filterShape, attributes, isDepthwise)
      if (handles === undefined || info === undefined || !sameShape(info.outShape, dy.shape))
        return undefined
      const size = sizeOf(filterShape)
      const dw = device.alloc(size, 'float32')
      const scratch = device.alloc(weightScratch(size), 'float32')
      device.run(
        'convWeightGrad',
        handles[0],
        handles[1],
        dw,
        scratch,
        ...extentsOf(info, isDepthwise),
      )
      device.release(scratch)
      return backend.tensorOf(dw, filterShape, 'float32')
    },
  )
}

/** The part of dy that the convolution has results for: what is transposed may be larger. */
function cropped(backend: NeuroblasBackend, dy: TensorInfo, shape: Shape): TensorInfo | undefined {
  if (sameShape(dy.shape, shape)) return backend.share(dy)
  if (dy.shape.some((extent, axis) => extent < shape[axis])) return undefined
  return sliced(backend, dy, [0, 0, 0, 0], shape)
}

function inputGradient(isDepthwise: boolean): Rule {
  return rule<Tensors<'dy' | 'filter'>, Attributes & { inputShape: number[] }>(
    (backend, { dy: given, filter }, attributes) => {
      const { device } = backend
      const w = floatsOf(backend, filter)
      const info = infoOf(attributes.inputShape, filter.shape, attributes, isDepthwise)
      if (w === NONE || info === undefined || given.dtype !== 'float32') return undefined
      const dy = cropped(backend, given, info.outShape)
      if (dy === undefined) return undefined
      const { filterHeight, filterWidth, inChannels, outChannels } = info
      // Filters before channels, so that the channels of a result lie side by side.
      const turned = device.alloc(sizeOf(filter.shape), 'float32')
      const channels = isDepthwise ? 1 : inChannels
      device.run('transpose', w, turned, filterHeight * filterWidth, channels, outChannels, 1)
      const dx = device.alloc(sizeOf(info.inShape), 'float32')
      device.run('convInputGrad', backend.handleOf(dy), turned, dx, ...extentsOf(info, isDepthwise))
      device.release(turned)
      backend.disposeIntermediateTensorInfo(dy)
      return backend.tensorOf(dx, info.inShape, 'float32')
    },
  )
}

const CHANNELS_LAST = [0, 2, 3, 1]
const CHANNELS_FIRST = [0, 3, 1, 2]
const inOrder = <T>(list: readonly T[], order: readonly number[]) => order.map((at) => list[at])

type Images = Record<string, TensorInfo | undefined>

/** The same attributes for channels last. */
function channelsLast({ pad, ...attributes }: Attributes & { inputShape?: number[] }) {
  const { inputShape } = attributes
  return {
    ...attributes,
    pad: Array.isArray(pad) ? inOrder(pad, CHANNELS_LAST) : pad,
    ...(inputShape && { inputShape: inOrder(inputShape, CHANNELS_LAST) }),
    dataFormat: 'NHWC',
  }
}

/** Also of channels first, whose images are transposed before, and after where the result is one. */
function inAnyFormat(compute: Rule, images: readonly string[], isImage: boolean): Rule {
  return rule<Images, Attributes>((backend, inputs, attributes) => {
    const call = compute as Rule<Images, object>
    if (attributes.dataFormat !== 'NCHW') return call(backend, inputs, attributes)
    const { bias, preluActivationWeights } = inputs
    const isAlong = (x: TensorInfo | undefined) => (x?.shape.length ?? 0) <= 1
    const given = images.map((name) => inputs[name]!)
    const isFloat = given.every(({ dtype }) => dtype === 'float32')
    if (!isFloat || !isAlong(bias) || !isAlong(preluActivationWeights)) return undefined
    const moved = given.map((x) => transposed(backend, x, CHANNELS_LAST))
    const entries = images.map((name, i) => [name, moved[i]])
    const last = { ...inputs, ...Object.fromEntries(entries) }
    const result = call(backend, last, channelsLast(attributes)) as TensorInfo | undefined
    for (const x of moved) backend.disposeIntermediateTensorInfo(x)
    if (result === undefined || !isImage) return result
    const first = transposed(backend, result, CHANNELS_FIRST)
    backend.disposeIntermediateTensorInfo(result)
    return first
  })
}

export const conv: Rules = {
  Conv2D: inAnyFormat(convolution(false), ['x'], true),
  FusedConv2D: inAnyFormat(fused(false), ['x'], true),
  Conv2DBackpropFilter: inAnyFormat(weightGradient(false), ['x', 'dy'], false),
  Conv2DBackpropInput: inAnyFormat(inputGradient(false), ['dy'], true),
  DepthwiseConv2dNative: convolution(true),
  FusedDepthwiseConv2D: fused(true),
  DepthwiseConv2dNativeBackpropFilter: weightGradient(true),
  DepthwiseConv2dNativeBackpropInput: inputGradient(true),
}
