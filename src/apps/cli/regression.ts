/** How well values are predicted. */
import {
  type Dataset,
  MeanAbsoluteError,
  R2,
  type Regressor,
  type ValueEncoding,
} from '../../index.js'
import { regress } from '../../internal.js'

export interface RegressionFigures {
  /** The coefficient of determination. */
  r2: number
  /** The mean absolute error, in the unit of the target. */
  mae: number
}

/** @param data with standardized values, as the encoding gives them */
export function regressionFigures(regressor: Regressor, data: Dataset): RegressionFigures {
  const { mean, scale } = regressor.encoding.target as ValueEncoding
  const predicted = regress(regressor, data.inputs as Float32Array)
  const values = Float64Array.from(data.targets, (target) => target / scale + mean)
  const [r2, mae] = [new R2(), new MeanAbsoluteError()]
  for (const metric of [r2, mae]) metric.update(predicted, values)
  return { r2: r2.compute(), mae: mae.compute() }
}
