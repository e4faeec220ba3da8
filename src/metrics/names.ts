/** The metrics that `fit` and `evaluate` know by name. */
import { isKeyOf } from '../base/arguments.js'
import { ArgumentError, excerpt, spelled } from '../base/errors.js'
import { Accuracy, BalancedAccuracy, ConfusionMatrix, MatthewsCorrcoef } from './classes.js'
import { LogLoss } from './logLoss.js'
import { isMetric, type Metric, type MetricValue } from './metric.js'
import { F1, Precision, Recall } from './precision.js'
import { AveragePrecision, RocAuc, TopKAccuracy } from './scores.js'
import {
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  R2,
  RootMeanSquaredError,
} from './values.js'

const metrics = {
  accuracy: () => new Accuracy(),
  balancedAccuracy: () => new BalancedAccuracy(),
  top5Accuracy: () => new TopKAccuracy(5),
  precision: () => new Precision(),
  recall: () => new Recall(),
  f1: () => new F1(),
  auc: () => new RocAuc({ name: 'auc' }),
  rocAuc: () => new RocAuc(),
  averagePrecision: () => new AveragePrecision(),
  logLoss: () => new LogLoss(),
  matthewsCorrcoef: () => new MatthewsCorrcoef(),
  confusionMatrix: () => new ConfusionMatrix(),
  mse: () => new MeanSquaredError(),
  rmse: () => new RootMeanSquaredError(),
  mae: () => new MeanAbsoluteError(),
  mape: () => new MeanAbsolutePercentageError(),
  r2: () => new R2(),
} satisfies Record<string, () => Metric<MetricValue>>

/**
 * Metrics by name: of classes `accuracy balancedAccuracy top5Accuracy precision recall f1 auc (rocAuc)
 * averagePrecision logLoss matthewsCorrcoef confusionMatrix`, of values `mse rmse mae mape r2`.
 *
 * @useDeclaredType
 */
export type MetricName = keyof typeof metrics

/** Their names. */
export const metricNames = Object.keys(metrics) as MetricName[]

/** A metric by its name, or an object that is one. */
export type MetricSource = MetricName | Metric<MetricValue>

/** What metrics gave, by their names. */
export type MetricValues = Record<string, MetricValue>

/**
 * Metrics that nothing was added to.
 * @throws ArgumentError for unknown names, for what is no metric, and where two have one name
 */
export function metricsOf(op: string, given: readonly MetricSource[]): Metric<MetricValue>[] {
  if (!Array.isArray(given)) {
    throw new ArgumentError(`${op}: expected a list of metrics, got ${excerpt(given)}`)
  }
  const found = given.map((one) => metricOf(op, one))
  const names = found.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return found
  throw new ArgumentError(
    `${op}: expected metrics of different names, got ${twice} twice; the option name gives one another`,
  )
}

function metricOf(op: string, given: MetricSource): Metric<MetricValue> {
  if (isKeyOf(metrics, given)) return metrics[given]()
  // What is reported is nobody else's: the caller's object stays as it is.
  if (isMetric(given)) return given.fresh()
  throw new ArgumentError(
    `${op}: expected metrics among ${metricNames.join(', ')}, or objects such as new TopKAccuracy(5), got ${spelled(given)}`,
  )
}
