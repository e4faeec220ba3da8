/** The names that PyTorch gives to the running moments of batch norm. */
import type { AnyModule } from '../nn/module.js'
import { BatchNorm } from '../nn/batchNorm.js'
import type { StoredTensor } from './safetensorsDtypes.js'

const NAMES = { running_mean: 'runningMean', running_var: 'runningVar' }
/** How many batches PyTorch has seen, which nothing here depends on. */
const COUNT = 'num_batches_tracked'

/** A file's tensors with the running moments of the model's batch norms under their names here. */
export function asOwnNames(
  model: AnyModule,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  const renamed = new Map(tensors)
  for (const [path, module] of model.namedModules()) {
    if (!(module instanceof BatchNorm)) continue
    const prefix = path === '' ? '' : `${path}.`
    for (const [torch, own] of Object.entries(NAMES)) {
      const found = tensors.get(prefix + torch)
      if (found === undefined || tensors.has(prefix + own)) continue
      renamed.delete(prefix + torch)
      renamed.set(prefix + own, found)
    }
    renamed.delete(prefix + COUNT)
  }
  return renamed
}
