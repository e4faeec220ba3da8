/**
 * What is done to raw features before a network sees them: x ↦ (x - mean)·scale. It is found from
 * the training part alone and travels with the model.
 */
import { requireMemory } from '../../base/availableMemory.js'
import { ArgumentError, excerpt } from '../../base/errors.js'
import type { TargetKind } from '../../nn/losses.js'
import { checkDataset, type Dataset } from '../dataset.js'

/**
 * What is done to raw features x: (x - mean)·scale, with one number for all features or one for
 * each.
 */
export interface Preprocessing {
  /** What is subtracted. */
  readonly mean: readonly number[]
  /** What the difference is multiplied by: for standardized features 1 / standard deviation. */
  readonly scale: readonly number[]
}

/**
 * Finds the preprocessing of a data set: bytes keep its scale, other features get mean 0 and
 * standard deviation 1. Give it the training part alone, and keep the result with the model
 * (`saveClassifier`).
 * @throws ArgumentError for what is no data set
 * @example
 * const preprocessing = fitPreprocessing(train)
 * await fit(model, preprocess(train, preprocessing), { loss, optimizer, epochs: 20 })
 */
export function fitPreprocessing(given: Dataset): Preprocessing {
  const data = checkDataset('fitPreprocessing', given)
  if (data.inputs instanceof Uint8Array) return { mean: [0], scale: [data.scale] }
  const width = data.inputs.length / data.size
  const mean = columnMeans(data.inputs, width)
  // In float64, as the means are.
  const squares = Float64Array.from(data.inputs, (x, i) => (x - mean[i % width]) ** 2)
  // A feature that never varies tells nothing: centred it is 0, whatever the scale.
  const scale = columnMeans(squares, width).map((variance) => 1 / (Math.sqrt(variance) || 1))
  return { mean, scale }
}

function columnMeans(values: Float32Array | Float64Array, width: number): number[] {
  const sums = new Array<number>(width).fill(0)
  for (let i = 0; i < values.length; i++) sums[i % width] += values[i]
  return sums.map((sum) => sum / (values.length / width))
}

/** Rows of raw features as the network wants them. */
export function applyPreprocessing(
  raw: Float32Array | Uint8Array,
  width: number,
  { mean, scale }: Preprocessing,
): Float32Array {
  const meanStep = mean.length > 1 ? 1 : 0
  const scaleStep = scale.length > 1 ? 1 : 0
  requireMemory('preprocess', `${raw.length} values`, 4 * raw.length)
  const inputs = new Float32Array(raw.length)
  for (let i = 0; i < raw.length; i++) {
    const column = i % width
    inputs[i] = (raw[i] - mean[meanStep * column]) * scale[scaleStep * column]
  }
  return inputs
}

/**
 * The data set with its inputs preprocessed; bytes stay bytes where a scale is all it takes.
 * @throws ArgumentError for what is no data set or no preprocessing of its features
 */
export function preprocess<K extends TargetKind>(
  given: Dataset<K>,
  how: Preprocessing,
): Dataset<K> {
  const data = checkDataset('preprocess', given)
  const width = data.inputs.length / data.size
  const { mean, scale } = how ?? {}
  for (const list of [mean, scale]) {
    const fits = Array.isArray(list) && [1, width].includes(list.length)
    if (fits && list.every((value) => Number.isFinite(value))) continue
    throw new ArgumentError(
      `preprocess: expected mean and scale as lists of 1 or ${width} numbers, got ${excerpt(how)}`,
    )
  }
  if (data.inputs instanceof Uint8Array && mean.every((m) => m === 0) && scale.length === 1) {
    return { ...data, scale: scale[0] }
  }
  return {
    ...data,
    inputs: applyPreprocessing(data.inputs, width, how),
    scale: 1,
  }
}
