/** Convolutions, pools and what else moves windows over images and lines. */
import {
  AvgPool1d,
  AvgPool2d,
  Conv1d,
  Conv2d,
  type ConvLayerOptions,
  ConvTranspose2d,
  DepthwiseConv2d,
  GlobalAvgPool2d,
  GlobalMaxPool2d,
  MaxPool1d,
  MaxPool2d,
  type Module,
  type PoolOptions,
  Sequential,
  type Tensor,
  zeros,
} from '../../index.js'
import { channelsOf, expect, type GivenLayer, refuse } from './layersGiven.js'
import { Apply } from './layersModules.js'

type Extents = number | readonly number[]
type Pads = readonly (readonly [number, number])[]

/** Options of pools as well as convolutions. */
function windowOf(layer: GivenLayer): PoolOptions {
  expect(layer, { dataFormat: 'channelsLast' })
  const { padding, strides } = layer.config
  if (padding !== 'same' && padding !== 'valid') return refuse(layer, 'padding', 'same or valid')
  return { padding, stride: strides as Extents }
}

function convOptions(layer: GivenLayer): ConvLayerOptions {
  const { useBias, dilationRate } = layer.config
  const dilation = (dilationRate ?? 1) as Extents
  return { ...windowOf(layer), dilation, bias: useBias !== false, init: zeros }
}

/** A convolution of all channels. */
function convolution(Layer: typeof Conv1d | typeof Conv2d) {
  return (layer: GivenLayer): Module => {
    const { filters, kernelSize } = layer.config
    const options = convOptions(layer)
    return new Layer(channelsOf(layer), filters as number, kernelSize as Extents, options)
  }
}

function depthwise(layer: GivenLayer, options: ConvLayerOptions): Module {
  const { depthMultiplier, kernelSize } = layer.config
  const channels = channelsOf(layer)
  const filters = channels * ((depthMultiplier ?? 1) as number)
  return new DepthwiseConv2d(channels, filters, kernelSize as Extents, options)
}

function depthwiseConv2d(layer: GivenLayer): Module {
  const { dilation, ...options } = convOptions(layer)
  // tf.layers does not heed it.
  if ([dilation].flat().some((step) => step !== 1)) refuse(layer, 'dilationRate', '1')
  return depthwise(layer, options)
}

function separableConv2d(layer: GivenLayer): Module {
  const { bias, ...options } = convOptions(layer)
  const { filters } = layer.config
  const between = channelsOf(layer)
  // What tf.layers writes of the layer does not have it.
  if (layer.weights[0][3] !== 1) refuse(layer, 'depthMultiplier', '1')
  return new Sequential(
    depthwise(layer, { ...options, bias: false }),
    new Conv2d(between, filters as number, 1, { bias, init: zeros }),
  )
}

function conv2dTranspose(layer: GivenLayer): Module {
  const { filters, kernelSize, strides, padding } = layer.config
  const [size, steps] = [kernelSize as number[], strides as number[]]
  // tf.layers has rows there that no element of the kernel reaches.
  if (padding === 'valid' && size.some((extent, axis) => extent < steps[axis])) {
    refuse(layer, 'kernelSize', `at least as large as strides ${steps}`)
  }
  return new ConvTranspose2d(channelsOf(layer), filters as number, size, convOptions(layer))
}

type PoolLayer = typeof MaxPool1d | typeof MaxPool2d

function maxPool(Layer: PoolLayer) {
  return (layer: GivenLayer): Module => new Layer(layer.config.poolSize as Extents, windowOf(layer))
}

function averagePool(Layer: typeof AvgPool1d | typeof AvgPool2d) {
  return (layer: GivenLayer): Module =>
    new Layer(layer.config.poolSize as Extents, { ...windowOf(layer), countIncludePad: false })
}

function globalPool(make: () => Module<Tensor[]>) {
  return (layer: GivenLayer): Module<Tensor[]> => {
    if ('dataFormat' in layer.config) expect(layer, { dataFormat: 'channelsLast' })
    return make()
  }
}

function zeroPadding(layer: GivenLayer): Module<Tensor[]> {
  expect(layer, { dataFormat: 'channelsLast' })
  const pads: Pads = [[0, 0], ...(layer.config.padding as Pads), [0, 0]]
  return new Apply((x) => x.pad(pads))
}

function upSampling(layer: GivenLayer): Module<Tensor[]> {
  expect(layer, { dataFormat: 'channelsLast', interpolation: 'nearest' })
  const [rows, columns] = layer.config.size as number[]
  return new Apply((x) => x.repeatInterleave(rows, 1).repeatInterleave(columns, 2))
}

/** By the names of the layers' classes. */
export const images = {
  Conv1D: convolution(Conv1d),
  Conv2D: convolution(Conv2d),
  Conv2DTranspose: conv2dTranspose,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  MaxPooling1D: maxPool(MaxPool1d),
  MaxPooling2D: maxPool(MaxPool2d),
  AveragePooling1D: averagePool(AvgPool1d),
  AveragePooling2D: averagePool(AvgPool2d),
  GlobalAveragePooling1D: globalPool(() => new Apply((x) => x.mean(1))),
  GlobalAveragePooling2D: globalPool(() => new GlobalAvgPool2d()),
  GlobalMaxPooling1D: globalPool(() => new Apply((x) => x.max(1))),
  GlobalMaxPooling2D: globalPool(() => new GlobalMaxPool2d()),
  ZeroPadding2D: zeroPadding,
  UpSampling2D: upSampling,
}
