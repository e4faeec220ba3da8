/** Models as `.safetensors` files: parameters by path, and text beside them. */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { ArgumentError, DataError } from '../base/errors.js'
import type { Module } from '../nn/module.js'
import { type ActivationName, activations, mlp, Sequential } from '../nn/sequential.js'
import { readAt, writeFileAtomically } from './files.js'
import { readSafetensors, type SafetensorsFile, safetensorsChunks } from './safetensors.js'

/** What an `mlp` is built from, as it is kept in a file. */
export interface MlpArchitecture {
  /** Units of each layer, from the inputs to the outputs. */
  units: readonly number[]
  /** Of the hidden units. */
  activation: ActivationName
  /** Probability of dropping a hidden unit while training. */
  dropout?: number
  /** Probability of dropping an input while training. */
  inputDropout?: number
}

/**
 * Writes all parameters to a file, which holds the old content until the new one is complete.
 * Weights of affine layers are [fanIn, fanOut].
 * @param metadata text to keep beside the parameters
 */
export function saveModel(
  model: Module,
  path: string,
  metadata: Record<string, string> = {},
): void {
  writeFileAtomically(path, safetensorsChunks(model.namedParameters(), metadata))
}

/**
 * Overwrites a model's parameters with those of a file.
 * @returns the text beside them
 * @throws DataError when the file is malformed or holds another model
 */
export function loadModel(model: Module, path: string): Record<string, string> {
  const { tensors, metadata } = readModelFile(path)
  try {
    model.loadStateDict(tensors)
  } catch (error) {
    throw new DataError(`${path}: expected this model's parameters, ${(error as Error).message}`, {
      cause: error,
    })
  }
  return metadata
}

export function readModelFile(path: string): SafetensorsFile {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) {
    throw new DataError(`${path}: expected a model file, found ${found ? 'no file' : 'nothing'}`)
  }
  const fd = openSync(path, 'r')
  try {
    const { size: length } = fstatSync(fd)
    const read = (begin: number, end: number) => readAt(fd, begin, end - begin, path)
    return readSafetensors({ length, read }, path)
  } finally {
    closeSync(fd)
  }
}

/**
 * Writes a multi-layer perceptron with what it takes to build it again.
 * @throws ArgumentError when the architecture is not that of the model
 */
export function saveMlp(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  metadata: Record<string, string> = {},
): void {
  checkArchitecture(model, architecture)
  saveModel(model, path, { ...metadata, architecture: JSON.stringify(architecture) })
}

/**
 * Builds the perceptron that `saveMlp` wrote, ready to be asked (`eval`). Of a file that
 * `saveClassifier` or `neuroblas train` wrote it gives the network alone; `loadClassifier` also
 * knows its classes and what raw features go through first.
 * @throws DataError when the file is malformed or does not say what it holds
 */
export function loadMlp(path: string): {
  /** In `eval`. */
  model: Sequential
  /** What it was built from. */
  architecture: MlpArchitecture
  /** All text of the file. */
  metadata: Record<string, string>
} {
  const { metadata } = readModelFile(path)
  const architecture = parseArchitecture(metadata.architecture, path)
  const { units, ...options } = architecture
  const model = mlp(units, options)
  loadModel(model, path)
  model.eval()
  return { model, architecture, metadata }
}

function checkArchitecture(model: Module, { units, activation }: MlpArchitecture): void {
  const weights = model.parameters().filter(({ shape }) => shape.length === 2)
  const found =
    weights.length > 0 ? [weights[0].shape[0], ...weights.map(({ shape }) => shape[1])] : []
  const layers: readonly Module[] = model instanceof Sequential ? model.layers : []
  const names = Object.keys(activations) as ActivationName[]
  const other = names.find(
    (name) => name !== activation && layers.some((layer) => layer instanceof activations[name]),
  )
  if (String(found) === String(units) && other === undefined) return
  throw new ArgumentError(
    `saveMlp: expected the architecture of the model, units [${found.join(', ')}]${other ? ` and ${other}` : ''}, got [${units?.join(', ')}] and ${activation}`,
  )
}

function parseArchitecture(text: string | undefined, path: string): MlpArchitecture {
  if (text === undefined) {
    throw new DataError(
      `${path}: expected a model that neuroblas saved, found no architecture in it`,
    )
  }
  try {
    const { units, activation, dropout, inputDropout } = JSON.parse(text) as MlpArchitecture
    if (!Array.isArray(units) || typeof activation !== 'string') throw new ArgumentError('no units')
    return { units, activation, dropout, inputDropout }
  } catch (error) {
    throw new DataError(`${path}: expected an architecture, found ${text.slice(0, 100)}`, {
      cause: error,
    })
  }
}
