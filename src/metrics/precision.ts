/** Precision, recall and F1, per class and averaged as scikit-learn does. */
import { optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, spelled } from '../base/errors.js'
import {
  CLASS_OPTIONS,
  type ClassCounts,
  type ClassMetricOptions,
  CountingMetric,
  sum,
} from './classes.js'

/**
 * What becomes of the figures of the classes.
 * - `binary`: that of class 1 of two
 * - `micro`: one figure of the counts of all classes together
 * - `macro`: the mean over the classes that are predicted or right at least once
 * - `weighted`: their mean by the number of their examples
 * - `none`: a list of them, one for each class
 */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted' | 'none'

const averages: readonly Average[] = ['binary', 'micro', 'macro', 'weighted', 'none']

/** Settings of `Precision`, `Recall` and `F1`. */
export interface AveragedOptions extends ClassMetricOptions {
  /** By default `binary` for two classes and `macro` for more. */
  average?: Average
  /** The figure of a class that has none, 0 by default; NaN leaves it out of the mean. */
  zeroDivision?: number
}

const OPTIONS: Record<keyof AveragedOptions, true> = {
  ...CLASS_OPTIONS,
  average: true,
  zeroDivision: true,
}

type Counts = Record<keyof ClassCounts, number>

abstract class AveragedMetric extends CountingMetric<number | readonly number[]> {
  readonly #average: Average | undefined
  readonly #zeroDivision: number

  constructor(op: string, name: string, options: AveragedOptions) {
    const given = optionsOf(op, options, OPTIONS)
    super(given.name ?? name, given)
    const { average, zeroDivision = 0 } = given
    if (average !== undefined && !averages.includes(average)) {
      throw new ArgumentError(
        `${op}: expected average ${averages.join(', ')}, got ${spelled(average)}`,
      )
    }
    if (![0, 1].includes(zeroDivision) && !Number.isNaN(zeroDivision)) {
      throw new ArgumentError(
        `${op}: expected zeroDivision 0, 1 or NaN, got ${excerpt(zeroDivision)}`,
      )
    }
    this.#average = average
    this.#zeroDivision = zeroDivision
  }

  /** Numerator and denominator of the figure of a class. */
  protected abstract ratio(counts: Counts): readonly [number, number]

  protected override figureOf(counts: ClassCounts): number | readonly number[] {
    const classes = counts.actual.length
    const average = this.#average ?? (classes <= 2 ? 'binary' : 'macro')
    const of = (label: number) => ({
      predicted: counts.predicted[label] ?? 0,
      actual: counts.actual[label] ?? 0,
      hits: counts.hits[label] ?? 0,
    })
    if (average === 'binary') {
      if (classes <= 2) return this.#divide(of(1))
      throw new ArgumentError(
        `${this.name}: expected average micro, macro, weighted or none for ${classes} classes, got binary`,
      )
    }
    if (average === 'micro') {
      const { predicted, actual, hits } = counts
      return this.#divide({ predicted: sum(predicted), actual: sum(actual), hits: sum(hits) })
    }
    const all = counts.actual.map((_, label) => of(label))
    if (average === 'none') return all.map((one) => this.#divide(one))
    const present = all
      .filter(({ predicted, actual }) => predicted + actual > 0)
      .map((one) => ({
        figure: this.#divide(one),
        weight: average === 'weighted' ? one.actual : 1,
      }))
      .filter(({ figure }) => !Number.isNaN(figure))
    const weights = sum(present.map(({ weight }) => weight))
    return sum(present.map(({ figure, weight }) => figure * weight)) / weights
  }

  #divide(counts: Counts): number {
    const [numerator, denominator] = this.ratio(counts)
    return denominator === 0 ? this.#zeroDivision : numerator / denominator
  }
}

/** The share of the predictions of a class that are right. */
export class Precision extends AveragedMetric {
  /** @throws ArgumentError for options that do not exist or are out of range */
  constructor(options: AveragedOptions = {}) {
    super('Precision', 'precision', options)
  }

  protected override ratio({ hits, predicted }: Counts): readonly [number, number] {
    return [hits, predicted]
  }
}

/** The share of the examples of a class that are found. */
export class Recall extends AveragedMetric {
  /** @throws ArgumentError for options that do not exist or are out of range */
  constructor(options: AveragedOptions = {}) {
    super('Recall', 'recall', options)
  }

  protected override ratio({ hits, actual }: Counts): readonly [number, number] {
    return [hits, actual]
  }
}

/** The harmonic mean of precision and recall: 2·hits ÷ (predicted + actual). */
export class F1 extends AveragedMetric {
  /** @throws ArgumentError for options that do not exist or are out of range */
  constructor(options: AveragedOptions = {}) {
    super('F1', 'f1', options)
  }

  protected override ratio({ hits, predicted, actual }: Counts): readonly [number, number] {
    return [2 * hits, predicted + actual]
  }
}
