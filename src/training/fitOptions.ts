/** What `fit` can be told, and the checks of it. */
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
import { checkDataset, type Dataset, type ExampleForm } from '../data/dataset.js'
import type { Augment } from '../data/transforms/distortion.js'
import { type MetricSource, metricsOf } from '../metrics/names.js'
import type { Monitor } from '../monitor/monitor.js'
import type { Loss, TargetKind } from '../nn/losses.js'
import { checkModule, type Module } from '../nn/module.js'
import { isOptimizer, type Optimizer } from '../optim/optimizer.js'
import { format } from '../tensor/shape.js'
import type { WeightOptions } from './exampleWeights.js'
import { checkOnDivergence, type OnDivergence } from './recovery.js'
import type { EpochReport, StepReport, ValidationReport, Verbosity } from './report.js'
import { type RunOptions, runOptionsOf } from './runs/options.js'
import { checkUpdates, UPDATE_OPTIONS, type UpdateOptions } from './updateOptions.js'
import { checkVerbose } from './verbose.js'

/** Settings of `fit`, for targets of a kind. */
export interface FitOptions<K extends TargetKind = TargetKind>
  extends UpdateOptions,
    WeightOptions {
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
   * Steps, counted over all epochs, after which there is a validation besides that at the end of each epoch.
   * `onValidation` hears of both; early stopping and the best weights go by the ends of epochs.
   */
  validateEvery?: number
  /**
   * What reports of epochs have besides, by name, as `'f1'`, or as objects, as `new TopKAccuracy(5)`, which stay as
   * they are: of the validation examples, and of those trained on, each before its batch's update.
   */
  metrics?: readonly MetricSource[]
  /** What is printed: 0, the default, nothing; 1 a bar, and a line per epoch; 2 a line per epoch. */
  verbose?: Verbosity
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
   * A folder that keeps the run: what it is (`config.json`), what became of it (`metrics.jsonl`: every fiftieth step,
   * or a hundred of an epoch's, and every epoch) and its newest checkpoints. Where it exists, training goes on from the
   * newest one that is whole, as if it had never been interrupted, also from within an epoch; as with `checkpoint`, in
   * place of which it is, it belongs to one training. When the signal is aborted, a checkpoint is written at once.
   * Beside an `onDivergence` other than `stop`, and metrics that cannot be saved, only whole epochs are kept.
   */
  run?: string | RunOptions
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
  /** Called for each step, soon after it: steps run many at a time, those of several short epochs, too. */
  onStep?: (report: StepReport) => void
  /** Called after each validation, and awaited, as `onEpoch`. */
  onValidation?: (report: ValidationReport) => void | Promise<void>
  /** Called after each epoch, and awaited; meanwhile the model can be used here, and read by others. */
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

/** Their names. */
export const OPTIONS: Record<keyof FitOptions, true> = {
  loss: true,
  optimizer: true,
  epochs: true,
  batchSize: true,
  seed: true,
  shuffle: true,
  validation: true,
  validateEvery: true,
  earlyStopping: true,
  metrics: true,
  classWeights: true,
  sampleWeights: true,
  verbose: true,
  augment: true,
  checkpoint: true,
  run: true,
  resumeWith: true,
  keepBest: true,
  onDivergence: true,
  monitor: true,
  onStep: true,
  onValidation: true,
  onEpoch: true,
  stepwise: true,
  signal: true,
  ...UPDATE_OPTIONS,
}

/** Refuses settings out of range, and those that do not fit the model or each other. */
export function checkOptions(model: Module, options: FitOptions): void {
  checkModule('fit', model)
  const { loss, optimizer, epochs, batchSize = 32, seed = 0 } = options
  const { validation, earlyStopping, keepBest, checkpoint, run, resumeWith } = options
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
  checkUpdates(options, optimizer, validation !== undefined)
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
  for (const name of ['augment', 'onStep', 'onEpoch', 'onValidation'] as const) {
    if (options[name] !== undefined) checkFunction('fit', `${name} to be a function`, options[name])
  }
  if (checkpoint !== undefined) checkPath('fit', checkpoint)
  if (checkpoint !== undefined && run !== undefined) {
    throw new ArgumentError(
      'fit: expected run or checkpoint, got both; a run keeps checkpoints of its own',
    )
  }
  if (run !== undefined) runOptionsOf(run)
  if (
    resumeWith !== undefined &&
    !(Array.isArray(resumeWith) && resumeWith.every((name) => typeof name === 'string'))
  ) {
    throw new ArgumentError(`fit: expected names in resumeWith, got ${excerpt(resumeWith)}`)
  }
  if (resumeWith !== undefined && checkpoint === undefined && run === undefined) {
    throw new ArgumentError('fit: resumeWith needs a checkpoint or a run')
  }
  const { metrics, validateEvery, onValidation, verbose = 0 } = options
  if (metrics !== undefined) metricsOf('fit', metrics)
  checkVerbose('fit', verbose, 2)
  if (validateEvery !== undefined) checkCount('fit', 'validateEvery', validateEvery)
  if ((validateEvery ?? onValidation) !== undefined && validation === undefined) {
    throw new ArgumentError('fit: validateEvery and onValidation need validation data')
  }
  if ((earlyStopping || keepBest) && validation === undefined) {
    throw new ArgumentError('fit: earlyStopping and keepBest need validation data')
  }
}

/** Refuses what is no data set, and one to validate on whose examples are not like the others. */
export function checkData(data: Dataset, validation: Dataset | number | undefined): void {
  checkDataset('fit', data)
  if (validation === undefined || typeof validation === 'number') return
  checkDataset('fit: validation', validation)
  refuseOther(data, validation)
}

const describe = ({ inputShape, targets, targetShape }: ExampleForm) =>
  `inputs ${format(inputShape)} and ${kindOfTypedArray(targets) === 'Int32Array' ? 'labels' : `targets ${format(targetShape)}`}`

/** Refuses examples to validate on that are not like the others. @throws ShapeError */
export function refuseOther(trained: ExampleForm, validated: ExampleForm): void {
  const [wanted, found] = [trained, validated].map(describe)
  if (found === wanted) return
  throw new ShapeError(`fit: expected validation examples of ${wanted}, got ${found}`)
}
