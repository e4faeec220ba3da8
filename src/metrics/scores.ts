/** Metrics of the scores of classes: how high the right one is, how well scores rank examples. */
import { checkCount, checkFlag, optionsOf } from '../base/arguments.js'
import { ArgumentError, ShapeError, spelled } from '../base/errors.js'
import { CLASS_OPTIONS, type ClassMetricOptions } from './classes.js'
import { logSumExp } from './logLoss.js'
import { MeanMetric } from './meanMetric.js'
import { Metric, type MetricOptions, requireExamples } from './metric.js'
import { type BatchValues, readScored } from './read.js'

/**
 * The share of examples whose class is among the k with the highest scores. Of equal scores the last is taken
 * to be the highest, as by scikit-learn's top_k_accuracy_score.
 */
export class TopKAccuracy extends MeanMetric {
  /**
   * Outputs are [batch, classes].
   * @param k a whole number from 1
   * @throws ArgumentError for another k, and options that do not exist
   */
  constructor(
    /** How many of the highest scores count. */
    readonly k: number,
    options: MetricOptions = {},
  ) {
    checkCount('TopKAccuracy', 'k', k)
    const given = optionsOf('TopKAccuracy', options, { name: true })
    super(given.name ?? `top${k}Accuracy`, k, given)
  }

  override update(outputs: BatchValues, targets: BatchValues): void {
    const { scores, width, labels } = readScored(this.name, outputs, targets)
    if (width === 1) {
      throw new ShapeError(`${this.name}: expected outputs [batch, classes], got one for each row`)
    }
    for (let row = 0; row < labels.length; row++) {
      const [begin, at] = [row * width, row * width + labels[row]]
      let above = 0
      for (let i = begin; i < begin + width; i++) {
        if (scores[i] > scores[at] || (scores[i] === scores[at] && i > at)) above++
      }
      if (above < this.k) this.sum++
    }
    this.examples += labels.length
  }
}

/** Settings of metrics that rank. */
export interface RankingOptions extends ClassMetricOptions {
  /** Of more classes than two: the mean over them, `macro`, or by the number of their examples, `weighted`. */
  average?: 'macro' | 'weighted'
}

/** Keeps the scores of all examples: their order decides. */
abstract class RankingMetric extends Metric {
  readonly targets = 'labels'
  readonly #fromLogits: boolean
  readonly #average: 'macro' | 'weighted'
  #width = 0
  #batches: { scores: Float64Array; labels: Int32Array }[] = []

  constructor(op: string, name: string, options: RankingOptions) {
    const known = { ...CLASS_OPTIONS, average: true } as const
    const given = optionsOf(op, options, known)
    super(given.name ?? name, given)
    const { fromLogits = true, average = 'macro' } = given
    checkFlag(op, 'fromLogits', fromLogits)
    if (average !== 'macro' && average !== 'weighted') {
      throw new ArgumentError(`${op}: expected average macro or weighted, got ${spelled(average)}`)
    }
    this.#fromLogits = fromLogits
    this.#average = average
  }

  override update(outputs: BatchValues, targets: BatchValues): void {
    const { scores, width, labels } = readScored(this.name, outputs, targets)
    if (this.#batches.length > 0 && width !== this.#width) {
      throw new ShapeError(
        `${this.name}: expected ${this.#width} scores in each row as before, got ${width}`,
      )
    }
    this.#width = width
    const kept = this.#comparable(scores, width)
    this.#batches.push({ scores: kept, labels: Int32Array.from(labels) })
  }

  /** Scores that tell rows apart, which logits of several classes, having no common scale, do not. */
  #comparable(scores: ArrayLike<number>, width: number): Float64Array {
    const kept = Float64Array.from(scores)
    if (width === 1 || !this.#fromLogits) return kept
    for (let begin = 0; begin < kept.length; begin += width) {
      // Of two classes, the difference is exact.
      const total = width === 2 ? scores[begin] : logSumExp(scores, begin, width)
      for (let i = begin; i < begin + width; i++) kept[i] -= total
      // Of two classes, the first column is not looked at again.
      if (!Number.isNaN(kept[begin + width - 1])) continue
      const row = Array.from({ length: width }, (_, i) => scores[begin + i])
      throw new ArgumentError(
        `${this.name}: expected logits that can be compared, got ${row.join(', ')} at row ${begin / width}`,
      )
    }
    return kept
  }

