/**
 * Classifiers in files: a model with its preprocessing and the names of its classes, which say how to
 * feed it raw features and how to read its answers. `training/predict.ts` does both.
 */
import { DataError } from '../base/errors.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import { type LossName, losses } from '../nn/lossNames.js'
import type { Module } from '../nn/module.js'
import type { Sequential } from '../nn/sequential.js'
import { loadMlp, type MlpArchitecture, saveMlp } from './model.js'

/** What is kept beside the weights. */
export interface ClassifierNotes {
  /** Name of the data set that the model was trained on. */
  dataset: string
  /** With `dataset` it says which examples the model has not seen. */
  seed: number
  /** Names of the classes, in the order of the outputs. */
  classes: readonly string[]
  /** What raw features went through before the model saw them. */
  preprocessing: Preprocessing
  /** What it was trained by. */
  loss: LossName
  /** Share of the test examples classified right, from 0 to 1. */
  testAccuracy: number
}

/** A classifier that was read from a file. */
export interface Classifier {
  /** In `eval`. */
  model: Sequential
  /** Features of an example. */
  inputs: number
  /** Names of the classes, in the order of the outputs. */
  classes: readonly string[]
  /** What it was trained by; after `cross-entropy`, softmax gives probabilities. */
  loss: LossName
  /** What raw features go through first; missing in a model of `saveMlp`. */
  preprocessing?: Preprocessing
  /** Name of the data set that the model was trained on. */
  dataset?: string
  /** The seed of the split: with `dataset` it says which examples the model has not seen. */
  seed?: number
}

/**
 * Writes a classifier: the model with what it takes to build it again, and with its notes.
 * @throws ArgumentError when the architecture is not that of the model
 */
export function saveClassifier(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  { dataset, seed, classes, preprocessing, loss, testAccuracy }: ClassifierNotes,
): void {
  saveMlp(model, path, architecture, {
    dataset,
    seed: `${seed}`,
    classes: JSON.stringify(classes),
    preprocessing: JSON.stringify(preprocessing),
    loss,
    testAccuracy: `${testAccuracy}`,
  })
}

/**
 * Reads what `saveClassifier` or `neuroblas train` wrote.
 * @throws DataError when the file is malformed or holds no classifier
 * @example
 * const classifier = loadClassifier('iris.safetensors')
 * const { names } = predict(classifier, [[5.1, 3.5, 1.4, 0.2]])
 */
export function loadClassifier(path: string): Classifier {
  const { model, architecture, metadata } = loadMlp(path)
  const [inputs, outputs] = [architecture.units[0], architecture.units.at(-1) as number]
  if (outputs < 2) throw new DataError(`${path}: expected a model of 2 classes or more`)
  const unnamed = Array.from({ length: outputs }, (_, i) => `${i}`)
  const { dataset, loss = 'cross-entropy' } = metadata
  const parsed = {
    classes: parse(metadata.classes) ?? unnamed,
    preprocessing: parse(metadata.preprocessing),
    seed: parse(metadata.seed),
  }
  const wrong =
    (!isLoss(loss) && 'loss') ||
    (!isNames(parsed.classes, outputs) && 'classes') ||
    (!isPreprocessing(parsed.preprocessing, inputs) && 'preprocessing') ||
    (!isSeed(parsed.seed) && 'seed')
  if (wrong) {
    throw new DataError(
      `${path}: expected ${wrong} as neuroblas train writes it, got ${metadata[wrong]?.slice(0, 80)}`,
    )
  }
  return { model, inputs, dataset, loss, ...parsed } as Classifier
}

/** Text that is no JSON becomes null, which no field may be. */
function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isLoss = (value: string) => Object.hasOwn(losses, value)
const isSeed = (value: unknown) =>
  value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)
const isNames = (value: unknown, length: number) =>
  Array.isArray(value) && value.length === length && value.every((v) => typeof v === 'string')

function isPreprocessing(value: unknown, inputs: number): boolean {
  if (value === undefined) return true
  const { mean, scale } = (value ?? {}) as Record<string, unknown>
  return [mean, scale].every(
    (list) =>
      Array.isArray(list) &&
      (list.length === 1 || list.length === inputs) &&
      list.every((v) => Number.isFinite(v)),
  )
}
