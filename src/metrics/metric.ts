/** What a metric is: figures of predictions and targets, summed over batches in float64. */
import { isBranded } from '../base/brand.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import type { BatchValues } from './read.js'

const BRAND = Symbol.for('neuroblas.Metric')

/** A number, one per class, or a matrix: what a metric gives. */
export type MetricValue = number | readonly number[] | readonly (readonly number[])[]

/** Settings of every metric. */
export interface MetricOptions {
  /** What reports call it; by default the name that `fit` knows it by. */
  name?: string
}

/**
 * A figure of how well predictions do, over all batches since it was made or reset: however the examples are
 * cut into batches, it is the same to the bit. One of your own extends it, and can be given to `fit` and
 * `evaluate` as well, which update it by `{ data, shape }`.
 * @example
 * const f1 = new F1({ average: 'macro' })
 * for (const { inputs, targets } of loader) f1.update(model.forward(inputs), targets)
 * console.log(f1.compute())
 */
export abstract class Metric<V extends MetricValue = number> {
  /** What reports call it. */
  readonly name: string

  /** What targets it is for: labels of classes, or values to predict. */
  abstract readonly targets: 'labels' | 'values'

  readonly #given: readonly unknown[]

  /**
   * What `isMetric` asks for.
   * @internal
   */
  get [BRAND](): boolean {
    return true
  }

  /**
   * Names it.
   * @param given what the constructor of its class was given, for `fresh`
   * @throws ArgumentError for a name that is no text
   */
  constructor(name: string, ...given: readonly unknown[]) {
    if (typeof name !== 'string' || name === '') {
      throw new ArgumentError(`Metric: expected a name, got ${excerpt(name)}`)
    }
    this.name = name
    this.#given = given
  }

  /** Another one of the same settings, to which nothing was added. */
  fresh(): this {
    const Class = this.constructor as new (...given: readonly unknown[]) => this
    return new Class(...this.#given)
  }

  /**
   * Adds a batch. Nothing is added where it is refused.
   * @param outputs what a model gave, the batch as the first axis; of a metric of classes also labels [batch]
   * @param targets a label or value for each of them
   * @throws ShapeError when their numbers differ, ArgumentError for what the metric is not for
   */
  abstract update(outputs: BatchValues, targets: BatchValues): void

  /**
   * The figure over everything that was added.
   * @throws ArgumentError where nothing was
   */
  abstract compute(): V

  /** Forgets everything that was added. */
  abstract reset(): void

  /**
   * What was added, as numbers that `restore` takes. One of your own that gives nothing here, as by default, keeps
   * a training from being checkpointed within its epochs.
   */
  save(): Float64Array | undefined {
    return undefined
  }

  /**
   * Goes on from where `save` was called.
   * @throws ArgumentError for what `save` did not return
   */
  restore(state: Float64Array): void {
    this.requireState(state, () => false)
  }

  /** Refuses what `save` did not return: other than numbers, or of which `fits` says so. */
  protected requireState(state: Float64Array, fits: (length: number) => boolean): void {
    if (kindOfTypedArray(state) === 'Float64Array' && fits(state.length)) return
    throw new ArgumentError(
      `${this.name}: expected the numbers that save() returned, got ${excerpt(state)}`,
    )
  }

  /** What `compute` gives. */
  get value(): V {
    return this.compute()
  }
}

/** Whether it is a metric, also one of another copy of the library. */
export function isMetric(value: unknown): value is Metric<MetricValue> {
  return isBranded(value, BRAND)
}

/** @throws ArgumentError for a metric of no examples */
export function requireExamples(name: string, examples: number): void {
  if (examples > 0) return
  throw new ArgumentError(`${name}: expected an update() before compute(), got no examples`)
}
