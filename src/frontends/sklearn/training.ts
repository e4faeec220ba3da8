/** The epochs of a perceptron's training, until it ends as scikit-learn has it. */
import { type Dataset, fit, type Module, type Optimizer } from '../../index.js'
import type { Network } from './network.js'
import type { MLPParameters } from './parameters.js'
import type { Progress } from './progress.js'

interface Training {
  network: Network
  optimizer: Optimizer
  progress: Progress
  params: MLPParameters
  seed: number
  /** One epoch, which does not ask for convergence. */
  isPartial: boolean
  data: Dataset
  /** The score on the examples set aside, if there are any. */
  score?: () => number
  warn(message: string, type?: string): void
}

/** With a score, the network ends with the weights of the best one, also where training throws. */
export async function train(training: Training): Promise<void> {
  const { network, optimizer, progress, params, seed, isPartial, data, score, warn } = training
  const epochs = isPartial ? 1 : params.maxIter
  const stopping = new AbortController()
  progress.begin(params, (scale) => network.setRate(scale))
  let best: ReturnType<Module['stateDict']> | undefined
  const onEpoch = ({ loss }: { loss: number }) => {
    const { isBest, ends } = progress.end(params, data.size, loss, score?.())
    if (score && isBest) best = network.model.stateDict()
    if (ends) stopping.abort()
  }
  try {
    await fit(network.model, data, {
      loss: network.loss,
      optimizer,
      epochs,
      seed,
      shuffle: params.shuffle,
      onEpoch,
      batchSize: batchSizeFor(training),
      signal: stopping.signal,
    })
  } finally {
    if (best) network.model.loadStateDict(best)
  }
  if (!isPartial && !stopping.signal.aborted) {
    warn(`not converged after maxIter = ${epochs} epochs`, 'ConvergenceWarning')
  }
}

function batchSizeFor({ params: { batchSize }, data: { size }, warn }: Training): number {
  if (batchSize !== 'auto' && batchSize > size) {
    warn(`batchSize ${batchSize} is more than the ${size} examples; it is cut down to them`)
  }
  return Math.min(batchSize === 'auto' ? 200 : batchSize, size)
}
