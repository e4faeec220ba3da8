/** How well a model does on a data set: its risk and its 0/1 accuracy. */
import { noGrad } from './autograd.js'
import type { Dataset } from './data/dataset.js'
import { DataLoader } from './data/loader.js'
import type { Loss, Targets } from './losses.js'
import type { Module } from './nn/module.js'
import { concat } from './ops/layout.js'
import { scope } from './scope.js'
import type { Tensor } from './tensor.js'

export interface Evaluation {
  /** Mean loss over the examples. */
  risk: number
  /** Share of examples classified right; undefined where targets are no labels. */
  accuracy: number | undefined
}

/** Class of each row of outputs: the largest logit; for a single one, whether it is positive. */
export function predictedClasses(outputs: Tensor): Tensor<'int32'> {
  if (outputs.shape.at(-1) !== 1) return outputs.argmax(-1)
  // Class 0 has the logit 0: of the two, the first largest wins.
  const logit = outputs.reshape([outputs.size, 1])
  return concat([logit.filled(0), logit], 1).argmax(1)
}

/**
 * Risk and accuracy over a whole data set, batch by batch, without gradients.
 * @param loss what the risk is the mean of
 */
export function evaluate(
  model: Module,
  data: Dataset,
  { loss, batchSize = 1000 }: { loss: Loss; batchSize?: number },
): Evaluation {
  const loader = new DataLoader(data, { batchSize })
  try {
    return evaluateBatches(model, loader, loss)
  } finally {
    loader.dispose()
  }
}

/** The same over a loader that is kept, so that its data is copied once. */
export function evaluateBatches(model: Module, loader: DataLoader, loss: Loss): Evaluation {
  const wasTraining = model.training
  model.eval()
  let risk = 0
  let correct: number | undefined
  try {
    for (const { inputs, targets } of loader) {
      const [sum, hits] = noGrad(() =>
        scope(() => {
          const outputs = model.forward(inputs)
          const size = inputs.shape[0]
          return [loss(outputs, targets).item() * size, countCorrect(outputs, targets)]
        }),
      )
      risk += sum as number
      if (hits !== undefined) correct = (correct ?? 0) + hits
    }
  } finally {
    model.train(wasTraining)
  }
  return {
    risk: risk / loader.size,
    accuracy: correct === undefined ? undefined : correct / loader.size,
  }
}

function countCorrect(outputs: Tensor, targets: Targets): number | undefined {
  if (targets.dtype !== 'int32') return undefined
  return predictedClasses(outputs)
    .equal(targets as Tensor<'int32'>)
    .sum()
    .item()
}
