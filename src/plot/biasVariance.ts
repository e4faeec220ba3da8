/** Where a model's error comes from: the same wrong answer each time, or another one each time. */
import { ShapeError } from '../errors.js'
import { checkNumbers, checkSize, pointsOf } from './checks.js'
import type { ChartOptions } from './draw.js'
import { drawLines } from './lines.js'

export interface Decomposition {
  /** Mean over the examples of (mean prediction − target)², the noise of the targets included. */
  bias2: number
  /** Mean over the examples of the variance of the predictions. */
  variance: number
  /** Mean squared error of the single predictions, which is bias2 + variance. */
  error: number
}

/**
 * Parts the mean squared error of models trained on different training sets into squared bias and
 * variance (Geman, Bienenstock and Doursat 1992).
 * @param predictions for each training set, the model's prediction for each example
 * @param targets for each example; without noise, if the bias is to be that of the models alone
 * @throws ShapeError when there is no training set, or one has not a prediction per example
 */
export function decompose(
  predictions: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
): Decomposition {
  checkNumbers('decompose', 'targets', targets)
  if (predictions.length === 0) {
    throw new ShapeError('plot.decompose: expected predictions of at least one model, got none')
  }
  for (const [i, row] of predictions.entries()) {
    checkNumbers('decompose', `predictions of model ${i}`, row)
    if (row.length === targets.length) continue
    throw new ShapeError(
      `plot.decompose: expected ${targets.length} predictions, got ${row.length} of model ${i}`,
    )
  }
  let bias2 = 0
  let variance = 0
  for (let i = 0; i < targets.length; i++) {
    const mean = predictions.reduce((sum, row) => sum + row[i], 0) / predictions.length
    bias2 += (mean - targets[i]) ** 2
    variance += predictions.reduce((sum, row) => sum + (row[i] - mean) ** 2, 0) / predictions.length
  }
  bias2 /= targets.length
  variance /= targets.length
  return { bias2, variance, error: bias2 + variance }
}

/**
 * Squared bias, variance and their sum against the size of the model.
 * @param sizes of each model, in ascending order
 * @param decompositions what `decompose` says of it
 * @throws ShapeError when there is not one decomposition per size
 */
export async function biasVariance(
  sizes: ArrayLike<number>,
  decompositions: readonly Decomposition[],
  options: ChartOptions = {},
): Promise<string> {
  checkSize('biasVariance', options)
  if (sizes.length !== decompositions.length) {
    throw new ShapeError(
      `plot.biasVariance: expected a decomposition per size, got ${decompositions.length} for ${sizes.length}`,
    )
  }
  const of = (key: keyof Decomposition) => ({ x: sizes, y: decompositions.map((d) => d[key]) })
  const series = { 'bias²': of('bias2'), variance: of('variance'), error: of('error') }
  const points = pointsOf('biasVariance', series, options)
  return drawLines(points, { x: 'hidden units', y: 'squared error', ...options })
}
