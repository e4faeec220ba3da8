/** Metrics of predicted classes: accuracies, correlation, the confusion matrix. */
import { checkCount, checkFlag, optionsOf } from '../base/arguments.js'
import { ArgumentError } from '../base/errors.js'
import { MeanMetric } from './meanMetric.js'
import { Metric, type MetricOptions, type MetricValue, requireExamples } from './metric.js'
import { type BatchValues, readLabelled } from './read.js'

/** Settings of metrics of classes. */
export interface ClassMetricOptions extends MetricOptions {
  /**
   * Whether outputs are logits, as the losses take them; true by default. Of a single output it decides on where
   * class 1 begins: above 0, else above 0.5.
   */
  fromLogits?: boolean
}

export const CLASS_OPTIONS: Record<keyof ClassMetricOptions, true> = {
  name: true,
  fromLogits: true,
}

/** Where class 1 begins of a single output. */
function thresholdOf(name: string, { fromLogits = true }: ClassMetricOptions): number {
  checkFlag(name, 'fromLogits', fromLogits)
  return fromLogits ? 0 : 0.5
}

/** Counts which classes were taken for which. */
abstract class ClassMetric<V extends MetricValue = number> extends Metric<V> {
  readonly targets = 'labels'
  readonly #threshold: number

  constructor(name: string, options: ClassMetricOptions) {
    super(name, options)
    this.#threshold = thresholdOf(name, options)
  }

  override update(outputs: BatchValues, targets: BatchValues): void {
    const batch = readLabelled(this.name, outputs, targets, this.#threshold)
    this.expect(batch.classes)
    for (let i = 0; i < batch.labels.length; i++) this.count(batch.predicted[i], batch.labels[i])
  }

  /** Hears of how many classes outputs and labels tell, before they are counted. */
  protected expect(_classes: number): void {}

  /** Adds an example. */
  protected abstract count(predicted: number, actual: number): void
}

/** The share of predictions that are right. Labels are whole numbers [batch], or rows with a 1. */
export class Accuracy extends MeanMetric {
  readonly #threshold: number

  /** @throws ArgumentError for options that do not exist */
  constructor(options: ClassMetricOptions = {}) {
    const given = optionsOf('Accuracy', options, CLASS_OPTIONS)
    const { name = 'accuracy' } = given
    super(name, given)
    this.#threshold = thresholdOf(name, given)
  }

  override update(outputs: BatchValues, targets: BatchValues): void {
    const { predicted, labels } = readLabelled(this.name, outputs, targets, this.#threshold)
    for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) this.sum++
    this.examples += labels.length
  }
}

/** Of each class: how often it was predicted, how often it was right, and both. */
export interface ClassCounts {
  readonly predicted: readonly number[]
  readonly actual: readonly number[]
  readonly hits: readonly number[]
}

/** Base of metrics that such counts are enough for. */
export abstract class CountingMetric<V extends MetricValue = number> extends ClassMetric<V> {
  #counts = { predicted: [0], actual: [0], hits: [0] }

