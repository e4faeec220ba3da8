/** How much each example counts in the loss that is minimized. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import type { Dataset, ExampleForm } from '../data/dataset.js'
import { readList } from '../tensor/numbers.js'

/** Weights as they are given to `fit`. */
export interface WeightOptions {
  /** One for each class, or `balanced`. */
  classWeights?: readonly number[] | Float32Array | 'balanced'
  /** One for each example of the data. */
  sampleWeights?: ArrayLike<number>
}

type Weights = ArrayLike<number> | undefined

/** @throws ArgumentError for what are no weights, ShapeError where there are too few or too many */
export function checkWeights(data: Dataset, { classWeights, sampleWeights }: WeightOptions): void {
  if (classWeights !== undefined) checkClassWeights(data, classWeights)
  if (sampleWeights !== undefined) check('sampleWeights', 'example', sampleWeights, data.size)
}

/** @throws ArgumentError for what are no weights, ShapeError where there are too few or too many */
export function checkClassWeights(
  { name, targets, classes }: ExampleForm,
  weights: NonNullable<WeightOptions['classWeights']>,
): void {
  if (kindOfTypedArray(targets) !== 'Int32Array') {
    throw new ArgumentError(
      `fit: expected classWeights beside labels, got them with the values of '${name}'`,
    )
  }
  if (weights !== 'balanced') check('classWeights', 'class', weights, classes.length)
}

function check(name: string, of: string, given: unknown, count: number): void {
  if (typeof given === 'string') {
    throw new ArgumentError(`fit: expected ${name} as numbers or balanced, got ${excerpt(given)}`)
  }
  const weights = readList(`fit: ${name}`, 'numbers', given)
  if (weights.length !== count) {
    throw new ShapeError(
      `fit: expected ${name} for each ${of}, ${count} of them, got ${weights.length}`,
    )
  }
  const bad = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity))
  if (bad >= 0) {
    throw new ArgumentError(`fit: expected ${name} >= 0, got ${weights[bad]} at ${bad}`)
  }
}

/**
 * The weight of each of these rows, that of its class times its own; undefined where none are given.
 * Balanced weights are those of scikit-learn: examples ÷ (classes that occur · examples of the class).
 */
export function weightsOf(
  { size, targets, classes }: Dataset,
  rows: Int32Array | undefined,
  { classWeights, sampleWeights }: WeightOptions,
): Float32Array | undefined {
  if (classWeights === undefined && sampleWeights === undefined) return undefined
  const of = rows ?? Int32Array.from({ length: size }, (_, row) => row)
  const ofClasses: Weights =
    classWeights === 'balanced'
      ? balancedWeights(countsOf(targets, of, classes.length))
      : classWeights
  return Float32Array.from(
    of,
    (row) => (ofClasses?.[targets[row]] ?? 1) * (sampleWeights?.[row] ?? 1),
  )
}

function countsOf(labels: ArrayLike<number>, rows: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const row of rows) counts[labels[row]]++
  return counts
}

/** The weight of each class, where so many examples are of it. */
export function balancedWeights(counts: readonly number[]): number[] {
  const examples = counts.reduce((sum, count) => sum + count, 0)
  const occurring = counts.filter((count) => count > 0).length
  return counts.map((count) => examples / (occurring * count))
}
