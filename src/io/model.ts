/** Models as `.safetensors` files: parameters and buffers by path, and text beside them. */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { checkPath, optionsOf } from '../base/arguments.js'
import { ArgumentError, DataError, DivergenceError, excerpt, ShapeError } from '../base/errors.js'
import { findNotFiniteValue } from '../nn/finite.js'
import { refuseTrained } from '../nn/lock.js'
import type { AnyModule } from '../nn/module.js'
import { readAt, writeFileAtomically } from './files.js'
import { chooseLayout, isTorch, layoutIn, type WeightLayout } from './layout.js'
import {
  type ByteSource,
  readSafetensors,
  readSafetensorsMetadata,
  type SafetensorsFile,
  safetensorsChunks,
  type Writable,
} from './safetensors.js'
import type { StoredTensor } from './safetensorsDtypes.js'
import { matchTorch, notesOn, requireMatch, warnOf } from './torch/plan.js'
import { type TorchOptions, torchCounts, toTorch } from './torch/state.js'

/**
 * Writes all parameters and buffers to a file, which holds the old content until the new one is complete.
 * Weights of affine layers are [fanIn, fanOut], which the file says as its `layout`; with `layout: 'torch'`, names
 * and weights are PyTorch's, so that `load_state_dict(load_file(path))` of the same network takes them; a
 * NeuroblasWarning names a `Flatten` of images that is not in PyTorch's order.
 * @param metadata text to keep beside the parameters; `layout` is 'torch' or not given
 * @param options.rename names that differ between PyTorch and here, of `layout: 'torch'`
 * @throws ArgumentError for metadata that are no text, and for parameters that are not of float32,
 *   DivergenceError for parameters that are not finite where those of the old file are: it stays,
 *   BusyError while the model is being trained, but for the training's callbacks
 * @example saveModel(model, 'for-torch.safetensors', { layout: 'torch' })
 */
export function saveModel(
  model: AnyModule,
  path: string,
  metadata: Record<string, string> = {},
  options: TorchOptions = {},
): void {
  checkArguments('saveModel', model, path)
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new ArgumentError(`metadata: expected text by name, got ${excerpt(metadata)}`)
  }
  const { rename } = optionsOf('saveModel', options, { rename: true })
  const { layout, ...text } = metadata
  if (layout === 'torch') {
    const counts = torchCounts(model, { rename })
    const entries = [...toTorch(model, { rename }), ...counts]
    writeModelFile(path, entries, { layout, format: 'pt', ...text })
    warnOf(notesOn(model))
    return
  }
  if (layout !== undefined || rename !== undefined) {
    throw new ArgumentError(
      `saveModel: expected layout 'torch' for names and weights of PyTorch's, or none, got ${excerpt(layout)}${rename === undefined ? '' : ' and rename'}`,
    )
  }
  writeModelFile(path, [...model.namedState()], { layout: 'inputOutput', ...text })
}

/**
 * Overwrites a model's parameters and buffers with those of a file. Nothing is changed when something does not fit.
 * @param options.layout of a file of another program, as square weights would fit either way: 'torch' for
 *   PyTorch's, which `loadTorch` reads, too, and says how; 'inputOutput' for names as here and weights as
 *   Keras's. Files of this library say it themselves.
 * @returns the text beside them
 * @throws DataError when the file is malformed or holds another model, ArgumentError when the layout is
 *   missing, unknown or another than the file's
 * @example loadModel(model, 'from-torch.safetensors', { layout: 'torch' })
 */
export function loadModel(
  model: AnyModule,
  path: string,
  options: { layout?: WeightLayout } = {},
): Record<string, string> {
  checkArguments('loadModel', model, path)
  const { layout } = optionsOf('loadModel', options, { layout: true })
  return fill(model, readModelFile(path), path, layout)
}

export function checkArguments(op: string, model: AnyModule, path: string): void {
  if (typeof model?.namedParameters !== 'function' || typeof path !== 'string') {
    throw new ArgumentError(
      `${op}: expected a model and the path of a file, got ${excerpt(model)} and ${excerpt(path)}`,
    )
  }
  refuseTrained(op, model)
}

/** Gives a model the parameters of a file that was read. */
export function fill(
  model: AnyModule,
  { tensors, metadata }: SafetensorsFile,
  path: string,
  given?: WeightLayout,
): Record<string, string> {
  const own = layoutIn(metadata)
  const layout = chooseLayout(path, model, given, own)
  try {
    model.loadStateDict(isTorch(layout) ? fromTorchFile(model, tensors) : tensors)
  } catch (error) {
    throw misfit(error, `${path}: expected this model's parameters, `)
  }
  if (isTorch(layout)) warnOf(notesOn(model))
  if (metadata.layout !== own) return metadata
  const { layout: _, ...text } = metadata
  return text
}

/** The error of a file that does not fit the model; what else went wrong, such as a model in use, stays as it is. */
export function misfit(error: unknown, before: string): unknown {
  if (!(error instanceof ArgumentError || error instanceof ShapeError)) return error
  return new DataError(before + error.message, { cause: error })
}

function fromTorchFile(
  model: AnyModule,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  const matched = matchTorch('loadModel', model, tensors)
  requireMatch(matched, true)
  return matched.values
}

/** Writes tensors to a file, but never what is not finite over what is. */
export function writeModelFile(
  path: string,
  entries: readonly (readonly [string, Writable])[],
  metadata: Record<string, string>,
): void {
  const chunks = safetensorsChunks(entries, metadata)
  const found = findNotFiniteValue(entries)
  if (found !== undefined && holdsFiniteValues(path)) {
    throw new DivergenceError(
      `${path}: expected finite values in place of its own, got ${found}; the file stays as it was`,
    )
  }
  writeFileAtomically(path, chunks)
}

function holdsFiniteValues(path: string): boolean {
  try {
    return findNotFiniteValue([...readModelFile(path).tensors]) === undefined
  } catch (error) {
    // No file, or none that could be read again.
    if (error instanceof DataError) return false
    throw error
  }
}

/** @throws DataError when there is no file, or it is malformed */
export function readModelFile(path: string): SafetensorsFile {
  return fromFile(path, readSafetensors)
}

/** The text beside the tensors, which are not read. @throws DataError as `readModelFile` */
export function readModelMetadata(path: string): Record<string, string> {
  return fromFile(path, readSafetensorsMetadata)
}

function fromFile<T>(path: string, reader: (source: ByteSource, file: string) => T): T {
  checkPath('load', path)
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) {
    throw new DataError(`${path}: expected a model file, found ${found ? 'no file' : 'nothing'}`)
  }
  const fd = openSync(path, 'r')
  try {
    const { size: length } = fstatSync(fd)
    const read = (begin: number, end: number) => readAt(fd, begin, end - begin, path)
    return reader({ length, read }, path)
  } finally {
    closeSync(fd)
  }
}
