/** Models as `.safetensors` files: parameters and buffers by path, and text beside them. */
import { optionsOf } from '../base/arguments.js'
import { ArgumentError, DataError, excerpt, ShapeError } from '../base/errors.js'
import { refuseTrained } from '../nn/lock.js'
import type { AnyModule } from '../nn/module.js'
import { chooseLayout, isTorch, layoutIn, type WeightLayout } from './layout.js'
import { readModelFile, writeModelFile } from './modelFile.js'
import type { SafetensorsFile } from './safetensors.js'
import type { StoredTensor } from './safetensorsDtypes.js'
import { shardBytes } from './shards/split.js'
import { matchTorch, notesOn, requireMatch, warnOf } from './torch/plan.js'
import { type TorchOptions, torchCounts, toTorch } from './torch/state.js'

/** Settings of `saveModel`. */
export interface SaveModelOptions extends TorchOptions {
  /**
   * What a file may hold, in bytes or as `'500MB'` (KB, MB, GB, TB of 1000 each); everything by default. A larger
   * model becomes a set of files: `model-00001-of-00003.safetensors` and so on beside
   * `model.safetensors.index.json`, which says what is where, as Hugging Face's libraries have it.
   */
  maxShardSize?: number | string
}

/**
 * Writes all parameters and buffers to a file, which holds the old content until the new one is complete.
 * Weights of affine layers are [fanIn, fanOut], which the file says as its `layout`; with `layout: 'torch'`, names
 * and weights are PyTorch's, so that `load_state_dict(load_file(path))` of the same network takes them; a
 * NeuroblasWarning names a `Flatten` of images that is not in PyTorch's order.
 * @param metadata text to keep beside the parameters; `layout` is 'torch' or not given
 * @param options.rename names that differ between PyTorch and here, of `layout: 'torch'`
 * @param options.maxShardSize of a file: what is larger becomes a set of them, which is read by `path`, too; the
 *   old set is there until the new one is complete
 * @throws ArgumentError for metadata that are no text, and for parameters that are not of float32,
 *   DivergenceError for parameters that are not finite where those of the old file are: it stays,
 *   BusyError while the model is being trained, but for the training's callbacks
 * @example saveModel(model, 'for-torch.safetensors', { layout: 'torch' })
 */
export function saveModel(
  model: AnyModule,
  path: string,
  metadata: Record<string, string> = {},
  options: SaveModelOptions = {},
): void {
  checkArguments('saveModel', model, path)
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new ArgumentError(`metadata: expected text by name, got ${excerpt(metadata)}`)
  }
  const known = { rename: true, maxShardSize: true } as const
  const { rename, maxShardSize } = optionsOf('saveModel', options, known)
  const shard = shardBytes('saveModel', maxShardSize)
  const { layout, ...text } = metadata
  if (layout === 'torch') {
    const counts = torchCounts(model, { rename })
    const entries = [...toTorch(model, { rename }), ...counts]
    writeModelFile(path, entries, { layout, format: 'pt', ...text }, shard)
    warnOf(notesOn(model))
    return
  }
  if (layout !== undefined || rename !== undefined) {
    throw new ArgumentError(
      `saveModel: expected layout 'torch' for names and weights of PyTorch's, or none, got ${excerpt(layout)}${rename === undefined ? '' : ' and rename'}`,
    )
  }
  writeModelFile(path, [...model.namedState()], { layout: 'inputOutput', ...text }, shard)
}

/**
 * Overwrites a model's parameters and buffers with those of a file. Nothing is changed when something does not fit.
 * @param path of a `.safetensors` file, of the index of a set of them (`model.safetensors.index.json`), or of a
 *   folder that holds `model.safetensors` or its index
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
