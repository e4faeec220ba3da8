/**
 * The training loop: epochs over shuffled batches, validation, early stopping, callbacks. JavaScript
 * hears of it every few milliseconds; when the signal is aborted, it stops there.
 */

import {
  checkCount,
  checkFlag,
  checkFunction,
  checkLoss,
  checkPath,
  isWithin,
  optionsOf,
} from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError, spelled } from '../base/errors.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import { checkDataset, type Dataset, splitRows } from '../data/dataset.js'
import { Examples } from '../data/examples.js'
import { DataLoader } from '../data/loader.js'
import type { Augment } from '../data/transforms/distortion.js'
import type { Monitor } from '../monitor/monitor.js'
import type { Loss, TargetKind } from '../nn/losses.js'
import { checkModule, type Module } from '../nn/module.js'
import { isOptimizer, type Optimizer } from '../optim/optimizer.js'
import { Generator, streams } from '../tensor/random.js'
import { format } from '../tensor/shape.js'
import { BestWeights } from './bestWeights.js'
import { Checkpoint, seedFor } from './checkpoint.js'
import { runEpoch } from './epoch.js'
import { Evaluator } from './evaluate.js'
import { warnOfSpread } from './inputSpread.js'
import { refuseReplaced, requireLogits } from './modelChecks.js'
import { checkOnDivergence, type OnDivergence, Recovery } from './recovery.js'
import type { EpochReport, StepReport, TrainingHistory } from './report.js'
import { TrainingStep } from './trainingStep.js'

/** Settings of `fit`, for targets of a kind. */
export interface FitOptions<K extends TargetKind = TargetKind> {
  /** What is minimized, such as `softmaxCrossEntropy`. */
  loss: Loss<K>
  /** An optimizer of the model's parameters. */
  optimizer: Optimizer
  /** Passes over the data, a whole number from 0. */
  epochs: number
  /** Examples per step; 32 by default. 1 is the lecture's per-example update. */
  batchSize?: number
  /**
   * Seed of the batch order and of the validation split, from 0 to 2^53 - 1. By default each call has
   * another one, drawn after `setSeed`; a checkpoint goes on with its own.
   */
  seed?: number
  /** Whether each epoch has an order of its own; true by default, else the data's. */
  shuffle?: boolean
  /** A data set to validate on after each epoch, or the share of the examples to set aside for it. */
  validation?: Dataset<K> | number
  /** Stops when the validation loss has not fallen for `patience` epochs; keeps the best weights. */
  earlyStopping?: {
    /** A whole number from 1. */
    patience: number
  }
  /**
   * Changes the inputs of each batch at random, as `distortion` does; not those of the validation.
   * Its generator is seeded by `seed`.
   */
  augment?: Augment
  /**
   * A `.safetensors` file that holds the state of the training after each epoch. Where it exists,
   * training goes on from it, as if it had never been interrupted. It belongs to one training: to its
   * data, model, loss, optimizer with its settings, and batches; values of tensors that are neither
   * parameters nor data do not count. A disk that does not take it after an epoch costs a warning.
   */
  checkpoint?: string
  /**
   * Names of what may differ from the training that the checkpoint is of, such as `['lr']`: the error
   * that refuses it has them. What differs is noted in the file.
   */
  resumeWith?: readonly string[]
  /** Ends with the weights of the epoch of lowest validation loss. */
  keepBest?: boolean
  /**
   * What to do when a loss, the validation loss, the penalty, a parameter or what the optimizer keeps
   * for one is no longer finite. The epoch in which that happens is not reported, and no checkpoint is
   * written of it.
   *
   * - `stop`, the default: `fit` throws a DivergenceError. The weights stay as they are then, unless
   *   there are best ones to keep; a checkpoint holds the last good epoch.
   * - `restore`: parameters, optimizer and random generators go back to the end of the last good epoch,
   *   before the first one to where training began; `fit` warns and returns with `ended: 'diverged'`.
   * - `restoreAndLowerLr`: goes back likewise and on with a tenth of the learning rate, which holds
   *   until `fit` is done; after five times, it ends as with `restore`.
   *
   * The last two keep a copy of the state in memory.
   */
  onDivergence?: OnDivergence
  /** Looks into the network every so many steps; what is trained stays the same to the bit. */
  monitor?: Monitor
  /** Called for each step, soon after it: steps run many at a time. */
  onStep?: (report: StepReport) => void
  /** Called after each epoch, and awaited; the model can be used meanwhile. */
  onEpoch?: (report: EpochReport) => void | Promise<void>
  /**
   * Steps run one at a time: the one after which the signal is aborted is the last.
   * @internal
   */
  stepwise?: boolean
  /** Such as an AbortSignal: stops after the current step when it is aborted; what was reached is kept. */
  signal?: {
    /** Whether training is to stop. */
    readonly aborted: boolean
  }
}

