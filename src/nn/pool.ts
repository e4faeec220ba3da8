/** Pools as modules. */
import {
  type AvgPoolOptions,
  avgPoolOver,
  checkPool,
  globalAvgPool2d,
  globalMaxPool2d,
  maxPoolOver,
  type Pool,
  type PoolOptions,
} from '../ops/pool.js'
import type { PerAxis } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/** The largest element of each window over images [batch, height, width, channels]; see `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly #pool: Pool

  /**
   * @param kernelSize of the window, one number or [height, width]
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(kernelSize: PerAxis, options: PoolOptions = {}) {
    super()
    this.#pool = checkPool('MaxPool2d', 2, kernelSize, options, false)
  }

  /** @throws ShapeError for other inputs, and where the window is larger than the padded image */
  forward(x: Tensor): Tensor {
    return maxPoolOver('MaxPool2d', this.#pool, x)
  }
}

/** The same over sequences [batch, length, channels]; see `maxPool1d`. */
export class MaxPool1d extends Module {
  readonly #pool: Pool

  /**
   * @param kernelSize of the window
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(kernelSize: PerAxis, options: PoolOptions = {}) {
    super()
    this.#pool = checkPool('MaxPool1d', 1, kernelSize, options, false)
  }

  /** @throws ShapeError for other inputs, and where the window is larger than the padded sequence */
  forward(x: Tensor): Tensor {
    return maxPoolOver('MaxPool1d', this.#pool, x)
  }
}

/** The average of each window over images [batch, height, width, channels]; see `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly #pool: Pool

  /**
   * @param kernelSize of the window, one number or [height, width]
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super()
    this.#pool = checkPool('AvgPool2d', 2, kernelSize, options, true)
  }

  /** @throws ShapeError for other inputs, and where the window is larger than the padded image */
  forward(x: Tensor): Tensor {
    return avgPoolOver('AvgPool2d', this.#pool, x)
  }
}

/** The same over sequences [batch, length, channels]; see `avgPool1d`. */
export class AvgPool1d extends Module {
  readonly #pool: Pool

  /**
   * @param kernelSize of the window
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super()
    this.#pool = checkPool('AvgPool1d', 1, kernelSize, options, true)
  }

  /** @throws ShapeError for other inputs, and where the window is larger than the padded sequence */
  forward(x: Tensor): Tensor {
    return avgPoolOver('AvgPool1d', this.#pool, x)
  }
}

/** The average of each image, channel by channel: from [batch, height, width, channels] to [batch, channels]. */
export class GlobalAvgPool2d extends Module {
  /** @throws ShapeError for other inputs, and for images without a pixel */
  forward(x: Tensor): Tensor {
    return globalAvgPool2d(x)
  }
}

/** The largest element of each image, channel by channel: from [batch, height, width, channels] to [batch, channels]. */
export class GlobalMaxPool2d extends Module {
  /** @throws ShapeError for other inputs, and for images without a pixel */
  forward(x: Tensor): Tensor {
    return globalMaxPool2d(x)
  }
}
