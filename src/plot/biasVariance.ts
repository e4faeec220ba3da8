/**
 * Bias and variance: the part of an error that is the same for every training set, and the part
 * that differs.
 */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import type { AnyTensor } from '../tensor/tensor.js'
import { chartOptionsOf, type Numbers, numbersOf, pointsOf, rowsOf } from './checks.js'
import type { ChartOptions } from './draw.js'
import { drawLines } from './lines.js'

/** A mean squared error in its parts. */
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
 * @param predictions for each training set, the model's prediction for each example; a tensor has a
 *   row for each training set
 * @param targets for each example; without noise, if the bias is to be that of the models alone
 * @throws ArgumentError when there is no training set or a number is not finite, ShapeError when one
 *   has not a prediction per example
 */
export function decompose(
  predictions: readonly Numbers[] | AnyTensor,
  targets: Numbers,
): Decomposition {
  const op = 'decompose'
  const t = numbersOf(op, 'targets', targets)
  const rows = rowsOf(op, 'model', predictions)
  for (const [i, row] of rows.entries()) {
    if (row.length === t.length) continue
    throw new ShapeError(
      `plot.${op}: expected ${t.length} predictions, got ${row.length} of model ${i}`,
    )
  }
  let bias2 = 0
  let variance = 0
  for (let i = 0; i < t.length; i++) {
    const mean = rows.reduce((sum, row) => sum + row[i], 0) / rows.length
    bias2 += (mean - t[i]) ** 2
    variance += rows.reduce((sum, row) => sum + (row[i] - mean) ** 2, 0) / rows.length
  }
  bias2 /= t.length
  variance /= t.length
  return { bias2, variance, error: bias2 + variance }
}

/**
 * Squared bias, variance and their sum against the size of the model.
 * @param sizes of each model, in ascending order
 * @param decompositions what `decompose` says of it
 * @throws ShapeError when there is not one decomposition per size, ArgumentError as `lines`
 */
export async function biasVariance(
  sizes: Numbers,
  decompositions: readonly Decomposition[],
  given: ChartOptions = {},
): Promise<string> {
  const op = 'biasVariance'
  const options = chartOptionsOf(op, given, {})
  if (!Array.isArray(decompositions) || ![...decompositions].every((d) => Object(d) === d)) {
    throw new ArgumentError(
      `plot.${op}: expected a list of what decompose() gives, got ${excerpt(decompositions)}`,
    )
  }
  const x = numbersOf(op, 'sizes', sizes, options.logX)
  if (x.length !== decompositions.length) {
    throw new ShapeError(
      `plot.${op}: expected a decomposition per size, got ${decompositions.length} for ${x.length}`,
    )
  }
  const of = (key: keyof Decomposition) => ({
    x,
    y: decompositions.map((d: Decomposition) => d[key]),
  })
  const series = { 'bias²': of('bias2'), variance: of('variance'), error: of('error') }
  const points = pointsOf(op, series, options)
  return drawLines(points, { x: 'hidden units', y: 'squared error', ...options })
}
