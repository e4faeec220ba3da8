/** What the columns of a table are worth to a model. */
import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { inParts, type Pausable } from '../base/eventLoop.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import { type TableEncoding, type ValueEncoding, widthOf } from '../data/table/encoding.js'
import type { Classifier } from '../io/classifier.js'
import type { Regressor } from '../io/regressor.js'
import { BalancedAccuracy } from '../metrics/classes.js'
import { R2 } from '../metrics/values.js'
import { refuseTrained } from '../nn/lock.js'
import { permutation, streams } from '../tensor/random.js'
import { classify, regress } from './classify.js'

/** What a column of a table is worth. */
export interface ColumnImportance {
  /** Its name. */
  readonly column: string
  /** What of the score is lost when its values are shuffled: the mean over the repeats. */
  readonly mean: number
  /** The standard deviation over the repeats. */
  readonly std: number
}

/** Settings of `permutationImportance`. */
export interface ImportanceOptions {
  /** How often each column is shuffled; 5 by default. */
  repeats?: number
  /** Of the shuffles, from 0 to 2^53 - 1; 0 by default. */
  seed?: number
}

/**
 * How much worse a model of a table answers when the values of one column are shuffled among the rows, column by
 * column, the most important first (Breiman 2001, as scikit-learn's `permutation_importance`). The score is R² of a
 * regressor and the balanced accuracy of a classifier: the mean of the recalls of its classes. Of two columns that
 * say the same, neither may seem to matter.
 * @param data rows with targets as `table` encoded them, best those of its test part
 * @throws ArgumentError for a model without an encoding, and for data that do not fit it; BusyError while `fit` trains
 *   the model; DivergenceError for answers that are not finite
 * @example
 * const { test } = await table('flats.csv', { target: 'rent', task: 'regress' })
 * const [most] = await permutationImportance(loadRegressor('flats.safetensors'), test)
 */
export async function permutationImportance(
  model: Classifier | Regressor,
  data: Dataset,
  options: ImportanceOptions = {},
): Promise<ColumnImportance[]> {
  const op = 'permutationImportance'
  const given = optionsOf(op, options, { repeats: true, seed: true })
  const { repeats = 5, seed = 0 } = given
  checkCount(op, 'repeats', repeats)
  const { encoding, inputs: width } = model ?? {}
  const checked = checkDataset(op, data)
  if (!encoding || checked.inputs.length !== checked.size * width) {
    throw new ArgumentError(
      `${op}: expected a model of a table, and rows as its table encodes them, got ${excerpt(model)}`,
    )
  }
  refuseTrained(op, model.model)
  return inParts(importances(model as Model, checked, repeats, seed))
}

type Model = (Classifier | Regressor) & { readonly encoding: TableEncoding }

function* importances(
  model: Model,
  data: Dataset,
  repeats: number,
  seed: number,
): Pausable<ColumnImportance[]> {
  const whole = scoreOf(model, data)
  const found: ColumnImportance[] = []
  const width = model.inputs
  let begin = 0
  for (const feature of model.encoding.features) {
    const end = begin + widthOf(feature)
    const lost: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      const inputs = Float32Array.from(data.inputs)
      // Each column is shuffled in the same ways.
      permutation(data.size, seed + repeat, streams.split).forEach((from, to) => {
        const values = data.inputs.subarray(from * width + begin, from * width + end)
        inputs.set(values, to * width + begin)
      })
      lost.push(whole - scoreOf(model, { ...data, inputs }))
      yield
    }
    begin = end
    const mean = lost.reduce((a, b) => a + b, 0) / repeats
    const variance = lost.reduce((sum, value) => sum + (value - mean) ** 2, 0) / repeats
    found.push({ column: feature.name, mean, std: Math.sqrt(variance) })
  }
  return found.sort((a, b) => b.mean - a.mean)
}

function scoreOf(model: Model, { inputs, targets }: Dataset): number {
  if ('classes' in model) {
    const metric = new BalancedAccuracy()
    metric.update(classify(model, inputs, { mean: [0], scale: [1] }).labels, targets)
    return metric.compute()
  }
  const { mean, scale } = model.encoding.target as ValueEncoding
  const metric = new R2()
  const values = Float64Array.from(targets, (target) => target / scale + mean)
  metric.update(regress(model, inputs), values)
  return metric.compute()
}
