/** Normalization of columns by the moments of a batch, and of rows by their own. */
import { KernelError } from '../../base/errors.js'
import { relu } from './elementwise.js'
import type { Floats, JsKernel } from './kernel.js'

/** The mean of `count` values that are `step` apart, and the sum of their squared distances from it. */
function momentsOf(
  x: Floats,
  begin: number,
  count: number,
  step: number,
): { mean: number; squares: number } {
  let mean = 0
  for (let i = 0, at = begin; i < count; i++, at += step) mean += x[at]
  mean /= count
  let squares = 0
  for (let i = 0, at = begin; i < count; i++, at += step) squares += (x[at] - mean) ** 2
  return { mean, squares }
}

export const batchNormMoments: JsKernel<'batchNormMoments'> = (
  x,
  mean,
  variance,
  runningMean,
  runningVar,
  _scratch,
  rows,
  cols,
  momentum,
  correction,
) => {
  if (rows === 0 && cols > 0) {
    throw new KernelError('batchNormMoments: rows must be at least 1')
  }
  for (let c = 0; c < cols; c++) {
    const { mean: m, squares } = momentsOf(x, c, rows, cols)
    mean[c] = m
    variance[c] = squares / rows
    runningMean[c] = (1 - momentum) * runningMean[c] + momentum * m
    runningVar[c] = (1 - momentum) * runningVar[c] + (momentum * squares) / (rows - correction)
  }
}

export const batchNorm: JsKernel<'batchNorm'> = (
  x,
  mean,
  variance,
  weight,
  bias,
  y,
  rows,
  cols,
  epsilon,
) => {
  for (let c = 0; c < cols; c++) {
    const scale = weight[c] / Math.sqrt(variance[c] + epsilon)
    for (let i = c; i < rows * cols; i += cols) y[i] = (x[i] - mean[c]) * scale + bias[c]
  }
}

export const batchNormRelu: JsKernel<'batchNormRelu'> = (...args) => {
  batchNorm(...args)
  const [, , , , , y, rows, cols] = args
  relu(y, y, rows * cols)
}

export const batchNormSums: JsKernel<'batchNormSums'> = (
  dy,
  x,
  mean,
  variance,
  dweight,
  dbias,
  _scratch,
  rows,
  cols,
  epsilon,
) => {
  for (let c = 0; c < cols; c++) {
    let sum = 0
    let products = 0
    for (let i = c; i < rows * cols; i += cols) {
      sum += dy[i]
      products += dy[i] * (x[i] - mean[c])
    }
    dbias[c] = sum
    dweight[c] = products / Math.sqrt(variance[c] + epsilon)
  }
}

export const batchNormGrad: JsKernel<'batchNormGrad'> = (
  dy,
  x,
  mean,
  variance,
  weight,
  dweight,
  dbias,
  dx,
  rows,
  cols,
  epsilon,
) => {
  for (let c = 0; c < cols; c++) {
    const scale = 1 / Math.sqrt(variance[c] + epsilon)
    for (let i = c; i < rows * cols; i += cols) {
      const normal = (x[i] - mean[c]) * scale
      dx[i] = weight[c] * scale * (dy[i] - (dbias[c] + normal * dweight[c]) / rows)
    }
  }
}

export const layerNorm: JsKernel<'layerNorm'> = (
  x,
  weight,
  bias,
  y,
  mean,
  scale,
  rows,
  cols,
  epsilon,
  centered,
) => {
  for (let r = 0; r < rows; r++) {
    const at = r * cols
    const own = momentsOf(x, at, cols, 1)
    let { mean: m, squares } = own
    if (!centered) {
      m = 0
      squares = 0
      for (let c = 0; c < cols; c++) squares += x[at + c] ** 2
    }
    const by = 1 / Math.sqrt(squares / cols + epsilon)
    for (let c = 0; c < cols; c++) y[at + c] = (x[at + c] - m) * by * weight[c] + bias[c]
    mean[r] = m
    scale[r] = by
  }
}

export const layerNormGrad: JsKernel<'layerNormGrad'> = (
  dy,
  x,
  weight,
  mean,
  scale,
  dx,
  rows,
  cols,
  centered,
) => {
  for (let r = 0; r < rows; r++) {
    const at = r * cols
    let sum = 0
    let products = 0
    for (let c = 0; c < cols; c++) {
      const gradient = dy[at + c] * weight[c]
      sum += centered ? gradient : 0
      products += gradient * (x[at + c] - mean[r]) * scale[r]
    }
    for (let c = 0; c < cols; c++) {
      const normal = (x[at + c] - mean[r]) * scale[r]
      dx[at + c] = scale[r] * (dy[at + c] * weight[c] - (sum + normal * products) / cols)
    }
  }
}

export const layerNormSums: JsKernel<'layerNormSums'> = (
  dy,
  x,
  mean,
  scale,
  dweight,
  dbias,
  _scratch,
  rows,
  cols,
) => {
  for (let c = 0; c < cols; c++) {
    let sum = 0
    let products = 0
    for (let r = 0; r < rows; r++) {
      const i = r * cols + c
      sum += dy[i]
      products += dy[i] * (x[i] - mean[r]) * scale[r]
    }
    dbias[c] = sum
    dweight[c] = products
  }
}
