/** Saved models, with the text beside the weights that says how to feed them and read them. */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ArgumentError, DataError } from '../base/errors.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import { type LossName, losses } from '../nn/lossNames.js'
import type { Module } from '../nn/module.js'
import type { Sequential } from '../nn/sequential.js'
import { loadMlp, type MlpArchitecture, saveMlp } from './model.js'

export interface ModelNotes {
  dataset: string
  /** With `dataset` it says which examples the model has not seen. */
  seed: number
  classes: readonly string[]
  preprocessing: Preprocessing
  loss: LossName
  testAccuracy: number
}

export interface SavedModel {
  model: Sequential
  inputs: number
  classes: readonly string[]
  loss: LossName
  /** Missing in a model that was not trained by the command line. */
  preprocessing?: Preprocessing
  dataset?: string
  seed?: number
}

/**
 * Before anything is trained: can the model be saved there?
 * @throws ArgumentError when it cannot
 */
export function checkWritable(path: string): void {
  const folder = dirname(path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentError(`--save ${path}: expected an existing folder, got no folder ${folder}`)
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentError(`--save ${path}: expected the name of a file, got a folder`)
  }
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new ArgumentError(`--save ${path}: expected the right to write in ${folder}, got none`)
  }
}

export function writeModel(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  { dataset, seed, classes, preprocessing, loss, testAccuracy }: ModelNotes,
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

/** @throws DataError when the file is malformed or holds no classifier */
export function readModel(path: string): SavedModel {
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
  return { model, inputs, dataset, loss, ...parsed } as SavedModel
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
