/**
 * Classifiers in files: a model with its preprocessing and the names of its classes, which say how to
 * feed it raw features and how to read its answers. `training/predict.ts` does both.
 */
import { ArgumentError, DataError, excerpt } from '../base/errors.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import { type LossName, losses } from '../nn/lossNames.js'
import type { Module } from '../nn/module.js'
import type { Sequential } from '../nn/sequential.js'
import { loadMlp, type MlpArchitecture, saveMlp } from './mlp.js'

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
 * @throws ArgumentError when the architecture is not that of the model, or the notes do not fit it,
 *   DivergenceError as `saveModel`
 */
export function saveClassifier(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  { dataset, seed, classes, preprocessing, loss, testAccuracy }: ClassifierNotes,
): void {
  const metadata = {
    dataset,
    seed: `${seed}`,
    classes: JSON.stringify(classes),
    preprocessing: JSON.stringify(preprocessing),
    loss,
    testAccuracy: `${testAccuracy}`,
  }
  const { wrong } = parseNotes(metadata, architecture)
  if (wrong) {
    throw new ArgumentError(
      `saveClassifier: expected ${EXPECTED[wrong]}, got ${excerpt(metadata[wrong])}`,
    )
  }
  saveMlp(model, path, architecture, metadata)
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
  const { wrong, ...notes } = parseNotes(metadata, architecture)
  if (wrong) {
    throw new DataError(
      `${path}: expected ${EXPECTED[wrong]}, got ${metadata[wrong]?.slice(0, 80)}`,
    )
  }
  return { model, inputs: architecture.units[0], ...notes } as Classifier
}

/** What each note is when it fits the architecture. */
const EXPECTED = {
  classes: 'a name for each class, of two or more',
  preprocessing: 'preprocessing { mean, scale } of one number, or one per feature',
  loss: `a loss of ${Object.keys(losses).join(', ')}`,
  seed: 'a seed from 0 to 2^53 - 1',
}

/** The notes as text says them, and the first that does not fit the architecture. */
function parseNotes(metadata: Partial<Record<string, string>>, { units }: MlpArchitecture) {
  const [inputs, outputs] = [units?.[0], units?.at(-1) as number]
  const unnamed = Array.from({ length: outputs }, (_, i) => `${i}`)
  const { dataset, loss = 'cross-entropy' } = metadata
  const classes = parse(metadata.classes) ?? unnamed
  const preprocessing = parse(metadata.preprocessing)
  const seed = parse(metadata.seed)
  const wrong: keyof typeof EXPECTED | false =
    (!isLoss(loss) && 'loss') ||
    (!isNames(classes, outputs) && 'classes') ||
    (!isPreprocessing(preprocessing, inputs) && 'preprocessing') ||
    (!isSeed(seed) && 'seed')
  return { wrong, dataset, loss, classes, preprocessing, seed }
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
  Array.isArray(value) &&
  length >= 2 &&
  value.length === length &&
  value.every((v) => typeof v === 'string')

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
