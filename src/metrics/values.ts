/** Metrics of predicted values. Of several values per example, the figure is the mean over them. */
import { optionsOf } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { Metric, type MetricOptions, requireExamples } from './metric.js'
import { type BatchValues, readPaired } from './read.js'

/** What is summed of each column; Welford (1962) has the mean and the squares around it. */
interface Column {
  errors: number
  mean: number
  squares: number
}

abstract class ValueMetric extends Metric {
  readonly targets = 'values'
  #columns: Column[] = []
  #examples = 0

  constructor(op: string, name: string, options: MetricOptions) {
    const given = optionsOf(op, options, { name: true })
    super(given.name ?? name, given)
  }

  override update(outputs: BatchValues, targets: BatchValues): void {
    const batch = readPaired(this.name, outputs, targets)
    const { predicted, columns } = batch
    if (this.#examples === 0) this.#columns = Array.from({ length: columns }, newColumn)
    this.#requireColumns(columns)
    for (let row = 0; row < predicted.length / columns; row++) {
      this.#examples++
      for (const [i, column] of this.#columns.entries()) {
        const at = row * columns + i
        const target = batch.targets[at]
        const before = target - column.mean
        column.mean += before / this.#examples
        column.squares += before * (target - column.mean)
        column.errors += this.errorOf(predicted[at], target)
      }
    }
  }

  #requireColumns(columns: number): void {
    if (columns === this.#columns.length) return
    throw new ShapeError(
      `${this.name}: expected ${this.#columns.length} values for each example as before, got ${columns}`,
    )
  }

  override compute(): number {
    requireExamples(this.name, this.#examples)
    const figures = this.#columns.map((column) => this.figureOf(column, this.#examples))
    return figures.reduce((sum, figure) => sum + figure, 0) / figures.length
  }

  /** What is summed of a prediction. */
  protected abstract errorOf(predicted: number, target: number): number

  /** Of a column. */
  protected figureOf({ errors }: Column, examples: number): number {
    return errors / examples
  }

  override reset(): void {
    this.#columns = []
    this.#examples = 0
  }

  override save(): Float64Array {
    const sums = this.#columns.flatMap(({ errors, mean, squares }) => [errors, mean, squares])
    return Float64Array.of(this.#examples, ...sums)
  }

  override restore(state: Float64Array): void {
    this.requireState(state, (length) => length % 3 === 1)
    const columns = (state.length - 1) / 3
    this.#examples = state[0]
    this.#columns = Array.from({ length: columns }, (_, i) => {
      const [errors, mean, squares] = state.subarray(1 + 3 * i)
      return { errors, mean, squares }
    })
  }
}

function newColumn(): Column {
  return { errors: 0, mean: 0, squares: 0 }
}

/** The mean of (prediction - target)². */
export class MeanSquaredError extends ValueMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: MetricOptions = {}) {
    super('MeanSquaredError', 'mse', options)
  }

  protected override errorOf(predicted: number, target: number): number {
    return (predicted - target) ** 2
  }
}

/** √ of the mean of (prediction - target)², in the unit of the targets. */
export class RootMeanSquaredError extends ValueMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: MetricOptions = {}) {
    super('RootMeanSquaredError', 'rmse', options)
  }

  protected override errorOf(predicted: number, target: number): number {
    return (predicted - target) ** 2
  }

  protected override figureOf({ errors }: Column, examples: number): number {
    return Math.sqrt(errors / examples)
  }
}

/** The mean of |prediction - target|, in the unit of the targets. */
export class MeanAbsoluteError extends ValueMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: MetricOptions = {}) {
    super('MeanAbsoluteError', 'mae', options)
  }

  protected override errorOf(predicted: number, target: number): number {
    return Math.abs(predicted - target)
  }
}

/**
 * The mean of |prediction - target| ÷ |target|: 0.1 is 10 %. Targets nearer to 0 than 2^-52 count as that far, as in
 * scikit-learn.
 */
export class MeanAbsolutePercentageError extends ValueMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: MetricOptions = {}) {
    super('MeanAbsolutePercentageError', 'mape', options)
  }

  protected override errorOf(predicted: number, target: number): number {
    return Math.abs(predicted - target) / Math.max(Math.abs(target), Number.EPSILON)
  }
}

/**
 * The coefficient of determination, 1 - Σ(y - ŷ)² / Σ(y - ȳ)²: 1 for perfect predictions, 0 for those that are always
 * the mean. Where all targets are the same it is 1 or 0, and of a single example NaN, as scikit-learn's r2_score.
 */
export class R2 extends ValueMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: MetricOptions = {}) {
    super('R2', 'r2', options)
  }

  protected override errorOf(predicted: number, target: number): number {
    return (predicted - target) ** 2
  }

  protected override figureOf({ errors, squares }: Column, examples: number): number {
    if (examples < 2) return Number.NaN
    if (squares > 0) return 1 - errors / squares
    return errors > 0 ? 0 : 1
  }
}
