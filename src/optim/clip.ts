/** Gradients of bounded size, between `backward()` and an optimizer's step. */
import { ALONG_ALL } from '../backend/broadcast.js'
import { isRecording } from '../backend/record.js'
import { checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { concat } from '../ops/layout.js'
import { norm } from '../ops/reduce.js'
import { fullLike } from '../tensor/allocate.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { memoryOf, refuseWriting } from '../tensor/locks.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkParameters } from './groups.js'

/** Options of `clipGradNorm`. */
export interface ClipOptions {
  /** 2 for the Euclidean norm, the default; Infinity for the largest absolute value. */
  normType?: number
}

/**
 * Scales the gradients of all parameters together so that their norm, as if they were one vector, is at most
 * `maxNorm`: by min(1, maxNorm / (norm + 1e-6)), as PyTorch does. Parameters without a gradient are left out.
 * A norm that is NaN or infinite is not hidden: it makes gradients NaN. In a captured step, too.
 * @param maxNorm > 0; Infinity only measures
 * @returns the norm before, a scalar; 0 where there is no gradient
 * @throws ArgumentError for what are no tensors, and options out of range, BusyError while somebody awaits
 *   what uses a gradient
 * @example
 * loss.backward()
 * clipGradNorm(model.parameters(), 1)
 * optimizer.step()
 */
export function clipGradNorm(
  parameters: readonly Tensor[],
  maxNorm: number,
  options: ClipOptions = {},
): Tensor {
  const { normType = 2 } = optionsOf('clipGradNorm', options, { normType: true })
  checkNumber('clipGradNorm', 'maxNorm', maxNorm, (value) => value > 0, '> 0')
  if (normType !== 2 && normType !== Infinity) {
    throw new ArgumentError(
      `clipGradNorm: expected normType 2 or Infinity, got ${excerpt(normType)}`,
    )
  }
  const gradients = gradientsOf('clipGradNorm', parameters)
  return noGrad(() =>
    scope(() => {
      if (gradients.length === 0) return tensor(0)
      const isEuclidean = normType === 2
      const norms = gradients.map((g) => (isEuclidean ? norm(g) : g.abs().max()).reshape([1]))
      const all = concat(norms)
      const total = isEuclidean ? norm(all) : all.max()
      const factor = fullLike(total, maxNorm).div(total.add(1e-6)).minimum(1)
      for (const { storage, handle, size } of gradients) {
        storage.backend.run('mul', handle, factor.handle, handle, 1, 1, size, ALONG_ALL, 0)
        storage.version++
      }
      return total
    }),
  )
}

/**
 * Bounds each element of the gradients: from -limit to limit. NaN stays. In a captured step, too.
 * @param limit > 0
 * @throws ArgumentError for what are no tensors, and a limit out of range, BusyError while somebody awaits
 *   what uses a gradient
 */
export function clipGradValue(parameters: readonly Tensor[], limit: number): void {
  checkNumber('clipGradValue', 'limit', limit, (value) => value > 0, '> 0')
  for (const { storage, handle, size } of gradientsOf('clipGradValue', parameters)) {
    storage.backend.run('clip', handle, handle, size, -limit, limit)
    storage.version++
  }
}

/** Those that there are and that have elements. */
function gradientsOf(op: string, parameters: readonly Tensor[]): Tensor[] {
  checkParameters(op, parameters)
  const gradients = parameters
    .map(({ grad }) => grad)
    .filter((grad) => grad !== null && grad.size > 0) as Tensor[]
  if (!isRecording()) refuseWriting(op, () => memoryOf(gradients))
  return gradients
}
