/** Keras's training loop: what callbacks are told and may change, and what is recorded. */
import { type Dataset, type EpochReport, fit, type StepReport } from '../../index.js'
import { Progress, perSecond } from '../../internal.js'
import type { CallbackLike, CallbackModel, Logs } from './callback.js'
import type { FitOptions, History } from './options.js'
import { formatEpoch } from './summary.js'
import type { Training } from './training.js'

/** Trains and records in `history`, which keeps what there is when training throws. */
export async function fitModel(
  model: CallbackModel,
  training: Training,
  { train, validation }: { train: Dataset; validation?: Dataset },
  options: FitOptions,
  history: History,
): Promise<void> {
  const { epochs = 1, batchSize = 32, shuffle = true, seed, monitor } = options
  const { callbacks = [], verbose = 1 } = options
  const perBatch = callbacks.filter((callback) => callback.onTrainBatchEnd)
  const soFar = { loss: 0, examples: 0 }
  const bar = new Progress(process.stdout)
  let logs: Logs = {}
  const begin = async (epoch: number) => {
    Object.assign(soFar, { loss: 0, examples: 0 })
    training.metrics.reset()
    for (const callback of callbacks) await callback.onEpochBegin?.(epoch)
  }
  const onStep = ({ epoch, step, stepsPerEpoch, loss }: StepReport) => {
    const count = Math.min(batchSize, train.size - (step - 1) * batchSize)
    soFar.loss += loss * count
    soFar.examples += count
    if (verbose === 1) {
      bar.update({
        title: `Epoch ${epoch}/${epochs}`,
        done: step / stepsPerEpoch,
        note: (seconds) =>
          `loss: ${(soFar.loss / soFar.examples).toFixed(4)} - ${perSecond(step, seconds, 'steps')}`,
      })
    }
    if (perBatch.length === 0) return
    logs = training.logs(soFar.loss / soFar.examples, soFar.examples)
    for (const callback of perBatch) callback.onTrainBatchEnd!(step - 1, logs)
  }
  const onEpoch = async ({ epoch, loss, examples, seconds, metrics }: EpochReport) => {
    logs = { ...training.logs(loss, examples), ...(metrics as Logs) }
    if (validation) {
      const figures = Object.entries(await training.evaluate(validation))
      for (const [name, value] of figures) logs[`val_${name}`] = value
    }
    try {
      for (const callback of callbacks) await callback.onEpochEnd?.(epoch - 1, logs)
    } finally {
      // Only now: callbacks may have added figures of their own.
      history.epoch.push(epoch - 1)
      for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value)
    }
    bar.restart()
    if (verbose) console.log(formatEpoch(epoch, epochs, seconds, logs))
    if (!model.stopTraining && epoch < epochs) await begin(epoch)
  }
  model.stopTraining = false
  for (const callback of callbacks) callback.setModel?.(model)
  for (const callback of callbacks) await callback.onTrainBegin?.()
  try {
    if (epochs > 0) await begin(0)
    await fit(training.model, train, {
      loss: training.loss,
      optimizer: training.engine,
      epochs,
      batchSize,
      shuffle,
      seed,
      monitor,
      ...(training.epochMetrics.length > 0 && { metrics: training.epochMetrics }),
      onStep,
      onEpoch,
      stepwise: perBatch.length > 0,
      // Asked before an epoch begins, as in Keras, training stops after its first batch.
      signal: {
        get aborted() {
          return model.stopTraining && soFar.examples > 0
        },
      },
    })
  } catch (error) {
    bar.clear()
    await endAfterError(callbacks, logs)
    throw error
  }
  for (const callback of callbacks) await callback.onTrainEnd?.(logs)
}

/** Training threw an error, and will throw it again: errors of `onTrainEnd` are only warned of. */
async function endAfterError(callbacks: readonly CallbackLike[], logs: Logs): Promise<void> {
  for (const callback of callbacks) {
    try {
      await callback.onTrainEnd?.(logs)
    } catch (error) {
      process.emitWarning(`onTrainEnd: ${(error as Error).message}`, { type: 'NeuroblasWarning' })
    }
  }
}