/**
 * Minimizes the loss on the data plus the optimizer's regularization. Steps are captured: what the model and
 * the loss do in JavaScript happens once, and numbers that they read there keep their values; what
 * may change is in tensors, random generators and the optimizer's settings, and between epochs
 * `training` and `requiresGrad`, by which weights are frozen. A model that reads values is trained step
 * by step instead, with a warning. Inputs that are more than 100 apart get a warning, too. Until `fit` is done, the model's tensors can be
 * used in its callbacks only.
 * @throws ArgumentError for options out of range, DivergenceError when a figure or a weight is no longer
 * finite and `onDivergence` is `stop`, DataError when the checkpoint is malformed, belongs to another
 * training, or another process trains on it
 * @example
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, validation: 0.1 })
 */
export async function fit<K extends TargetKind>(
  model: Module,
  data: Dataset<K>,
  given: FitOptions<NoInfer<K>>,
): Promise<TrainingHistory> {
  const options = optionsOf('fit', given, OPTIONS)
  checkOptions(model, options)
  requireLogits('fit', model, options.loss)
  checkData(data, options.validation)
  const { batchSize = 32, shuffle = true, epochs, signal, optimizer, augment } = options
  const seed = options.seed ?? seedFor(options.checkpoint)
  const { onStep, onDivergence = 'stop' } = options
  // What an earlier loop left behind would be part of the first step.
  model.zeroGrad()
  optimizer.zeroGrad()
  const { train, validation } = await loadExamples(data, options.validation, seed)
  await warnOfSpread('fit', data)
  const parameters = model.namedParameters()
  const loader = new DataLoader(train, { batchSize, shuffle, seed })
  const changes = new Generator(seed, streams.augment)
  const steps = new TrainingStep(model, loader, {
    loss: options.loss,
    optimizer,
    monitor: options.monitor,
    stepwise: options.stepwise,
    validation: validation?.data,
    change: augment && (({ inputs, targets }) => augment(inputs, targets, changes)),
  })
  const evaluator = validation && new Evaluator(model, validation, options.loss)
  const best = new BestWeights(
    model,
    options.earlyStopping !== undefined || options.keepBest === true,
  )
  const patience = options.earlyStopping?.patience ?? Infinity
  const history: TrainingHistory = { epochs: [], bestEpoch: 0, ended: 'epochs' }
  const generators = { changes, ...(loader.generator && { order: loader.generator }) }
  const settings = { examples: train.size, batchSize, seed, shuffle }
  const state = { model, optimizer, generators }
  const recovery = new Recovery(state, onDivergence)
  let checkpoint: Checkpoint | undefined
  model.train()
  try {
    // Where nothing will be done, there is no beginning to be kept.
    if (options.checkpoint && !signal?.aborted) {
      const { loss, validation, resumeWith = [] } = options
      const run = { ...state, best, steps, data, validation, loss, settings }
      checkpoint = await Checkpoint.open(options.checkpoint, run, resumeWith)
      history.epochs = checkpoint.epochs
    }
    best.begin(history.epochs.length)
    recovery.begin(checkpoint?.hasNewLr ? [] : history.epochs)
    for (;;) {
      const done = history.epochs.length
      if (best.epochsSince(done) >= patience) history.ended = 'earlyStopping'
      if (signal?.aborted) history.ended = 'aborted'
      if (done >= epochs || history.ended !== 'epochs') break
      let report: EpochReport | undefined
      recovery.keep()
      try {
        const isSeen = done + 1 === epochs || isWatched(options)
        report = await runEpoch(done + 1, {
          run: state,
          steps,
          loader,
          evaluator,
          isSeen,
          onStep,
          signal,
        })
      } catch (error) {
        if (recovery.recover(error)) continue
        history.ended = 'diverged'
        break
      }
      if (report === undefined) continue
      if (recovery.returns > 0) report.returns = recovery.returns
      history.epochs.push(report)
      await best.offer(report.epoch, report.validationLoss)
      const isWhole = report.examples === train.size
      if (isWhole) checkpoint?.save(history.epochs)
      await options.onEpoch?.(report)
      refuseReplaced(model, parameters)
      if (isWhole) checkpoint?.saveSettings(history.epochs)
    }
    history.bestEpoch = (await best.restore()) ?? history.epochs.length
    return history
  } catch (error) {
    // What was reached before the loss diverged, or a callback threw, is worth keeping. Where that
    // fails, as for a model that the callback disposed of, the first error is the one to be thrown.
    await best.restore().catch(({ message }: Error) =>
      process.emitWarning(`fit: the best weights could not be put back (${message})`, {
        type: 'NeuroblasWarning',
      }),
    )
    throw error
  } finally {
    checkpoint?.close()
    model.eval()
    recovery.end()
    best.dispose()
    steps.dispose()
    evaluator?.dispose()
    loader.dispose()
    changes.dispose()
  }
}

