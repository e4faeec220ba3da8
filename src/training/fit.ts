/**
 * The training loop: epochs over shuffled batches, validation, early stopping, callbacks. JavaScript
 * hears of it every few milliseconds; when the signal is aborted, it stops there.
 */

import { optionsOf } from '../base/arguments.js'
import { nextIteration } from '../base/eventLoop.js'
import { type BlockSource, isBlockSource } from '../data/blocks/blockSource.js'
import type { Dataset } from '../data/dataset.js'
import { whileTraining } from '../nn/lock.js'
import type { TargetKind } from '../nn/losses.js'
import type { AnyModule, Module } from '../nn/module.js'
import { regularizersOf } from '../optim/regularized.js'
import type { Lock } from '../tensor/locks.js'
import { Generator, streams } from '../tensor/random.js'
import type { BatchFitOptions } from './batchOptions.js'
import { type BatchData, isBatchData } from './batchSource.js'
import { type BlockFitOptions, blockOptionsOf } from './blockOptions.js'
import { Checkpoint, type CheckpointFiles, oneFile, seedFor } from './checkpoint.js'
import { type EpochParts, runEpochs } from './epoch.js'
import { Evaluator } from './evaluate.js'
import { checkWeights } from './exampleWeights.js'
import { fitBatches } from './fitBatches.js'
import { checkData, checkOptions, type FitOptions, OPTIONS } from './fitOptions.js'
import { Measures } from './measures.js'
import { requireLogits } from './modelChecks.js'
import { Pace } from './pace.js'
import { Recovery } from './recovery.js'
import type { TrainingHistory } from './report.js'
import { CheckpointFolder } from './runs/checkpointFolder.js'
import { runOptionsOf } from './runs/options.js'
import { RunRecord } from './runs/runRecord.js'
import { type AnyFitOptions, disposeOf, trainingDataOf } from './trainingData.js'
import { TrainingLoop } from './trainingLoop.js'
import { TrainingStep } from './trainingStep.js'
import { identityOf } from './updateOptions.js'

/**
 * Trains as on a data set, which is told of beside it, on batches in turn, `{ inputs, targets }` from an iterable, synchronous or not, and for several inputs or
 * targets, as arrays of all examples or in batches. A model of several inputs is given a list of them one by one, and a
 * record as a record; the loss is given outputs and targets as they are, or `losses` has one for some outputs by name.
 * Steps go one at a time, captured for each shape of a batch. An error of the iterable is thrown, and the iterable is
 * closed when `fit` is done.
 * @throws ArgumentError for options that need a data set, for what are no batches, and where there are none
 * @example
 * await fit(model, readBatches(), { loss: mse, optimizer, epochs: 5, stepsPerEpoch: 100 })
 * @example
 * await fit(gated, { inputs: { x, gate }, targets: { y } }, { losses: { y: mse }, optimizer, epochs: 5 })
 */
export function fit(
  model: AnyModule,
  batches: BatchData,
  options: BatchFitOptions,
): Promise<TrainingHistory>
/**
 * Trains on examples that come in blocks and are never held all at once: the next ones are read while the model is
 * trained on those before. From the second epoch on they come from a file (`cache`), and shuffling has two levels:
 * the chunks of the file, and the rows of many chunks. In the first epoch rows are mixed within `shuffleBuffer`
 * examples of the source's order. All else is as on a data set.
 * @throws DataError for blocks that do not fit their source, or have changed since the epoch before, and what the
 * source throws; others as on a data set
 * @example
 * await fit(model, source, { loss: softmaxCrossEntropy, optimizer, epochs: 5, batchSize: 128 })
 */
export function fit<K extends TargetKind>(
  model: Module,
  source: BlockSource<K>,
  options: BlockFitOptions<NoInfer<K>>,
): Promise<TrainingHistory>
/**
 * Minimizes the loss on the data plus the optimizer's regularization. Steps are captured: what the model and
 * the loss do in JavaScript happens once, and numbers that they read there keep their values; what
 * may change is in tensors, random generators and the optimizer's settings, and between epochs
 * `training` and `requiresGrad`, by which weights are frozen. A model that reads values is trained step
 * by step instead, with a warning. Inputs that are more than 100 apart get a warning, too.
 *
 * Runs and evaluations of the model that others await are waited for. Then the model belongs to `fit` until
 * that is done, but for its callbacks: whatever else uses it throws a BusyError at once. While `onEpoch` is
 * awaited, others can read it, too.
 * @throws ArgumentError for options out of range, DivergenceError when a figure or a weight is no longer
 * finite and `onDivergence` is `stop`, DataError when the checkpoint is malformed, belongs to another
 * training, or another process trains on it, BusyError while the model is being trained
 * @example
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, validation: 0.1 })
 */
export function fit<K extends TargetKind>(
  model: Module,
  data: Dataset<K>,
  options: FitOptions<NoInfer<K>>,
): Promise<TrainingHistory>
export async function fit(
  model: AnyModule,
  data: Dataset | BlockSource | BatchData,
  given: FitOptions | BlockFitOptions | BatchFitOptions,
): Promise<TrainingHistory> {
  if (isBlockSource(data)) {
    return train(model, data, blockOptionsOf(model, data, given as BlockFitOptions))
  }
  if (isBatchData(data)) return fitBatches(model, data, given as BatchFitOptions)
  const options = optionsOf('fit', given as FitOptions, OPTIONS)
  checkOptions(model, options)
  checkData(data, options.validation)
  checkWeights(data, options)
  return train(model, data, options)
}

