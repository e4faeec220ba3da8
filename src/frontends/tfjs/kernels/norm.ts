/** Normalization. */

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { ALL, type BinaryKernel, LAST } from '../broadcast.js'
import { floatsOf, handlesOf, type Rules, rule, type Tensors } from '../rule.js'
import { sizeOf } from '../shape.js'

type Statistics = Tensors<'x' | 'mean' | 'variance'> & Partial<Tensors<'scale' | 'offset'>>

/**
 * With statistics that are not one for each channel, such as those of each example: the values of each are gone
 * through over and over, as the backend `cpu` does.
 */
function repeatedNorm(
  backend: NeuroblasBackend,
  { x, mean, variance, scale, offset }: Statistics,
  epsilon: number,
): TensorInfo {
  const { device } = backend
  const size = sizeOf(x.shape)
  const y = device.alloc(size, 'float32')
  const combine = (kernel: BinaryKernel, from: Handle, values: Handle, period: number) =>
    device.run(kernel, from, values, y, 1, size / period, period, ALL, LAST)
  combine('sub', backend.handleOf(x), backend.handleOf(mean), sizeOf(mean.shape))
  if (scale) combine('mul', y, backend.handleOf(scale), sizeOf(scale.shape))
  const period = sizeOf(variance.shape)
  const deviation = device.alloc(period, 'float32')
  device.run('affine', backend.handleOf(variance), deviation, period, 1, epsilon)
  device.run('sqrt', deviation, deviation, period)
  combine('div', y, deviation, period)
  device.release(deviation)
  if (offset) combine('add', y, backend.handleOf(offset), sizeOf(offset.shape))
  return backend.tensorOf(y, x.shape, 'float32')
}

/** Where there is no scale it is 1, and an offset 0, for each channel. */
const fusedBatchNorm = rule<Statistics, { varianceEpsilon?: number }>(
  (backend, { x, mean, variance, scale, offset }, { varianceEpsilon = 0.001 }) => {
    const { device } = backend
    const size = sizeOf(x.shape)
    const cols = x.shape.at(-1) ?? 0
    const given = [mean, variance, scale, offset].filter((tensor) => tensor != null)
    const arePerChannel = given.every(
      ({ shape }) => sizeOf(shape) === cols && shape.at(-1) === cols,
    )
    const handles = handlesOf(backend, [x, ...given], 'float32')
    if (handles === undefined || size === 0) return undefined
    if (!arePerChannel) {
      const areRepeated = given.every(({ shape }) => size % sizeOf(shape) === 0)
      const statistics = { x, mean, variance, scale, offset }
      return areRepeated ? repeatedNorm(backend, statistics, varianceEpsilon) : undefined
    }
    const made: Handle[] = []
    const constant = (value: number) => {
      const handle = device.alloc(cols, 'float32')
      device.run('fill', handle, cols, value)
      made.push(handle)
      return handle
    }
    const weight = scale ? floatsOf(backend, scale) : constant(1)
    const bias = offset ? floatsOf(backend, offset) : constant(0)
    const y = device.alloc(size, 'float32')
    device.run(
      'batchNorm',
      handles[0],
      handles[1],
      handles[2],
      weight,
      bias,
      y,
      size / cols,
      cols,
      varianceEpsilon,
    )
    for (const handle of made) device.release(handle)
    return backend.tensorOf(y, x.shape, 'float32')
  },
)

interface Response {
  depthRadius: number
  bias: number
  alpha: number
  beta: number
}

/** Sums over the channels that are at most `radius` away: an average of the whole window, times its length. */
function nearbySums(
  { device }: NeuroblasBackend,
  x: Handle,
  y: Handle,
  rows: number,
  channels: number,
  radius: number,
): void {
  const window = 2 * radius + 1
  device.run(
    'averagePool',
    x,
    y,
    1,
    1,
    rows,
    channels,
    1,
    1,
    window,
    1,
    1,
    0,
    radius,
    rows,
    channels,
  )
  device.run('affine', y, y, rows * channels, window, 0)
}

/** bias + alpha·Σ x² over the channels nearby. */
function responseNorm(
  backend: NeuroblasBackend,
  x: Handle,
  rows: number,
  channels: number,
  response: Response,
): Handle {
  const { device } = backend
  const size = rows * channels
  const squares = device.alloc(size, 'float32')
  const norm = device.alloc(size, 'float32')
  device.run('square', x, squares, size)
  nearbySums(backend, squares, norm, rows, channels, response.depthRadius)
  device.run('affine', norm, norm, size, response.alpha, response.bias)
  device.release(squares)
  return norm
}

/** base^exponent, in place. */
function power({ device }: NeuroblasBackend, base: Handle, size: number, exponent: number): void {
  const constant = device.alloc(1, 'float32')
  device.run('fill', constant, 1, exponent)
  device.run('pow', base, constant, base, 1, 1, size, ALL, 0)
  device.release(constant)
}

const isResponse = (x: TensorInfo, { depthRadius }: Response) =>
  x.dtype === 'float32' && sizeOf(x.shape) > 0 && Number.isInteger(depthRadius) && depthRadius >= 0

/** x·norm^-beta */
const lrn = rule<Tensors<'x'>, Response>((backend, { x }, response) => {
  if (!isResponse(x, response)) return undefined
  const channels = x.shape[3]
  const size = sizeOf(x.shape)
  const from = backend.handleOf(x)
  const y = responseNorm(backend, from, size / channels, channels, response)
  power(backend, y, size, -response.beta)
  backend.device.run('mul', y, from, y, 1, 1, size, ALL, ALL)
  return backend.tensorOf(y, x.shape, 'float32')
})

/** dx = dy·norm^-beta - 2·alpha·beta·x·Σ dy·y / norm over the channels nearby */
const lrnGrad = rule<Tensors<'x' | 'y' | 'dy'>, Response>((backend, { x, y, dy }, response) => {
  const handles = handlesOf(backend, [x, y, dy], 'float32')
  if (handles === undefined || !isResponse(x, response)) return undefined
  const { device } = backend
  const [input, output, gradient] = handles
  const { alpha, beta, depthRadius } = response
  const channels = x.shape[3]
  const size = sizeOf(x.shape)
  const multiply = (kernel: 'mul' | 'div' | 'sub', a: Handle, b: Handle, c: Handle) =>
    device.run(kernel, a, b, c, 1, 1, size, ALL, ALL)
  const norm = responseNorm(backend, input, size / channels, channels, response)
  const terms = device.alloc(size, 'float32')
  const sums = device.alloc(size, 'float32')
  multiply('mul', gradient, output, terms)
  multiply('div', terms, norm, terms)
  nearbySums(backend, terms, sums, size / channels, channels, depthRadius)
  multiply('mul', sums, input, sums)
  device.run('affine', sums, sums, size, 2 * alpha * beta, 0)
  power(backend, norm, size, -beta)
  multiply('mul', norm, gradient, norm)
  multiply('sub', norm, sums, norm)
  device.release(terms)
  device.release(sums)
  return backend.tensorOf(norm, x.shape, 'float32')
})

export const norm: Rules = { FusedBatchNorm: fusedBatchNorm, LRN: lrn, LRNGrad: lrnGrad }
