/** How well a model does on a data set: its loss and its 0/1 accuracy. */

import { checkCount, checkLoss, optionsOf } from '../base/arguments.js'
import { DivergenceError } from '../base/errors.js'
import { unpaused } from '../base/eventLoop.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import { Examples } from '../data/examples.js'
import { DataLoader } from '../data/loader.js'
import { blameFor } from '../nn/finite.js'
import { whileAsking } from '../nn/lock.js'
import type { Loss, TargetKind } from '../nn/losses.js'
import { checkModule, inEval, type Module } from '../nn/module.js'
import { concat, stack } from '../ops/layout.js'
import { requireTensor } from '../ops/require.js'
import { fullLike } from '../tensor/allocate.js'
import { noGrad } from '../tensor/graph.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import { batchesOf } from './batches.js'
import { BatchRunner } from './batchRunner.js'
import { checkLabels, forward, lossOf } from './forward.js'
import { requireLogits } from './modelChecks.js'

/** How well a model does on a data set. */
export interface Evaluation {
  /** Mean loss over the examples. */
  loss: number
  /**
   * Share of examples classified right; undefined where targets are no labels, or more classes than one
   * output tells apart.
   */
  accuracy: number | undefined
}

// Examples per batch: enough to fill every thread.
const BATCH = 1000

/**
 * Class of each row of outputs [batch, classes]: the largest logit; for a single one [batch, 1],
 * whether it is positive. [batch]
 */
export function predictedClasses(outputs: Tensor): Tensor<'int32'> {
  requireTensor('predictedClasses', outputs)
  if (outputs.shape.at(-1) !== 1) return outputs.argmax(-1)
  // Class 0 has the logit 0: of the two, the first largest wins.
  const logit = outputs.reshape([outputs.size, 1])
  return concat([fullLike(logit, 0), logit], 1).argmax(1)
}

/**
 * Loss and accuracy over a whole data set, batch by batch, without gradients. It computes beside
 * JavaScript, as `fit` does. Meanwhile the model can be asked otherwise, too; what changes its weights waits
 * for the end.
 * @param options.loss what is averaged over the examples
 * @throws ArgumentError when an option does not exist or is out of range or the model ends with the
 * activation that the loss computes itself, ShapeError for a loss that is no scalar, DivergenceError
 * when it is not finite, BusyError while `fit` trains the model, but for its callbacks
 * @example const { accuracy } = await evaluate(model, test, { loss: softmaxCrossEntropy })
 */
export async function evaluate<K extends TargetKind>(
  model: Module,
  data: Dataset<K>,
  options: { loss: Loss<NoInfer<K>>; batchSize?: number },
): Promise<Evaluation> {
  const known = { loss: true, batchSize: true } as const
  const { loss, batchSize = BATCH } = optionsOf('evaluate', options ?? {}, known)
  checkModule('evaluate', model)
  checkDataset('evaluate', data)
  checkLoss('evaluate', loss)
  checkCount('evaluate', 'batchSize', batchSize)
  requireLogits('evaluate', model, loss)
  return whileAsking('evaluate', model, async () => {
    const evaluator = new Evaluator(model, await Examples.load(data), loss, batchSize)
    try {
      const evaluation = await evaluator.run()
      if (Number.isFinite(evaluation.loss)) return evaluation
      throw new DivergenceError(
        `evaluate: expected a finite loss, got ${evaluation.loss} (${blameFor(model)})`,
      )
    } finally {
      evaluator.dispose()
    }
  })
}

/** Evaluates a model again and again on examples that are copied once. */
export class Evaluator {
  readonly #loader: DataLoader
  readonly #steps: BatchRunner

  /** @param examples freed with the evaluator */
  constructor(
    readonly model: Module,
    examples: Examples,
    loss: Loss<TargetKind>,
    batchSize = BATCH,
  ) {
    this.#loader = new DataLoader(examples, { batchSize })
    // Step by step: in between, others may use the model in another mode.
    this.#steps = new BatchRunner('evaluate', (rows) =>
      unpaused(() => noGrad(() => inEval(model, () => this.#check(rows, loss)))),
    )
  }

  async run(): Promise<Evaluation> {
    const { size, batchSize } = this.#loader
    const order = within(null, () => this.#loader.order())
    try {
      const sums: number[] = []
      const batches = batchesOf(order, batchSize)
      for (const [at, values] of (await this.#steps.run(batches)).entries()) {
        const { steps, batchSize } = batches[at]
        const width = values.length / steps
        for (const [i, value] of values.entries()) {
          // Of the loss, which is a mean, and of the right answers, which are a number.
          sums[i % width] = (sums[i % width] ?? 0) + value * (i % width === 0 ? batchSize : 1)
        }
      }
      return {
        loss: sums[0] / size,
        accuracy: sums.length > 1 ? sums[1] / size : undefined,
      }
    } finally {
      order.dispose()
    }
  }

  dispose(): void {
    this.#steps.dispose()
    this.#loader.dispose()
  }

  /** The batch's loss and, for labels, the number of examples classified right. */
  #check(rows: Tensor<'int32'>, lossFn: Loss<TargetKind>): Tensor {
    const { inputs, targets } = this.#loader.gather(rows)
    const { data } = this.#loader
    const outputs = forward('evaluate', this.model, inputs, data)
    checkLabels('evaluate', data, outputs, lossFn)
    const loss = lossOf('evaluate', lossFn, outputs, targets)
    // One output tells two classes apart: other whole numbers are its values.
    const isValues = outputs.shape.at(-1) === 1 && data.classes.length > 2
    if (targets.dtype !== 'int32' || isValues) return loss
    const hits = predictedClasses(outputs).equal(targets as Tensor<'int32'>)
    return stack([loss, hits.sum()])
  }
}
