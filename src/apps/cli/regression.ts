/** How well values are predicted. */
import type { Dataset, Regressor, ValueEncoding } from '../../index.js'
import { regress } from '../../internal.js'

export interface RegressionFigures {
  /**
   * The coefficient of determination, 1 - Σ(y - ŷ)² / Σ(y - ȳ)²: 1 for perfect predictions, 0 for those
   * that are always the mean. Where all y are the same it is 1 or 0, as scikit-learn's r2_score.
   */
  r2: number
  /** The mean absolute error, in the unit of the target. */
  mae: number
}

/** @param data with standardized values, as the encoding gives them */
export function regressionFigures(regressor: Regressor, data: Dataset): RegressionFigures {
  const { mean, scale } = regressor.encoding.target as ValueEncoding
  const predicted = regress(regressor, data.inputs as Float32Array)
  const values = Float64Array.from(data.targets, (target) => target / scale + mean)
  const sum = (of: (value: number, i: number) => number) =>
    values.reduce((total, value, i) => total + of(value, i), 0)
  const average = sum((value) => value) / values.length
  const residual = sum((value, i) => (value - predicted[i]) ** 2)
  const total = sum((value) => (value - average) ** 2)
  return {
    r2: total > 0 ? 1 - residual / total : residual > 0 ? 0 : 1,
    mae: sum((value, i) => Math.abs(value - predicted[i])) / values.length,
  }
}
