/** How well a model does on a part of its data, in one pass over it. */
import {
  type BlockSource,
  type Classifier,
  ConfusionMatrix,
  type Dataset,
  evaluate,
  MeanAbsoluteError,
  type MetricName,
  type MetricValues,
  R2,
  type Regressor,
  type TableEncoding,
  type ValueEncoding,
} from '../../index.js'
import { losses } from '../../internal.js'

/** What is tested: a classifier where it has classes. */
export interface Testable extends Pick<Classifier | Regressor, 'model' | 'loss' | 'encoding'> {
  readonly classes?: readonly string[]
}

/** The figures of a model. */
export interface Tested {
  readonly loss: number
  /** Of a classifier; the matrix has a row for each true class, a column for each predicted one. */
  readonly accuracy?: number
  readonly confusion?: readonly (readonly number[])[]
  readonly regression?: RegressionFigures
  /** What was asked for. */
  readonly metrics?: MetricValues
}

export interface RegressionFigures {
  /** The coefficient of determination. */
  readonly r2: number
  /** The mean absolute error, in the unit of the target. */
  readonly mae: number
}

// Names that no metric has that can be asked for.
const [MATRIX, R2_OF, MAE_OF] = ['the matrix', 'the R²', 'the mean absolute error']

/** @param data of a table with standardized values, as the encoding gives them */
export async function testModel(
  { model, loss: name, encoding, classes = [] }: Testable,
  data: Dataset | BlockSource,
  asked: readonly MetricName[] | undefined,
  verbose: 0 | 1 = 0,
): Promise<Tested> {
  const isRegression = classes.length === 0
  const own = isRegression
    ? [new R2({ name: R2_OF }), new MeanAbsoluteError({ name: MAE_OF })]
    : [new ConfusionMatrix({ name: MATRIX, classes: classes.length })]
  const how = { loss: losses[name], metrics: [...(asked ?? []), ...own], verbose }
  const { accuracy, loss, metrics } = await evaluate(model, data, how)
  const { [MATRIX]: confusion, [R2_OF]: r2, [MAE_OF]: mae, ...others } = metrics ?? {}
  const figures = { loss, ...(asked && { metrics: others }) }
  if (!isRegression) return { ...figures, accuracy, confusion: confusion as number[][] }
  const { scale } = (encoding as TableEncoding).target as ValueEncoding
  return { ...figures, regression: { r2: r2 as number, mae: (mae as number) / scale } }
}