/** Whether something may happen between two epochs. */
function isWatched({ onEpoch, checkpoint, validation, signal, onDivergence }: FitOptions): boolean {
  const watching = [onEpoch, checkpoint, validation, signal, onDivergence]
  return watching.some((option) => option !== undefined)
}

/** What is trained and what is validated on, copied to the backend. */
async function loadExamples(
  data: Dataset,
  validation: FitOptions['validation'],
  seed: number,
): Promise<{ train: Examples; validation?: Examples }> {
  if (typeof validation !== 'number') {
    const train = await Examples.load(data)
    return { train, ...(validation && { validation: await Examples.load(validation) }) }
  }
  const rows = splitRows(data.size, validation, seed)
  const train = await Examples.load(data, rows.train)
  return { train, validation: await Examples.load(data, rows.test) }
}

const OPTIONS: Record<keyof FitOptions, true> = {
  loss: true,
  optimizer: true,
  epochs: true,
  batchSize: true,
  seed: true,
  shuffle: true,
  validation: true,
  earlyStopping: true,
  augment: true,
  checkpoint: true,
  resumeWith: true,
  keepBest: true,
  onDivergence: true,
  monitor: true,
  onStep: true,
  onEpoch: true,
  stepwise: true,
  signal: true,
}

function checkOptions(model: Module, options: FitOptions): void {
  checkModule('fit', model)
  const { loss, optimizer, epochs, batchSize = 32, seed = 0 } = options
  const { validation, earlyStopping, keepBest, checkpoint, resumeWith } = options
  const { onDivergence = 'stop' } = options
  checkLoss('fit', loss)
  checkOnDivergence(onDivergence)
  if (!isOptimizer(optimizer)) {
    throw new ArgumentError(
      `fit: expected an optimizer such as new SGD(model.parameters(), { lr }), got ${spelled(optimizer)}`,
    )
  }
  const parameters = new Set<unknown>(model.parameters())
  if (!optimizer.parameters().some((parameter) => parameters.has(parameter))) {
    throw new ArgumentError("fit: expected an optimizer of the model's parameters, got another's")
  }
  if (optimizer.parameters().every(({ requiresGrad }) => !requiresGrad)) {
    throw new ArgumentError(
      'fit: expected a parameter to train in the optimizer, got requiresGrad false on all of them',
    )
  }
  checkCount('fit', 'batchSize', batchSize)
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`fit: expected a seed from 0 to 2^53 - 1, got ${excerpt(seed)}`)
  }
  if (!Number.isInteger(epochs) || epochs < 0) {
    throw new ArgumentError(`fit: expected epochs >= 0, got ${excerpt(epochs)}`)
  }
  if (typeof validation === 'number' && !(validation > 0 && validation < 1)) {
    throw new ArgumentError(`fit: expected validation between 0 and 1, got ${validation}`)
  }
  if (earlyStopping) {
    const { patience } = optionsOf('fit: earlyStopping', earlyStopping, { patience: true })
    if (!isWithin(patience, 1, Infinity)) {
      throw new ArgumentError(`fit: expected patience >= 1, got ${excerpt(patience)}`)
    }
  }
  for (const name of ['shuffle', 'keepBest'] as const) {
    if (options[name] !== undefined) checkFlag('fit', name, options[name])
  }
  for (const name of ['augment', 'onStep', 'onEpoch'] as const) {
    if (options[name] !== undefined) checkFunction('fit', `${name} to be a function`, options[name])
  }
  if (checkpoint !== undefined) checkPath('fit', checkpoint)
  if (
    resumeWith !== undefined &&
    !(Array.isArray(resumeWith) && resumeWith.every((name) => typeof name === 'string'))
  ) {
    throw new ArgumentError(`fit: expected names in resumeWith, got ${excerpt(resumeWith)}`)
  }
  if (resumeWith !== undefined && checkpoint === undefined) {
    throw new ArgumentError('fit: resumeWith needs a checkpoint')
  }
  if ((earlyStopping || keepBest) && validation === undefined) {
    throw new ArgumentError('fit: earlyStopping and keepBest need validation data')
  }
}

/** Refuses what is no data set, and one to validate on whose examples are not like the others. */
function checkData(data: Dataset, validation: Dataset | number | undefined): void {
  checkDataset('fit', data)
  if (validation === undefined || typeof validation === 'number') return
  checkDataset('fit: validation', validation)
  const describe = ({ inputShape, targets, targetShape }: Dataset) =>
    `inputs ${format(inputShape)} and ${kindOfTypedArray(targets) === 'Int32Array' ? 'labels' : `targets ${format(targetShape)}`}`
  const [wanted, found] = [data, validation].map(describe)
  if (found === wanted) return
  throw new ShapeError(`fit: expected validation examples of ${wanted}, got ${found}`)
}
