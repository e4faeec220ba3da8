/** The convolutional networks that are measured, as data that every contestant builds its own from. */
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  type Generator,
  GlobalAvgPool2d,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  type Tensor,
} from '../../index.js'

/**
 * A layer and its numbers. `conv`: filters, kernel, stride, padding at every edge, whether it has a bias;
 * `pool`: the largest of 2 × 2; `average`: over the whole image; `block`: filters and stride, see `Block`;
 * `linear`: outputs.
 */
export type ImageLayer =
  | readonly [
      'conv',
      filters: number,
      kernel: number,
      stride: number,
      padding: number,
      bias: boolean,
    ]
  | readonly ['relu' | 'pool' | 'norm' | 'average' | 'flatten']
  | readonly ['block', filters: number, stride: number]
  | readonly ['linear', outputs: number]

/** LeNet-5 with relu and max pools. */
export const LENET: readonly ImageLayer[] = [
  ['conv', 6, 5, 1, 2, true],
  ['relu'],
  ['pool'],
  ['conv', 16, 5, 1, 0, true],
  ['relu'],
  ['pool'],
  ['flatten'],
  ['linear', 120],
  ['relu'],
  ['linear', 84],
  ['relu'],
  ['linear', 10],
]

/** Keras's example for MNIST, without dropout, whose random numbers every library draws differently. */
export const CONVNET: readonly ImageLayer[] = [
  ['conv', 32, 3, 1, 0, true],
  ['relu'],
  ['pool'],
  ['conv', 64, 3, 1, 0, true],
  ['relu'],
  ['pool'],
  ['flatten'],
  ['linear', 10],
]

/** A residual network of a stem, three blocks and a classifier: eight layers deep, shortcuts apart. */
export const RESNET8: readonly ImageLayer[] = [
  ['conv', 16, 3, 1, 1, false],
  ['norm'],
  ['relu'],
  ['block', 16, 1],
  ['block', 32, 2],
  ['block', 64, 2],
  ['average'],
  ['linear', 10],
]

/** Two convolutions with norms, and beside them what came in, brought to its shape where that differs. */
class Block extends Module {
  readonly first: Conv2d
  readonly firstNorm: BatchNorm2d
  readonly second: Conv2d
  readonly secondNorm: BatchNorm2d
  readonly shortcut?: Conv2d
  readonly shortcutNorm?: BatchNorm2d

  constructor(channels: number, filters: number, stride: number, generator: Generator) {
    super()
    const conv = (from: number, kernel: number, options: { stride?: number; padding?: number }) =>
      new Conv2d(from, filters, kernel, { ...options, bias: false, generator })
    this.first = conv(channels, 3, { stride, padding: 1 })
    this.firstNorm = new BatchNorm2d(filters)
    this.second = conv(filters, 3, { padding: 1 })
    this.secondNorm = new BatchNorm2d(filters)
    if (stride > 1 || channels !== filters) {
      this.shortcut = conv(channels, 1, { stride })
      this.shortcutNorm = new BatchNorm2d(filters)
    }
  }

  forward(x: Tensor): Tensor {
    const h = this.firstNorm.forward(this.first.forward(x)).relu()
    const y = this.secondNorm.forward(this.second.forward(h))
    const { shortcut, shortcutNorm } = this
    return y.add(shortcut && shortcutNorm ? shortcutNorm.forward(shortcut.forward(x)) : x).relu()
  }
}

/** The shape of one example after a layer, [height, width, channels] or [features]. */
function shapeAfter(layer: ImageLayer, [height, width, channels]: readonly number[]): number[] {
  switch (layer[0]) {
    case 'conv': {
      const [, filters, kernel, stride, padding] = layer
      const after = (extent: number) => Math.floor((extent + 2 * padding - kernel) / stride) + 1
      return [after(height), after(width), filters]
    }
    case 'block': {
      const [, filters, stride] = layer
      return [Math.ceil(height / stride), Math.ceil(width / stride), filters]
    }
    case 'pool':
      return [Math.floor(height / 2), Math.floor(width / 2), channels]
    case 'average':
      return [channels]
    case 'flatten':
      return [height * width * channels]
    case 'linear':
      return [layer[1]]
    default:
      return channels === undefined ? [height] : [height, width, channels]
  }
}

/** Every layer with the shapes of one example before and after it. */
function* shapesOf(layers: readonly ImageLayer[], image: readonly number[]) {
  let before = [...image]
  for (const layer of layers) {
    const after = shapeAfter(layer, before)
    yield { layer, before, after }
    before = after
  }
}

function moduleOf(layer: ImageLayer, channels: number, generator: Generator): Module {
  switch (layer[0]) {
    case 'conv': {
      const [, filters, kernel, stride, padding, bias] = layer
      return new Conv2d(channels, filters, kernel, { stride, padding, bias, generator })
    }
    case 'block':
      return new Block(channels, layer[1], layer[2], generator)
    case 'linear':
      return new Linear(channels, layer[1], { generator })
    case 'relu':
      return new ReLU()
    case 'pool':
      return new MaxPool2d(2)
    case 'norm':
      return new BatchNorm2d(channels)
    case 'average':
      return new GlobalAvgPool2d()
    case 'flatten':
      return new Flatten()
  }
}

/** The network with new weights. */
export function imageNetwork(
  layers: readonly ImageLayer[],
  image: readonly number[],
  generator: Generator,
): Sequential {
  const shapes = [...shapesOf(layers, image)]
  return new Sequential(
    ...shapes.map(({ layer, before }) => moduleOf(layer, before.at(-1)!, generator)),
  )
}

/** Multiplications of a convolution with one example. */
const convolution = (results: readonly number[], kernel: number, channels: number) =>
  results.reduce((product, extent) => product * extent) * kernel ** 2 * channels

/** Floating-point operations of the products of a step: forward, and both gradients but the first's. */
export function imageFlopsOf(
  layers: readonly ImageLayer[],
  image: readonly number[],
  batch: number,
): number {
  let forward = 0
  let first = 0
  for (const { layer, before, after } of shapesOf(layers, image)) {
    const channels = before.at(-1)!
    let products = 0
    if (layer[0] === 'conv') products = convolution(after, layer[2], channels)
    if (layer[0] === 'linear') products = channels * layer[1]
    if (layer[0] === 'block') {
      products = convolution(after, 3, channels) + convolution(after, 3, layer[1])
      const hasShortcut = layer[2] > 1 || channels !== layer[1]
      if (hasShortcut) products += convolution(after, 1, channels)
    }
    if (forward === 0) first = products
    forward += products
  }
  return 2 * batch * (3 * forward - first)
}
