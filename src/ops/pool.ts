/** Pools over images [batch, height, width, channels] and sequences [batch, length, channels]. */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { format, type Shape } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { requireFloat, requireTensor } from './require.js'
import { checkWindow, type Padding, type PerAxis, placeWindow, type Window } from './window.js'

/** How the windows of a pool are moved. */
export interface PoolOptions {
  /** How far apart windows begin, from 1; as large as the window by default. */
  stride?: PerAxis
  /** What the image is enlarged by; `valid` by default, and smaller than the window at every edge. */
  padding?: Padding
}

/** Those of an average. */
export interface AvgPoolOptions extends PoolOptions {
  /**
   * Whether the sum is divided by all places of the window, also those in the padding, as PyTorch does;
   * true by default. Keras counts those in the image alone: false.
   */
  countIncludePad?: boolean
}

const OPTIONS: Record<keyof PoolOptions, true> = { stride: true, padding: true }
const AVG_OPTIONS: Record<keyof AvgPoolOptions, true> = { ...OPTIONS, countIncludePad: true }

/** A pool whose options were checked. */
export interface Pool extends Window {
  readonly countIncludePad: boolean
}

/**
 * @param axes of space, 1 or 2
 * @param options those of an average, too, where `isAverage`
 * @throws ArgumentError for options that do not exist or are out of range
 */
export function checkPool(
  op: string,
  axes: 1 | 2,
  kernelSize: PerAxis,
  options: AvgPoolOptions,
  isAverage: boolean,
): Pool {
  const {
    stride = kernelSize,
    padding,
    countIncludePad = true,
  } = optionsOf<AvgPoolOptions>(
    op,
    options,
    isAverage ? AVG_OPTIONS : (OPTIONS as typeof AVG_OPTIONS),
  )
  checkFlag(op, 'countIncludePad', countIncludePad)
  const window = checkWindow(op, axes, kernelSize, { stride, padding })
  const { size } = window
  if (window.padding !== 'same') {
    for (const [axis, pair] of window.padding.entries()) {
      if (Math.max(...pair) < size[axis]) continue
      throw new ArgumentError(
        `${op}: expected padding smaller than the window, ${format(size)}, got ${excerpt(padding)}`,
      )
    }
  }
  return { ...window, countIncludePad }
}

/** A window over a batch of images, as the kernels take it. */
type Geometry = readonly [
  batch: number,
  height: number,
  width: number,
  channels: number,
  windowHeight: number,
  windowWidth: number,
  strideHeight: number,
  strideWidth: number,
  top: number,
  left: number,
  outHeight: number,
  outWidth: number,
]

interface Attributes {
  geometry: Geometry
  countPadding: number
}

function resultShape([batch, , , channels, , , , , , , outHeight, outWidth]: Geometry): Shape {
  return [batch, outHeight, outWidth, channels]
}

function inputShape([batch, height, width, channels]: Geometry): Shape {
  return [batch, height, width, channels]
}

const maxPool = defineOp<readonly [Tensor], Attributes>('maxPool2d', {
  forward: ([x], { geometry }, kept) => {
    const places = geometry[4] * geometry[5]
    const y = allocate(x, resultShape(geometry))
    const winners = allocate(x, y.shape, places <= 256 ? 'uint8' : 'int32')
    kept.push(winners)
    x.storage.backend.run('maxPool', x.handle, y.handle, winners.handle, ...geometry)
    return y
  },
  save: (_, __, kept) => kept,
  backward: (dy, [winners]: readonly AnyTensor[], { attributes: { geometry } }) => [
    () => {
      const dx = allocate(dy, inputShape(geometry))
      dy.storage.backend.run('maxPoolGrad', dy.handle, winners.handle, dx.handle, ...geometry)
      return dx
    },
  ],
})

const avgPool = defineOp<readonly [Tensor], Attributes>('avgPool2d', {
  forward: ([x], { geometry, countPadding }) => {
    const y = allocate(x, resultShape(geometry))
    x.storage.backend.run('averagePool', x.handle, y.handle, countPadding, ...geometry)
    return y
  },
  backward: (dy, _, { attributes: { geometry, countPadding } }) => [
    () => {
      const dx = allocate(dy, inputShape(geometry))
      dy.storage.backend.run('averagePoolGrad', dy.handle, dx.handle, countPadding, ...geometry)
      return dx
    },
  ],
})

type PoolOp = typeof maxPool