  protected override expect(classes: number): void {
    for (const counts of Object.values(this.#counts)) {
      while (counts.length < classes) counts.push(0)
    }
  }

  protected override count(predicted: number, actual: number): void {
    this.#counts.predicted[predicted]++
    this.#counts.actual[actual]++
    if (predicted === actual) this.#counts.hits[actual]++
  }

  override compute(): V {
    requireExamples(this.name, sum(this.#counts.actual))
    return this.figureOf(this.#counts)
  }

  protected abstract figureOf(counts: ClassCounts): V

  override reset(): void {
    this.#counts = { predicted: [0], actual: [0], hits: [0] }
  }

  override save(): Float64Array {
    const { predicted, actual, hits } = this.#counts
    return Float64Array.from([...predicted, ...actual, ...hits])
  }

  override restore(state: Float64Array): void {
    this.requireState(state, (length) => length > 0 && length % 3 === 0)
    const classes = state.length / 3
    const part = (i: number) => [...state.subarray(i * classes, (i + 1) * classes)]
    this.#counts = { predicted: part(0), actual: part(1), hits: part(2) }
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, i) => total + value * b[i], 0)
}

/** The mean over the classes of the share of their examples that are right, as scikit-learn's balanced_accuracy_score. */
export class BalancedAccuracy extends CountingMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: ClassMetricOptions = {}) {
    const given = optionsOf('BalancedAccuracy', options, CLASS_OPTIONS)
    super(given.name ?? 'balancedAccuracy', given)
  }

  protected override figureOf({ actual, hits }: ClassCounts): number {
    // A class that is never the right one has no share.
    const shares = hits.map((count, label) => count / actual[label]).filter(Number.isFinite)
    return sum(shares) / shares.length
  }
}

/**
 * Matthews's correlation of predicted and actual classes, from -1 to 1, of any number of them (Gorodkin 2004);
 * 0 where all predictions, or all labels, are one class.
 */
export class MatthewsCorrcoef extends CountingMetric {
  /** @throws ArgumentError for options that do not exist */
  constructor(options: ClassMetricOptions = {}) {
    const given = optionsOf('MatthewsCorrcoef', options, CLASS_OPTIONS)
    super(given.name ?? 'matthewsCorrcoef', given)
  }

  protected override figureOf({ predicted, actual, hits }: ClassCounts): number {
    const n = sum(actual)
    const covariance = sum(hits) * n - dot(actual, predicted)
    const variances = (n * n - dot(predicted, predicted)) * (n * n - dot(actual, actual))
    return variances === 0 ? 0 : covariance / Math.sqrt(variances)
  }
}

/** Settings of a `ConfusionMatrix`. */
export interface ConfusionMatrixOptions extends ClassMetricOptions {
  /** Rows and columns that there are at least; else as many as outputs and labels tell of. */
  classes?: number
}

// A matrix of them takes half a gigabyte.
const MOST_CLASSES = 8192

/** How many examples of each class were taken for which one: a row for each class, a column for what it was taken for. */
export class ConfusionMatrix extends ClassMetric<number[][]> {
  #rows: number[][] = []
  readonly #least: number

  /** @throws ArgumentError for options that do not exist or are out of range */
  constructor(options: ConfusionMatrixOptions = {}) {
    const known = { ...CLASS_OPTIONS, classes: true } as const
    const given = optionsOf('ConfusionMatrix', options, known)
    const { name = 'confusionMatrix', classes = 1 } = given
    checkCount('ConfusionMatrix', 'classes', classes)
    requireFew('ConfusionMatrix', classes)
    super(name, given)
    this.#least = classes
  }

  protected override expect(known: number): void {
    const classes = Math.max(known, this.#least)
    if (classes <= this.#rows.length) return
    requireFew(this.name, classes)
    for (const row of this.#rows) while (row.length < classes) row.push(0)
    while (this.#rows.length < classes) this.#rows.push(new Array<number>(classes).fill(0))
  }

  protected override count(predicted: number, actual: number): void {
    this.#rows[actual][predicted]++
  }

  override compute(): number[][] {
    requireExamples(this.name, this.#rows.length)
    return this.#rows.map((row) => [...row])
  }

  override reset(): void {
    this.#rows = []
  }

  override save(): Float64Array {
    return Float64Array.from(this.#rows.flat())
  }

  override restore(state: Float64Array): void {
    this.requireState(state, (length) => Number.isInteger(Math.sqrt(length)))
    const classes = Math.sqrt(state.length)
    this.#rows = Array.from({ length: classes }, (_, i) => [
      ...state.subarray(i * classes, (i + 1) * classes),
    ])
  }
}

function requireFew(op: string, classes: number): void {
  if (classes <= MOST_CLASSES) return
  throw new ArgumentError(`${op}: expected at most ${MOST_CLASSES} classes, got ${classes}`)
}
