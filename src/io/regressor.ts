/** Regressors in files: a model that predicts a number from the row of a table, with its encoding. */
import { optionsOf } from '../base/arguments.js'
import { DataError, spelled } from '../base/errors.js'
import { toJson } from '../base/text.js'
import type { TableEncoding } from '../data/table/encoding.js'
import type { TableSplit } from '../data/table/splitTable.js'
import type { LossName } from '../nn/lossNames.js'
import type { Module } from '../nn/module.js'
import type { Sequential } from '../nn/sequential.js'
import { type Classifier, classifierOf } from './classifier.js'
import { type MlpArchitecture, saveMlp } from './mlp.js'
import { checkNotes, readNotes } from './notes.js'

/** What is kept beside the weights. */
export interface RegressorNotes {
  /** Name of the data set that the model was trained on. */
  dataset: string
  /** With `dataset` it says which examples the model has not seen. */
  seed: number
  /** What decided, beside the seed, which examples these are; chance where nothing is said. */
  split?: TableSplit
  /** What rows and values went through before the model saw them. */
  encoding: TableEncoding
  /** What it was trained by. */
  loss: LossName
}

/** A regressor that was read from a file. */
export interface Regressor {
  /** In `eval`; its output is the standardized value. */
  model: Sequential
  /** Inputs of the model, which the features are encoded as. */
  inputs: number
  /** What rows go through first, and its answers in the end. */
  encoding: TableEncoding
  /** What it was trained by. */
  loss: LossName
  /** Name of the data set that the model was trained on. */
  dataset?: string
  /** The seed of the split: with `dataset` it says which examples the model has not seen. */
  seed?: number
  /** What decided beside the seed; chance where nothing is said. */
  split?: TableSplit
}

const NOTES: Record<keyof RegressorNotes, true> = {
  dataset: true,
  seed: true,
  split: true,
  encoding: true,
  loss: true,
}

/**
 * Writes a regressor: the model with what it takes to build it again, and with its notes.
 * @throws ArgumentError when the architecture is not that of the model, or the notes do not fit it;
 *   DivergenceError as `saveModel`
 */
export function saveRegressor(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  notes: RegressorNotes,
): void {
  const given = optionsOf('saveRegressor: notes', notes, NOTES)
  const { dataset, split, loss } = given
  const metadata = {
    dataset,
    seed: spelled(given.seed),
    ...(split && { split: toJson('saveRegressor: split', split) }),
    encoding: toJson('saveRegressor: encoding', given.encoding),
    loss,
  }
  checkNotes('saveRegressor', metadata, architecture)
  saveMlp(model, path, architecture, metadata)
}

/**
 * Reads what `saveRegressor` or `neuroblas train --task regress` wrote.
 * @throws DataError when the file is malformed or holds no regressor
 * @example
 * const [price] = predict(loadRegressor('houses.safetensors'), [{ rooms: 4, district: 'east' }])
 */
export function loadRegressor(path: string): Regressor {
  const found = loadPredictor(path)
  if (!('classes' in found)) return found
  throw new DataError(
    `${path}: expected a regressor, got a classifier of ${found.classes.length} classes; loadClassifier reads it`,
  )
}

/**
 * Reads either.
 * @throws DataError when the file is malformed or holds neither
 */
export function loadPredictor(path: string): Classifier | Regressor {
  const notes = readNotes(path)
  if (notes.classes) return classifierOf(notes, path)
  const { model, inputs, encoding, loss, dataset, seed, split } = notes
  return { model, inputs, encoding: encoding as TableEncoding, loss, dataset, seed, split }
}