/** Moves a checked window over images, or over sequences as images of height 1. */
function poolOver(op: string, pool: PoolOp, window: Pool, x: Tensor): Tensor {
  requireFloat(op, x)
  const axes = window.size.length
  if (x.shape.length !== axes + 2) {
    const expected = axes === 1 ? '[batch, length, channels]' : '[batch, height, width, channels]'
    throw new ShapeError(`${op}: expected inputs ${expected}, got ${format(x.shape)}`)
  }
  const extents = x.shape.slice(1, -1)
  const { before, output } = placeWindow(op, window, extents)
  const [batch, channels] = [x.shape[0], x.shape[axes + 1]]
  const flat = axes === 1
  const pair = (values: readonly number[], height: number): [number, number] =>
    flat ? [height, values[0]] : [values[0], values[1]]
  const geometry: Geometry = [
    batch,
    ...pair(extents, 1),
    channels,
    ...pair(window.size, 1),
    ...pair(window.stride, 1),
    ...pair(before, 0),
    ...pair(output, 1),
  ]
  const attributes = { geometry, countPadding: Number(window.countIncludePad) }
  if (!flat) return pool(x, attributes)
  return pool(x.reshape([batch, 1, extents[0], channels]), attributes).reshape([
    batch,
    output[0],
    channels,
  ])
}

/** With a window that was checked before. @internal */
export const maxPoolOver = (op: string, window: Pool, x: Tensor): Tensor =>
  poolOver(op, maxPool, window, x)

/** With a window that was checked before. @internal */
export const avgPoolOver = (op: string, window: Pool, x: Tensor): Tensor =>
  poolOver(op, avgPool, window, x)

/**
 * The largest element of each window over images [batch, height, width, channels], channel by channel:
 * [batch, windows down, windows across, channels]. Padding counts as -Infinity. Of equal elements the
 * first gets the gradient, and NaN is larger than all.
 * @param kernelSize of the window, one number or [height, width]
 * @throws ShapeError for other inputs, and where the window is larger than the padded image,
 *   ArgumentError for options that do not exist or are out of range
 * @example maxPool2d(x, 2)
 */
export function maxPool2d(x: Tensor, kernelSize: PerAxis, options: PoolOptions = {}): Tensor {
  requireTensor('maxPool2d', x)
  return maxPoolOver('maxPool2d', checkPool('maxPool2d', 2, kernelSize, options, false), x)
}

/**
 * The same over sequences [batch, length, channels].
 * @throws ShapeError, ArgumentError as `maxPool2d`
 */
export function maxPool1d(x: Tensor, kernelSize: PerAxis, options: PoolOptions = {}): Tensor {
  requireTensor('maxPool1d', x)
  return maxPoolOver('maxPool1d', checkPool('maxPool1d', 1, kernelSize, options, false), x)
}

/**
 * The average of each window over images [batch, height, width, channels], channel by channel:
 * [batch, windows down, windows across, channels]. Padding counts as 0.
 * @param kernelSize of the window, one number or [height, width]
 * @throws ShapeError, ArgumentError as `maxPool2d`
 * @example avgPool2d(x, 3, { stride: 2, padding: 'same', countIncludePad: false }) // as Keras
 */
export function avgPool2d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  requireTensor('avgPool2d', x)
  return avgPoolOver('avgPool2d', checkPool('avgPool2d', 2, kernelSize, options, true), x)
}

/**
 * The same over sequences [batch, length, channels].
 * @throws ShapeError, ArgumentError as `maxPool2d`
 */
export function avgPool1d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  requireTensor('avgPool1d', x)
  return avgPoolOver('avgPool1d', checkPool('avgPool1d', 1, kernelSize, options, true), x)
}

function globally(op: string, pool: PoolOp, x: Tensor): Tensor {
  requireTensor(op, x)
  if (x.shape.length !== 4 || x.shape[1] === 0 || x.shape[2] === 0) {
    throw new ShapeError(
      `${op}: expected images [batch, height, width, channels] of at least one pixel, got ${format(x.shape)}`,
    )
  }
  const [batch, height, width, channels] = x.shape
  const window = checkPool(op, 2, [height, width], {}, false)
  return poolOver(op, pool, window, x).reshape([batch, channels])
}

/**
 * The largest element of each image [batch, height, width, channels], channel by channel:
 * [batch, channels].
 * @throws ShapeError for other inputs, and for images without a pixel
 */
export function globalMaxPool2d(x: Tensor): Tensor {
  return globally('globalMaxPool2d', maxPool, x)
}

/**
 * The average of each image [batch, height, width, channels], channel by channel: [batch, channels].
 * @throws ShapeError for other inputs, and for images without a pixel
 */
export function globalAvgPool2d(x: Tensor): Tensor {
  return globally('globalAvgPool2d', avgPool, x)
}
