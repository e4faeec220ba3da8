/**
 * The losses for class labels, by the names that the command line knows them by. The absolute error
 * is not among them: its best answer to one class of ten is 0 for all ten, and networks stay there.
 */
import {
  hinge,
  huber,
  type Loss,
  mse,
  softmaxCrossEntropy,
  softmaxFocal,
  type TargetKind,
  traitsOf,
} from './losses.js'

export const losses = {
  'cross-entropy': softmaxCrossEntropy,
  mse,
  huber,
  hinge,
  focal: softmaxFocal,
} satisfies Record<string, Loss<TargetKind>>

export type LossName = keyof typeof losses

/** Whether softmax makes probabilities of what is trained on it. */
export function isProbabilistic(loss: LossName): boolean {
  return traitsOf(losses[loss]).activations?.includes('softmax') ?? false
}
