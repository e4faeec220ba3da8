/** How well a model does on a data set: its loss and its 0/1 accuracy. */

import { checkCount, checkLoss, optionsOf } from '../base/arguments.js'
import { DivergenceError } from '../base/errors.js'
import { unpaused } from '../base/eventLoop.js'
import type { BatchLoader } from '../data/batchLoader.js'
import { BlockLoader } from '../data/blocks/blockLoader.js'
import { type BlockSource, isBlockSource } from '../data/blocks/blockSource.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import { Examples } from '../data/examples.js'
import { DataLoader } from '../data/loader.js'
import { type MetricSource, type MetricValues, metricsOf } from '../metrics/names.js'
import { blameFor } from '../nn/finite.js'
import { whileAsking } from '../nn/lock.js'
import type { Loss, TargetKind, Targets } from '../nn/losses.js'
import { checkModule, inEval, type Module } from '../nn/module.js'
import { concat, stack } from '../ops/layout.js'
import { requireTensor } from '../ops/require.js'
import { fullLike } from '../tensor/allocate.js'
import { noGrad } from '../tensor/graph.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Batches, batchesOf, countSteps, takeSteps } from './batches.js'
import { BatchRunner } from './batchRunner.js'
import { checkLabels, forward, lossOf } from './forward.js'
import { Measures, measure, withOutputs } from './measures.js'
import { requireLogits } from './modelChecks.js'
import { Pace } from './pace.js'
import type { EvaluationProgress } from './report.js'
import { checkVerbose, EvaluationBar } from './verbose.js'

/** How well a model does on a data set. */
export interface Evaluation {
  /** Mean loss over the examples. */
  loss: number
  /**
   * Share of examples classified right; undefined where targets are no labels, or more classes than one
   * output tells apart.
   */
  accuracy: number | undefined
  /** What was asked for as `metrics`, by name. */
  metrics?: MetricValues
}

/** Examples per batch: enough to fill every thread. */
export const BATCH = 1000
// 16 MiB of them.
const MOST_OUTPUTS = 2 ** 22

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
 * Loss and accuracy over a whole data set or all blocks of a source, batch by batch, without gradients. It computes beside
 * JavaScript, as `fit` does. Meanwhile the model can be asked otherwise, too; what changes its weights waits
 * for the end.
 * @param options.loss what is averaged over the examples
 * @param options.metrics what is computed of the outputs besides, by name or as objects, which stay as they are
 * @param options.verbose 1 shows a bar on the error output, with the loss so far; 0, the default, nothing
 * @throws ArgumentError when an option does not exist or is out of range or the model ends with the
 * activation that the loss computes itself, ShapeError for a loss that is no scalar, DivergenceError
 * when it is not finite, BusyError while `fit` trains the model, but for its callbacks
 * @example const { accuracy } = await evaluate(model, test, { loss: softmaxCrossEntropy })
 */
export async function evaluate<K extends TargetKind>(
  model: Module,
  data: Dataset<K> | BlockSource<K>,
  options: {
    loss: Loss<NoInfer<K>>
    batchSize?: number
    metrics?: readonly MetricSource[]
    verbose?: 0 | 1
  },
): Promise<Evaluation> {
  const known = { loss: true, batchSize: true, metrics: true, verbose: true } as const
  const given = optionsOf('evaluate', options ?? {}, known)
  const { loss, batchSize = BATCH, metrics, verbose = 0 } = given
  checkModule('evaluate', model)
  if (!isBlockSource(data)) checkDataset('evaluate', data)
  checkLoss('evaluate', loss)
  checkCount('evaluate', 'batchSize', batchSize)
  requireLogits('evaluate', model, loss)
  if (metrics) metricsOf('evaluate', metrics)
  checkVerbose('evaluate', verbose, 1)
  const bar = verbose === 1 ? new EvaluationBar() : undefined
  return whileAsking('evaluate', model, async () => {
    const loader = isBlockSource(data)
      ? new BlockLoader('evaluate', data, { batchSize, shuffle: false, seed: 0, cache: false })
      : new DataLoader(await Examples.load(data), { batchSize })
    const evaluator = new Evaluator('evaluate', model, loader, { loss, metrics })
    try {
      const evaluation = await evaluator.run(bar && ((progress) => bar.update(progress)))
      if (Number.isFinite(evaluation.loss)) return evaluation
      throw new DivergenceError(
        `evaluate: expected a finite loss, got ${evaluation.loss} (${blameFor(model)})`,
      )
    } finally {
      bar?.close()
      await evaluator.dispose()
    }
  })
}

