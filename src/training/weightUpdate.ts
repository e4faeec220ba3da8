/** A step of an optimizer, and what is done with the gradients before it. */
import type { ExponentialMovingAverage } from '../optim/average.js'
import { clipGradNorm, clipGradValue } from '../optim/clip.js'
import type { Optimizer } from '../optim/optimizer.js'

export interface WeightUpdate {
  optimizer: Optimizer
  clipNorm?: number
  clipValue?: number
  /** What follows the weights. */
  average?: ExponentialMovingAverage
}

/** Takes a step by the gradients that there are, and forgets them. */
export function updateWeights({ optimizer, clipNorm, clipValue, average }: WeightUpdate): void {
  const parameters = optimizer.parameters()
  if (clipValue !== undefined) clipGradValue(parameters, clipValue)
  if (clipNorm !== undefined) clipGradNorm(parameters, clipNorm)
  optimizer.step()
  optimizer.zeroGrad()
  average?.update()
}