/** Waits until the model is its own. */
async function train(
  model: Module,
  data: Dataset | BlockSource,
  options: AnyFitOptions,
): Promise<TrainingHistory> {
  requireLogits('fit', model, options.loss)
  const state = [...model.namedState().values(), ...options.optimizer.parameters()]
  return whileTraining('fit', state, (lock) => trainLocked(model, data, options, lock))
}

async function trainLocked(
  model: Module,
  data: Dataset | BlockSource,
  options: AnyFitOptions,
  lock: Lock,
): Promise<TrainingHistory> {
  const { batchSize = 32, shuffle = true, epochs, signal, optimizer, augment } = options
  const seed = options.seed ?? seedFor(filesOf(options)?.list() ?? [])
  const { onDivergence = 'stop', onValidation, validateEvery, metrics = [] } = options
  // What an earlier loop left behind would be part of the first step.
  model.zeroGrad()
  optimizer.zeroGrad()
  await nextIteration()
  const ready = await trainingDataOf(model, data, options, seed)
  const { loader, validation, weights, weighedBy } = ready
  const { clipNorm, clipValue } = options
  const changes = new Generator(seed, streams.augment)
  const measures = metrics.length > 0 ? new Measures('fit', metrics, loader) : undefined
  const loop = new TrainingLoop(model, options, lock)
  const { average, best } = loop
  const steps = new TrainingStep(model, loader, {
    loss: options.loss,
    optimizer,
    monitor: options.monitor,
    stepwise: options.stepwise,
    microBatch: batchSize,
    clipNorm,
    clipValue,
    average,
    weights,
    measures,
    validation: validation?.data,
    change: augment && (({ inputs, targets }) => augment(inputs, targets, changes)),
  })
  const evaluator =
    validation && new Evaluator('evaluate', model, validation, { loss: options.loss, metrics })
  const generators = { changes, ...(loader.generator && { order: loader.generator }) }
  const settings = { examples: loader.total ?? 0, batchSize, seed, shuffle }
  const state = { model, optimizer, generators, average }
  const recovery = new Recovery(state, onDivergence)
  const isSeenAfter = (epoch: number) =>
    epoch === epochs || signal !== undefined || isAwaited(options)
  const parts: EpochParts = {
    run: state,
    steps,
    loader,
    pace: new Pace(),
    validate: evaluator && (() => loop.validate(() => evaluator.run(loop.validationWatch))),
    isSeenAfter,
    measures,
    validateEvery,
    onValidation: onValidation && ((report) => lock.lend(() => onValidation(report))),
    onStep: (report) => {
      record?.step(report)
      loop.step(report)
    },
    signal,
  }
  let checkpoint: Checkpoint | undefined
  let record: RunRecord | undefined
  model.train()
  try {
    const files = filesOf(options)
    // Where nothing will be done, there is no beginning to be kept.
    if (files && !signal?.aborted) {
      const { loss, validation, resumeWith = [] } = options
      const updates = identityOf(options)
      const run = { ...state, best, steps, data, validation, loss, settings, updates }
      const weighed = { ...run, weights: weighedBy }
      if (options.run === undefined) {
        checkpoint = await Checkpoint.open(files, weighed, resumeWith)
      } else {
        record = await RunRecord.open(runOptionsOf(options.run), weighed, resumeWith, {
          epochs,
          stepsPerEpoch: () => loader.length,
          isValidated: validation !== undefined,
          canPause: onDivergence === 'stop',
          signal,
        })
        checkpoint = record.checkpoint
        parts.pauses = record
      }
    }
    let begun = checkpoint?.part
    loop.begin(checkpoint?.epochs ?? [])
    recovery.begin(checkpoint?.hasNewLr ? [] : loop.history.epochs)
    while (loop.goesOn()) {
      const most = isAwaited(options) ? 1 : epochs - loop.done
      const reports = await recovery.attempt(() => runEpochs(loop.done + 1, most, parts, begun))
      begun = undefined
      if (reports === 'diverged') {
        loop.history.ended = reports
        break
      }
      if (reports === 'again' || reports.length === 0) continue
      const report = reports[reports.length - 1]
      if (recovery.returns > 0) report.returns = recovery.returns
      const keeper = record ?? checkpoint
      await loop.add(reports, report.examples === loader.total ? keeper : undefined)
    }
    record?.finish()
    const history = await loop.end()
    record?.end(history)
    return history
  } catch (error) {
    record?.fail(error)
    await best.restoreAfterError()
    throw error
  } finally {
    record?.close()
    checkpoint?.close()
    recovery.end()
    loop.dispose()
    steps.dispose()
    await evaluator?.dispose()
    changes.dispose()
    await disposeOf(ready)
  }
}

/** Where the state of the training is kept, if it is. */
function filesOf({ checkpoint, run }: AnyFitOptions): CheckpointFiles | undefined {
  if (run === undefined) return checkpoint === undefined ? undefined : oneFile(checkpoint)
  const { folder, keep } = runOptionsOf(run)
  return new CheckpointFolder(folder, keep)
}

/** Whether something happens after each epoch that the next one waits for. */
function isAwaited(options: AnyFitOptions): boolean {
  const { onEpoch, checkpoint, run, validation, metrics, optimizer } = options
  const { onDivergence = 'stop' } = options
  const isRegularized = optimizer.groups.some((group) => regularizersOf(group).length > 0)
  const awaited = [onEpoch, checkpoint, run, validation, metrics].some((one) => one !== undefined)
  return awaited || isRegularized || onDivergence !== 'stop'
}
