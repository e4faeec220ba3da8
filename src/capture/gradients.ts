/** What becomes of the gradients that a captured function leaves. */
import type { DType } from '../backend/dtype.js'
import type { RecordingBackend } from '../backend/record.js'
import { CaptureError } from '../base/errors.js'
import { format, type Shape } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'

/** What of an argument decides on what is recorded. */
export interface Argument {
  readonly dtype: DType
  readonly shape: Shape
  readonly requiresGrad: boolean
}

/**
 * Refuses gradients that op by op would be there in the next call, to be added to: a captured function
 * drops them. Those that were forgotten before the first backward are new in each call. What an optimizer
 * does not step along is of use only where it was looked at.
 */
export function refuseLostGradients(
  { leaves, cleared, seen, stepped }: RecordingBackend,
  args: readonly AnyTensor[],
  inputs: readonly Argument[],
): void {
  const isUnused = stepped.size === 0 && seen.size === 0
  for (const leaf of leaves as Set<Tensor>) {
    const argument = args.indexOf(leaf)
    const isOutside = argument < 0 ? !leaf.storage.isRecorded : inputs[argument].requiresGrad
    const isLost = isOutside && leaf.grad !== null && !cleared.has(leaf)
    if (!isLost || !(isUnused || stepped.has(leaf))) continue
    throw new CaptureError(
      `capture: a gradient is left on a tensor of shape ${format(leaf.shape)}, and calls do not add up gradients; call zeroGrad() inside, before backward() or after step(), or return the gradient`,
    )
  }
}