  override compute(): number {
    const labels = Int32Array.from(this.#batches.flatMap((batch) => [...batch.labels]))
    requireExamples(this.name, labels.length)
    const width = this.#width
    if (width <= 2) return this.#figureOf(width - 1, 1, labels)
    const figures = Array.from({ length: width }, (_, label) => {
      const weight =
        this.#average === 'macro' ? 1 : labels.filter((other) => other === label).length
      return { weight, figure: weight === 0 ? 0 : this.#figureOf(label, label, labels) }
    })
    const weights = figures.reduce((sum, { weight }) => sum + weight, 0)
    return figures.reduce((sum, { weight, figure }) => sum + weight * figure, 0) / weights
  }

  /** Of one class against the others, by one column of the scores. */
  #figureOf(column: number, positive: number, labels: Int32Array): number {
    const scores = new Float64Array(labels.length)
    let row = 0
    for (const batch of this.#batches) {
      for (let i = column; i < batch.scores.length; i += this.#width) {
        scores[row++] = batch.scores[i]
      }
    }
    const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || 0)
    const groups: Group[] = []
    for (const [i, at] of order.entries()) {
      if (i === 0 || scores[at] !== scores[order[i - 1]]) groups.push({ hits: 0, misses: 0 })
      groups[groups.length - 1][labels[at] === positive ? 'hits' : 'misses']++
    }
    return this.figureOf(groups)
  }

  /** @param groups of examples with equal scores, from the highest */
  protected abstract figureOf(groups: readonly Group[]): number

  override reset(): void {
    this.#batches = []
    this.#width = 0
  }

  /** The width, then of each example its scores and its label. */
  override save(): Float64Array {
    const width = this.#width
    const size = this.#batches.reduce((sum, { labels }) => sum + labels.length, 0)
    const state = new Float64Array(1 + size * (width + 1))
    state[0] = width
    let at = 1
    for (const { scores, labels } of this.#batches) {
      for (const [row, label] of labels.entries()) {
        state.set(scores.subarray(row * width, (row + 1) * width), at)
        state[at + width] = label
        at += width + 1
      }
    }
    return state
  }

  override restore(state: Float64Array): void {
    this.requireState(state, (length) => {
      const [width] = state
      const size = (length - 1) / (width + 1)
      const isEmpty = width === 0 && size === 0
      return isEmpty || (width >= 1 && [width, size].every(Number.isInteger))
    })
    const width = state[0]
    const size = (state.length - 1) / (width + 1)
    const scores = new Float64Array(size * width)
    const labels = new Int32Array(size)
    for (let row = 0; row < size; row++) {
      const at = 1 + row * (width + 1)
      scores.set(state.subarray(at, at + width), row * width)
      labels[row] = state[at + width]
    }
    this.#width = width
    this.#batches = size > 0 ? [{ scores, labels }] : []
  }
}

/** Examples that have the same score: of the class in question, and of others. */
interface Group {
  hits: number
  misses: number
}

/**
 * The area under the ROC curve: how probable it is that an example of the class has a higher score than another,
 * a tie counting half. Of more classes than two, each against the rest (ovr), by their probabilities. NaN
 * where there is one class only, as scikit-learn's roc_auc_score. It keeps all scores.
 */
export class RocAuc extends RankingMetric {
  /** @throws ArgumentError for options that do not exist or are out of range */
  constructor(options: RankingOptions = {}) {
    super('RocAuc', 'rocAuc', options)
  }

  protected override figureOf(groups: readonly Group[]): number {
    let [hits, misses, pairs] = [0, 0, 0]
    for (const group of groups) {
      pairs += group.misses * (hits + group.hits / 2)
      hits += group.hits
      misses += group.misses
    }
    return pairs / (hits * misses)
  }
}

/**
 * Average precision: Σ (Rₙ - Rₙ₋₁)·Pₙ over the thresholds, the area under the steps of precision over recall, as
 * scikit-learn's average_precision_score. Of more classes than two, each against the rest. It keeps all scores.
 */
export class AveragePrecision extends RankingMetric {
  /** @throws ArgumentError for options that do not exist or are out of range */
  constructor(options: RankingOptions = {}) {
    super('AveragePrecision', 'averagePrecision', options)
  }

  protected override figureOf(groups: readonly Group[]): number {
    const positives = groups.reduce((sum, { hits }) => sum + hits, 0)
    if (positives === 0) return 0
    let [hits, all, area] = [0, 0, 0]
    for (const group of groups) {
      hits += group.hits
      all += group.hits + group.misses
      area += (group.hits / positives) * (hits / all)
    }
    return area
  }
}
