/** The network of a training run of the command line, and its optimizer. */
import {
  convnet,
  embeddingsOf,
  l1,
  l2,
  mlp,
  type Optimizer,
  type Sequential,
  ShapeError,
  schedules,
  setSeed,
  tableNetwork,
} from '../../index.js'
import { optimizers } from './optimizers.js'
import { UsageError } from './options.js'
import type { Problem, TrainingOptions } from './problem.js'

export function buildNetwork(problem: Problem, options: TrainingOptions) {
  const inputs = problem.train.inputShape.reduce((a, b) => a * b, 1)
  const outputs = problem.task === 'regress' ? 1 : problem.classes.length
  const { activation, dropout, layers, network, filters, pooling } = options
  const units = [inputs, ...layers, outputs]
  setSeed(options.seed)
  if (network === 'dense') {
    const { encoding } = problem
    if (encoding === undefined) {
      const model = mlp(units, { activation, dropout })
      return { architecture: { units, activation, dropout }, model }
    }
    const embeddings = embeddingsOf(encoding)
    const model = tableNetwork(encoding, units.slice(1), { activation, dropout })
    const found = embeddings.length > 0 ? { embeddings } : {}
    return { architecture: { units, activation, dropout, ...found }, model }
  }
  const { image } = problem
  if (image === undefined) {
    throw new UsageError(
      `--network: expected dense for what are no images, got conv for ${problem.name}`,
    )
  }
  const convolutions = { image, filters, ...(pooling && { pooling }) }
  const architecture = { units, activation, dropout, convolutions }
  try {
    const model = convnet(image, filters, units.slice(1), { activation, dropout, pooling })
    return { architecture, model }
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw new UsageError(`--filters: ${error.message}`)
  }
}

export function buildOptimizer(
  model: Sequential,
  examples: number,
  options: TrainingOptions,
): Optimizer {
  const steps = Math.ceil(examples / options.batchSize) * options.epochs
  const settings = {
    lr: schedules.cosine(options.lr, steps),
    regularizer: [
      ...(options.l1 > 0 ? [l1(options.l1)] : []),
      ...(options.l2 > 0 ? [l2(options.l2)] : []),
    ],
  }
  return optimizers[options.optimizer].make(model.parameters(), settings, options.momentum)
}
