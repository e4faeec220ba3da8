/** Batch norm: every channel by the moments of a batch, or by those that run along. */
import { normScratch } from '../backend/kernels/norm.js'
import type { Handle } from '../backend/kernels.js'
import { allocate } from '../tensor/allocate.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { requireFloats } from './require.js'

/** All elements of one channel, the last axis, are a column. */
export function columnsOf(x: Tensor, channels: number): [rows: number, cols: number] {
  return [channels === 0 ? 0 : x.size / channels, channels]
}

/** What gives several gradients at once, computed when the first of them is asked for. */
export function once<T>(compute: () => T): () => T {
  let result: T | undefined
  return () => {
    result ??= compute()
    return result
  }
}

/** What batch norm keeps from batch to batch, and how. */
export interface RunningMoments {
  readonly runningMean: Tensor
  readonly runningVar: Tensor
  readonly momentum: number
  readonly correction: 0 | 1
}

interface BatchAttributes {
  running: RunningMoments
  epsilon: number
}

/** Two results of a kernel that goes down the columns of x, of the shape of a row, in the room that it needs. */
export function downColumns(
  x: Tensor,
  { shape, size }: Tensor,
  run: (first: Handle, second: Handle, scratch: Handle, rows: number, cols: number) => void,
): [first: Tensor, second: Tensor] {
  const [rows, cols] = columnsOf(x, size)
  const first = allocate(x, shape)
  const second = allocate(x, shape)
  const scratch = allocate(x, [normScratch(rows, cols)], 'float64')
  run(first.handle, second.handle, scratch.handle, rows, cols)
  scratch.dispose()
  return [first, second]
}

/** dweight and dbias of batch norm. */
function batchSums(
  dy: Tensor,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  epsilon: number,
): { dweight: Tensor; dbias: Tensor } {
  const moments = [mean.handle, variance.handle] as const
  const [dweight, dbias] = downColumns(x, mean, (...results) =>
    x.storage.backend.run('batchNormSums', dy.handle, x.handle, ...moments, ...results, epsilon),
  )
  return { dweight, dbias }
}

function normalizeColumns(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor,
  bias: Tensor,
  epsilon: number,
): Tensor {
  const y = allocate(x, x.shape)
  x.storage.backend.run(
    'batchNorm',
    x.handle,
    mean.handle,
    variance.handle,
    weight.handle,
    bias.handle,
    y.handle,
    ...columnsOf(x, mean.size),
    epsilon,
  )
  return y
}

/**
 * (x - mean)/√(variance + epsilon)·weight + bias by the moments of the batch itself, channel by channel:
 * x is [..., channels], weight and bias [channels]. The running moments follow.
 */
export const batchNormTraining = defineOp<
  readonly [x: Tensor, weight: Tensor, bias: Tensor],
  BatchAttributes
>('batchNormTraining', {
  forward: ([x, weight, bias], { running, epsilon }, kept) => {
    requireFloats('batchNorm', x, weight)
    const { runningMean, runningVar, momentum, correction } = running
    const [mean, variance] = downColumns(x, weight, (mean, variance, ...rest) =>
      x.storage.backend.run(
        'batchNormMoments',
        x.handle,
        mean,
        variance,
        runningMean.handle,
        runningVar.handle,
        ...rest,
        momentum,
        correction,
      ),
    )
    runningMean.storage.version++
    runningVar.storage.version++
    kept.push(mean, variance)
    return normalizeColumns(x, mean, variance, weight, bias, epsilon)
  },
  save: (_, [x, weight], kept) => [x, weight, ...kept],
  backward: (dy, [x, weight, mean, variance], { attributes: { epsilon } }) => {
    const sums = once(() => batchSums(dy, x, mean, variance, epsilon))
    return [
      () => {
        const { dweight, dbias } = sums()
        const dx = allocate(x, x.shape)
        x.storage.backend.run(
          'batchNormGrad',
          dy.handle,
          x.handle,
          mean.handle,
          variance.handle,
          weight.handle,
          dweight.handle,
          dbias.handle,
          dx.handle,
          ...columnsOf(x, weight.size),
          epsilon,
        )
        return dx
      },
      () => sums().dweight,
      () => sums().dbias,
    ]
  },
})

/** The same by moments that are given, such as the running ones. */
export const batchNorm = defineOp<
  readonly [x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor],
  { epsilon: number }
>('batchNorm', {
  forward: ([x, mean, variance, weight, bias], { epsilon }) => {
    requireFloats('batchNorm', x, weight)
    return normalizeColumns(x, mean, variance, weight, bias, epsilon)
  },
  save: (_, [x, mean, variance, weight]) => [x, mean, variance, weight],
  backward: (dy, [x, mean, variance, weight]: readonly Tensor[], { attributes: { epsilon } }) => {
    const sums = once(() => batchSums(dy, x, mean, variance, epsilon))
    const scale = once(() => weight.div(variance.add(epsilon).sqrt()))
    return [
      () => dy.mul(scale()),
      () => sums().dbias.mul(scale()).neg(),
      () => sums().dweight.mul(weight).div(variance.add(epsilon)).mul(-0.5),
      () => sums().dweight,
      () => sums().dbias,
    ]
  },
})
