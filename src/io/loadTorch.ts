/** Files of PyTorch's state dicts, read into a model here. */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { DataError } from '../base/errors.js'
import type { AnyModule } from '../nn/module.js'
import { isTorch, layoutIn } from './layout.js'
import { checkArguments, misfit } from './model.js'
import { readModelFile } from './modelFile.js'
import { matchTorch, requireMatch, type TorchPlan, warnOf } from './torch/plan.js'
import type { TorchOptions } from './torch/state.js'

/** Settings of `loadTorch`. */
export interface LoadTorchOptions extends TorchOptions {
  /** Whether both must have the same names; true by default. False reads those that both have. */
  strict?: boolean
  /** Whether the plan is printed; false by default. */
  verbose?: boolean
}

/**
 * Overwrites a model's parameters and buffers with those of a state dict of PyTorch's, as
 * `save_file(model.state_dict(), path)` of `safetensors.torch` writes it. Names are found as PyTorch gives them:
 * the layers of a `Sequential` by their numbers, or in their order where activations or `ChannelsLast` shift
 * them, running moments under PyTorch's names, all with or without the `module.` of DataParallel; `rename` says what
 * else differs. Weights of `Linear` are transposed, those of convolutions become channels last, grouped,
 * depthwise and transposed ones, too. Nothing is changed when something does not fit.
 *
 * Weights after a `Flatten` of images fit where it has `order: 'channelsFirst'`, as PyTorch's; of another the
 * plan has a note, and a NeuroblasWarning says so. Images that `forward` itself makes flat are not noticed.
 * @param path of a file, of the index of a set of them, or of a folder, as `loadModel` takes it
 * @returns the plan: what each tensor became, and what was left over
 * @throws DataError when the file is malformed, or none of PyTorch's, and when names or shapes do not fit: it
 *   names the layer and both shapes; ArgumentError for options that do not exist or name nothing in the file,
 *   BusyError as `stateDict`
 * @example console.log(String(loadTorch('resnet.safetensors', model, { rename: { fc: 'head' } })))
 */
export function loadTorch(
  path: string,
  model: AnyModule,
  options: LoadTorchOptions = {},
): TorchPlan {
  checkArguments('loadTorch', model, path)
  const known = { rename: true, strict: true, verbose: true } as const
  const { rename, strict = true, verbose = false } = optionsOf('loadTorch', options, known)
  checkFlag('loadTorch', 'strict', strict)
  checkFlag('loadTorch', 'verbose', verbose)
  const { tensors, metadata } = readModelFile(path)
  const layout = layoutIn(metadata)
  if (layout !== undefined && !isTorch(layout)) {
    throw new DataError(
      `${path}: expected a state dict of PyTorch's, got a model of neuroblas; loadModel reads it`,
    )
  }
  const matched = matchTorch('loadTorch', model, tensors, rename)
  const { plan, values } = matched
  if (verbose) console.log(String(plan))
  try {
    requireMatch(matched, strict)
    model.loadStateDict(values, { strict: false })
  } catch (error) {
    throw misfit(error, `${path}: `)
  }
  warnOf(plan.notes)
  return plan
}
