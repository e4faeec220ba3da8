/**
 * Classifiers in files: a model with its preprocessing and the names of its classes, which say how to
 * feed it raw features and how to read its answers. `training/predict.ts` does both.
 */
import { optionsOf } from '../base/arguments.js'
import { ArgumentError, DataError, spelled } from '../base/errors.js'
import { toJson } from '../base/text.js'
import { formatOf, type ImageFormat } from '../data/images/format.js'
import type { TableEncoding } from '../data/table/encoding.js'
import type { TableSplit } from '../data/table/splitTable.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import type { LossName } from '../nn/lossNames.js'
import type { Module } from '../nn/module.js'
import type { Sequential } from '../nn/sequential.js'
import { type MlpArchitecture, saveMlp } from './mlp.js'
import { checkNotes, type Notes, readNotes } from './notes.js'

/** What is kept beside the weights. */
export interface ClassifierNotes {
  /** Name of the data set that the model was trained on. */
  dataset: string
  /** With `dataset` it says which examples the model has not seen. */
  seed: number
  /** What decided, beside the seed, which examples these are; chance where nothing is said. */
  split?: TableSplit
  /** Names of the classes, in the order of the outputs. */
  classes: readonly string[]
  /** What raw features went through before the model saw them. */
  preprocessing?: Preprocessing
  /** What the rows of a table went through, in place of `preprocessing`. */
  encoding?: TableEncoding
  /** How images become inputs, as `imageFolder` says; beside `preprocessing`. */
  images?: ImageFormat
  /** What it was trained by. */
  loss: LossName
  /** Share of the test examples classified right, from 0 to 1. */
  testAccuracy: number
}

/** A classifier that was read from a file. */
export interface Classifier {
  /** In `eval`. */
  model: Sequential
  /** Inputs of the model: features of an example, or what they are encoded as. */
  inputs: number
  /** Names of the classes, in the order of the outputs. */
  classes: readonly string[]
  /** What it was trained by; after `cross-entropy` and `focal`, softmax gives probabilities. */
  loss: LossName
  /** What raw features go through first; missing in a model of `saveMlp`. */
  preprocessing?: Preprocessing
  /** What the rows of a table go through first. */
  encoding?: TableEncoding
  /** How images become inputs: what `readImages` wants to know. */
  images?: Required<ImageFormat>
  /** Name of the data set that the model was trained on. */
  dataset?: string
  /** The seed of the split: with `dataset` it says which examples the model has not seen. */
  seed?: number
  /** What decided beside the seed; chance where nothing is said. */
  split?: TableSplit
}

const NOTES: Record<keyof ClassifierNotes, true> = {
  dataset: true,
  seed: true,
  split: true,
  classes: true,
  preprocessing: true,
  encoding: true,
  images: true,
  loss: true,
  testAccuracy: true,
}

/**
 * Writes a classifier: the model with what it takes to build it again, and with its notes.
 * @throws ArgumentError when the architecture is not that of the model, the notes do not fit it, or there
 *   is not one of preprocessing and encoding; DivergenceError as `saveModel`
 */
export function saveClassifier(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  notes: ClassifierNotes,
): void {
  const { dataset, loss, ...rest } = optionsOf('saveClassifier: notes', notes, NOTES)
  const { seed, split, classes, preprocessing, encoding, images, testAccuracy } = rest
  if ((preprocessing === undefined) === (encoding === undefined)) {
    throw new ArgumentError(
      `saveClassifier: expected preprocessing, or of a table its encoding, got ${encoding ? 'both' : 'neither'}`,
    )
  }
  const asJson = (name: string, value: unknown) => toJson(`saveClassifier: ${name}`, value)
  const metadata = {
    dataset,
    seed: spelled(seed),
    ...(split && { split: asJson('split', split) }),
    classes: asJson('classes', classes),
    ...(preprocessing && { preprocessing: asJson('preprocessing', preprocessing) }),
    ...(encoding && { encoding: asJson('encoding', encoding) }),
    ...(images && { images: asJson('images', formatOf('saveClassifier: images', images)) }),
    loss,
    testAccuracy: spelled(testAccuracy),
  }
  checkNotes('saveClassifier', metadata, architecture)
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
  return classifierOf(readNotes(path), path)
}

/** @throws DataError when the notes are not those of a classifier */
export function classifierOf(notes: Notes, path: string): Classifier {
  const { classes } = notes
  if (classes) return { ...notes, classes }
  throw new DataError(`${path}: expected a classifier, got a regressor; loadRegressor reads it`)
}
