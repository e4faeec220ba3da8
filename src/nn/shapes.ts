/** Layers without weights that turn inputs into the shape that the next layer expects. */
import { optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { requireTensor } from '../ops/require.js'
import { checkShape, format, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/** [batch, channels, …] to [batch, …, channels], which convolutions and pools take. */
function channelsLast(x: Tensor): Tensor {
  return x.transpose([0, ...x.shape.slice(2).map((_, axis) => axis + 2), 1])
}

/** [batch, …, channels] to [batch, channels, …]. */
function channelsFirst(x: Tensor): Tensor {
  const last = x.shape.length - 1
  return x.transpose([0, last, ...x.shape.slice(1, -1).map((_, axis) => axis + 1)])
}

/**
 * Images as PyTorch has them, [batch, channels, height, width], to [batch, height, width, channels], which
 * convolutions and pools take: the first layer of a network whose inputs have channels first. Likewise
 * lines and volumes.
 * @example new Sequential(new ChannelsLast(), new Conv2d(3, 16, 3))
 */
export class ChannelsLast extends Module {
  /** @throws ShapeError for fewer than three axes */
  forward(x: Tensor): Tensor {
    requireTensor('ChannelsLast', x)
    if (x.shape.length < 3) {
      throw new ShapeError(
        `ChannelsLast: expected inputs [batch, channels, …] with axes of space, got ${format(x.shape)}`,
      )
    }
    return channelsLast(x)
  }
}

/** Settings of a `Flatten` layer. */
export interface FlattenOptions {
  /**
   * Where the channels of a pixel go: beside each other (`channelsLast`, the default, as in Keras), or each
   * channel's image as a whole (`channelsFirst`, as in PyTorch, so that weights of a `Linear` from there fit).
   */
  order?: 'channelsFirst' | 'channelsLast'
}

/** [batch, …, channels] to one row for each example, [batch, features]. */
export class Flatten extends Module {
  /** Of the features. */
  readonly order: 'channelsFirst' | 'channelsLast'

  /** @throws ArgumentError for another order */
  constructor(options: FlattenOptions = {}) {
    super()
    const { order = 'channelsLast' } = optionsOf('Flatten', options, { order: true })
    if (order !== 'channelsFirst' && order !== 'channelsLast') {
      throw new ArgumentError(
        `Flatten: expected order channelsFirst or channelsLast, got ${excerpt(order)}`,
      )
    }
    this.order = order
  }

  /** @throws ShapeError for a single number */
  forward(x: Tensor): Tensor {
    requireTensor('Flatten', x)
    if (x.shape.length === 0) throw new ShapeError('Flatten: expected inputs [batch, …], got []')
    if (x.shape.length <= 2 || this.order === 'channelsLast') return x.flatten(1)
    return channelsFirst(x).flatten(1)
  }
}

/** [batch, …] to [batch, ...shape]: the elements of each example in another shape, such as an image. */
export class Reshape extends Module {
  /** Of one example. */
  readonly shape: Shape

  /**
   * Of inputs to this shape.
   * @param shape of one example
   * @throws ShapeError for what is no shape
   */
  constructor(shape: Shape) {
    super()
    this.shape = checkShape('Reshape', shape)
  }

  /** @throws ShapeError when the elements of an example do not fit the shape */
  forward(x: Tensor): Tensor {
    requireTensor('Reshape', x)
    if (x.shape.length === 0 || x.size !== x.shape[0] * sizeOf(this.shape)) {
      throw new ShapeError(
        `Reshape: expected inputs [batch, …] of ${format(this.shape)} each, got ${format(x.shape)}`,
      )
    }
    return x.reshape([x.shape[0], ...this.shape])
  }
}