interface EvaluatorOptions {
  loss: Loss<TargetKind>
  metrics?: readonly MetricSource[]
}

/** Evaluates a model again and again on the same examples. */
export class Evaluator {
  readonly #steps: BatchRunner
  readonly #measures: Measures | undefined
  #runs = 0

  /** @param loader freed with the evaluator */
  constructor(
    readonly op: string,
    readonly model: Module,
    readonly loader: BatchLoader,
    { loss, metrics = [] }: EvaluatorOptions,
  ) {
    this.#measures = metrics.length > 0 ? new Measures(op, metrics, loader) : undefined
    // Step by step: in between, others may use the model in another mode.
    this.#steps = new BatchRunner(op, (rows) =>
      unpaused(() => noGrad(() => inEval(model, () => this.#check(rows, loss)))),
    )
  }

  /** @param tell hears how far it is after each dispatch, of which there are more then */
  async run(tell?: (progress: EvaluationProgress) => void): Promise<Evaluation> {
    const pace = new Pace()
    const sums: number[] = []
    let done = 0
    let examples = 0
    this.#measures?.reset()
    for await (const [order] of this.loader.passes(++this.#runs, 1)) {
      examples += order.size
      for (const left = batchesOf(order, this.loader.batchSize); left.length > 0; ) {
        const most = tell ? Math.min(pace.steps, this.#mostTogether) : this.#mostTogether
        const batches = takeSteps(left, most)
        const begin = performance.now()
        for (const [at, values] of (await this.#run(batches)).entries()) {
          const { steps, batchSize } = batches[at]
          const width = values.length / steps
          for (const [i, value] of values.entries()) {
            // Of the loss, which is a mean, and of the right answers, which are a number.
            sums[i % width] = (sums[i % width] ?? 0) + value * (i % width === 0 ? batchSize : 1)
          }
          done += steps * batchSize
        }
        pace.note(countSteps(batches), performance.now() - begin)
        tell?.({ examples: done, total: this.loader.total, loss: sums[0] / done })
      }
    }
    const loss = sums[0] / examples
    const accuracy = sums.length > 1 ? sums[1] / examples : undefined
    if (!this.#measures || !Number.isFinite(loss)) return { loss, accuracy }
    return { loss, accuracy, metrics: this.#measures.compute() }
  }

  /** Steps whose outputs, which metrics need, are kept at a time. */
  get #mostTogether(): number {
    if (!this.#measures) return Infinity
    return Math.max(1, Math.floor(MOST_OUTPUTS / (this.loader.batchSize * this.#measures.width)))
  }

  async #run(batches: readonly Batches[]): Promise<Float32Array[]> {
    const results = await this.#steps.run(batches)
    return this.#measures ? measure(this.#measures, batches, results) : results
  }

  async dispose(): Promise<void> {
    this.#steps.dispose()
    await this.loader.dispose()
  }

  /** The batch's loss and, for labels, the number of examples classified right. */
  #check(rows: Tensor<'int32'>, lossFn: Loss<TargetKind>): Tensor {
    const { inputs, targets } = this.loader.gather(rows)
    const { data } = this.loader
    const outputs = forward(this.op, this.model, inputs, data)
    checkLabels(this.op, data, outputs, lossFn)
    this.#measures?.expect(outputs, lossFn)
    const loss = lossOf(this.op, lossFn, outputs, targets)
    const figures = [loss, ...this.#hits(outputs, targets)]
    if (this.#measures) return withOutputs(figures, [outputs])
    return figures.length > 1 ? stack(figures) : loss
  }

  /** The number of examples classified right, where that can be said. */
  #hits(outputs: Tensor, targets: Targets): Tensor[] {
    // One output tells two classes apart: other whole numbers are its values.
    const isValues = outputs.shape.at(-1) === 1 && this.loader.data.classes.length > 2
    if (targets.dtype !== 'int32' || isValues) return []
    return [
      predictedClasses(outputs)
        .equal(targets as Tensor<'int32'>)
        .sum(),
    ]
  }
}
