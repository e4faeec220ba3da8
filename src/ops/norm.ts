/** Normalization by the moments of rows: layer norm, group norm and RMS norm. */
import { checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import { format, type Shape, sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { columnsOf, downColumns, once } from './batchNorm.js'
import { defineOp } from './define.js'
import { requireFloat, requireFloats } from './require.js'

/** Settings of a norm. */
export interface NormOptions {
  /** Added to the variance, so that it is never 0, > 0. */
  epsilon?: number
}

const OPTIONS: Record<keyof NormOptions, true> = { epsilon: true }

/** PyTorch's, but for RMS norm; Keras's are 1e-3. */
export const EPSILON = 1e-5
/** The distance of float32 from 1 to the next number: what PyTorch adds under the root of RMS norm. */
export const RMS_EPSILON = 2 ** -23

/** @throws ArgumentError for what is not > 0 */
export function checkEpsilon(op: string, epsilon: number): void {
  checkNumber(op, 'epsilon', epsilon, (value) => value > 0 && value < Infinity, '> 0')
}

function epsilonOf(op: string, options: NormOptions, usual: number): number {
  const { epsilon = usual } = optionsOf(op, options, OPTIONS)
  checkEpsilon(op, epsilon)
  return epsilon
}

interface RowAttributes {
  epsilon: number
  /** Whether the mean is subtracted. */
  centered: boolean
}

/** By the moments of each row: x is [rows…, …], weight and bias have the shape of a row. */
const normalizeRows = defineOp<readonly [x: Tensor, weight: Tensor, bias: Tensor], RowAttributes>(
  'layerNorm',
  {
    forward: ([x, weight, bias], { epsilon, centered }, kept) => {
      const [rows, cols] = columnsOf(x, weight.size)
      const y = allocate(x, x.shape)
      const mean = allocate(x, [rows])
      const scale = allocate(x, [rows])
      x.storage.backend.run(
        'layerNorm',
        x.handle,
        weight.handle,
        bias.handle,
        y.handle,
        mean.handle,
        scale.handle,
        rows,
        cols,
        epsilon,
        Number(centered),
      )
      kept.push(mean, scale)
      return y
    },
    save: (_, [x, weight], kept) => [x, weight, ...kept],
    backward: (dy, [x, weight, mean, scale], { attributes: { centered } }) => {
      const [rows, cols] = columnsOf(x, weight.size)
      const { backend } = x.storage
      const moments = [mean.handle, scale.handle] as const
      const sums = once(() => {
        const [dweight, dbias] = downColumns(x, weight, (...results) =>
          backend.run('layerNormSums', dy.handle, x.handle, ...moments, ...results),
        )
        return { dweight, dbias }
      })
      return [
        () => {
          const dx = allocate(x, x.shape)
          backend.run(
            'layerNormGrad',
            dy.handle,
            x.handle,
            weight.handle,
            mean.handle,
            scale.handle,
            dx.handle,
            rows,
            cols,
            Number(centered),
          )
          return dx
        },
        () => sums().dweight,
        () => sums().dbias,
      ]
    },
  },
)

/** Refuses inputs that do not end with the shape of a weight, and others than that. */
function requireRows(op: string, x: Tensor, ...[weight, ...others]: readonly Tensor[]): void {
  requireFloat(op, x)
  for (const parameter of [weight, ...others]) requireFloats(op, x, parameter)
  const { shape } = weight
  if (others.some((other) => !sameShape(other.shape, shape))) {
    throw new ShapeError(
      `${op}: expected weight and bias of one shape, got ${[weight, ...others].map((other) => format(other.shape)).join(' and ')}`,
    )
  }
  if (shape.length > 0 && sameShape(x.shape.slice(-shape.length), shape)) return
  throw new ShapeError(`${op}: expected inputs [..., ${shape.join(', ')}], got ${format(x.shape)}`)
}

/**
 * Layer norm (Ba et al. 2016): the last axes of x [..., n] brought to mean 0 and variance 1, then
 * ·weight + bias.
 * @param weight of the shape of these axes, such as [n]
 * @param bias of the same shape
 * @param options.epsilon added to the variance (which is biased), > 0; 1e-5 by default
 * @throws ShapeError when x does not end with these axes, ArgumentError for options out of range
 */
export function layerNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  options: NormOptions = {},
): Tensor {
  requireRows('layerNorm', x, weight, bias)
  const epsilon = epsilonOf('layerNorm', options, EPSILON)
  return normalizeRows(x, weight, bias, { epsilon, centered: true })
}

/**
 * RMS norm (Zhang and Sennrich 2019): x/√(mean of x² + epsilon)·weight over the last axes of x [..., n].
 * @param weight of the shape of these axes, such as [n]
 * @param options.epsilon added to the mean square, > 0; 2^-23 by default
 * @throws ShapeError when x does not end with these axes, ArgumentError for options out of range
 */
export function rmsNorm(x: Tensor, weight: Tensor, options: NormOptions = {}): Tensor {
  requireRows('rmsNorm', x, weight)
  const epsilon = epsilonOf('rmsNorm', options, RMS_EPSILON)
  return normalizeRows(x, weight, fullLike(weight, 0), { epsilon, centered: false })
}

/**
 * Group norm (Wu and He 2018): of each example of x [batch, ..., channels], every group of neighbouring
 * channels brought to mean 0 and variance 1, then ·weight + bias, channel by channel.
 * @param groups that the channels are divided into
 * @param weight [channels]
 * @param bias [channels]
 * @param options.epsilon added to the variance (which is biased), > 0; 1e-5 by default
 * @throws ShapeError when x does not end with the channels, ArgumentError when the groups do not divide
 *   them, and for options out of range
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  weight: Tensor,
  bias: Tensor,
  options: NormOptions = {},
): Tensor {
  requireRows('groupNorm', x, weight, bias)
  const epsilon = epsilonOf('groupNorm', options, EPSILON)
  const channels = weight.size
  checkGroups('groupNorm', groups, channels)
  if (weight.shape.length !== 1 || x.shape.length < 2) {
    throw new ShapeError(
      `groupNorm: expected inputs [batch, ..., channels] and weight [channels], got ${format(x.shape)} and ${format(weight.shape)}`,
    )
  }
  const [batch] = x.shape
  const width = channels / groups
  const pixels = sizeBetween(x.shape)
  // What belongs to a group lies together.
  const grouped = x.reshape([batch, pixels, groups, width]).transpose([0, 2, 1, 3])
  const rows = grouped.reshape([batch * groups, pixels * width])
  const row = [pixels * width]
  const attributes = { epsilon, centered: true }
  const normal = normalizeRows(rows, fullLike(x, 1, row), fullLike(x, 0, row), attributes)
  return normal
    .reshape([batch, groups, pixels, width])
    .transpose([0, 2, 1, 3])
    .reshape(x.shape)
    .mul(weight)
    .add(bias)
}

/** @throws ArgumentError when the groups do not divide the channels */
export function checkGroups(op: string, groups: number, channels: number): void {
  if (Number.isInteger(groups) && groups >= 1 && channels % groups === 0) return
  throw new ArgumentError(
    `${op}: expected groups that divide ${channels} channels, got ${excerpt(groups)}`,
  )
}

/** Elements between the first and the last axis. */
function sizeBetween(shape: Shape): number {
  return shape.slice(1, -1).reduce((size, extent) => size * extent, 1)
}
