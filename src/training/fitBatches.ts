/** The training loop for batches in turn, and for several inputs or targets. */
import { DivergenceError } from '../base/errors.js'
import { yielder } from '../base/eventLoop.js'
import { whileTraining } from '../nn/lock.js'
import { type AnyModule, inEval, type Module } from '../nn/module.js'
import { noGrad } from '../tensor/graph.js'
import type { Lock } from '../tensor/locks.js'
import { Batches } from './batchIterator.js'
import { type BatchFitOptions, batchOptionsOf } from './batchOptions.js'
import type { BatchData } from './batchSource.js'
import { BatchStep } from './batchStep.js'
import { BestWeights } from './bestWeights.js'
import { lossesOf } from './epoch.js'
import { refuseReplaced, requireLogits } from './modelChecks.js'
import type { EpochReport, TrainingHistory } from './report.js'
import { examine } from './runState.js'
import { Printer } from './verbose.js'

/** As `fit`, whose promises hold; what is told of single batches is told at once. */
export async function fitBatches(
  model: AnyModule,
  data: BatchData,
  given: BatchFitOptions,
): Promise<TrainingHistory> {
  const options = batchOptionsOf(model, data, given)
  for (const loss of [options.loss, ...Object.values(options.losses ?? {})]) {
    requireLogits('fit', model, loss)
  }
  const state = [...model.namedState().values(), ...options.optimizer.parameters()]
  return whileTraining('fit', state, (lock) => train(model, data, options, lock))
}

async function train(
  model: AnyModule,
  data: BatchData,
  options: BatchFitOptions,
  lock: Lock,
): Promise<TrainingHistory> {
  const { optimizer, epochs, signal, validation, earlyStopping, keepBest, onEpoch } = options
  model.zeroGrad()
  optimizer.zeroGrad()
  const held = model.namedState()
  const yieldIfDue = yielder()
  const step = new BatchStep('fit', model, options, (lossOf) => {
    const loss = lossOf()
    loss.backward()
    optimizer.step()
    optimizer.zeroGrad()
    return loss
  })
  const evaluation = new BatchStep('fit', model, options, (lossOf) =>
    noGrad(() => inEval(model, lossOf)),
  )
  const best = new BestWeights(model as Module, earlyStopping !== undefined || keepBest === true)
  const printer = new Printer(options.verbose ?? 0, epochs)
  const source = new Batches('batches', data, options)
  const heldOut =
    validation &&
    new Batches('validation batches', validation, {
      ...options,
      shuffle: false,
      stepsPerEpoch: undefined,
    })
  const history: TrainingHistory = { epochs: [], bestEpoch: 0, ended: 'epochs' }
  model.train()
  try {
    while (history.epochs.length < epochs && history.ended === 'epochs' && !signal?.aborted) {
      const begin = performance.now()
      const epoch = { epoch: history.epochs.length + 1, steps: 0, examples: 0, sum: 0 }
      for await (const batch of source.epoch()) {
        const loss = await step.run(batch)
        epoch.steps++
        if (!Number.isFinite(loss)) diverged(`the loss became ${loss}`, epoch)
        epoch.examples += batch.size
        epoch.sum += loss * batch.size
        const stepsPerEpoch = source.stepsPerEpoch ?? epoch.steps
        const report = { epoch: epoch.epoch, step: epoch.steps, stepsPerEpoch, loss }
        printer.step(report)
        options.onStep?.(report)
        if (signal?.aborted) break
        await yieldIfDue()
      }
      if (epoch.examples === 0) break
      const milliseconds = performance.now() - begin
      const { notFinite } = examine({ model: model as Module, optimizer })
      if (notFinite !== undefined) diverged(`a weight is no longer finite, ${notFinite},`, epoch)
      const validationLoss = heldOut && (await meanLoss(evaluation, heldOut))
      if (validationLoss !== undefined && !Number.isFinite(validationLoss)) {
        diverged(`the validation loss became ${validationLoss}`, epoch)
      }
      const report: EpochReport = {
        ...lossesOf(epoch, optimizer.regularizationLoss()),
        ...(validationLoss !== undefined && { validationLoss }),
        lr: optimizer.lrOf(),
        examples: epoch.examples,
        examplesPerSecond: (epoch.examples / milliseconds) * 1000,
        seconds: (performance.now() - begin) / 1000,
      }
      history.epochs.push(report)
      printer.epoch(report)
      await best.offer(report.epoch, validationLoss)
      if (onEpoch) await lock.lend(() => onEpoch(report))
      refuseReplaced(model as Module, held)
      const patience = earlyStopping?.patience ?? Infinity
      if (best.epochsSince(report.epoch) >= patience) history.ended = 'earlyStopping'
    }
    if (signal?.aborted) history.ended = 'aborted'
    history.bestEpoch = (await best.restore()) ?? history.epochs.length
    return history
  } catch (error) {
    await best.restoreAfterError()
    throw error
  } finally {
    await source.close()
    await heldOut?.close()
    printer.close()
    model.eval()
    best.dispose()
    step.dispose()
    evaluation.dispose()
  }
}

function diverged(what: string, { epoch, steps }: { epoch: number; steps: number }): never {
  throw new DivergenceError(
    `fit: ${what} in epoch ${epoch}, step ${steps}; try a smaller lr, or inputs on a smaller scale`,
  )
}

async function meanLoss(step: BatchStep, source: Batches): Promise<number> {
  let [sum, examples] = [0, 0]
  for await (const batch of source.epoch()) {
    sum += batch.size * (await step.run(batch))
    examples += batch.size
  }
  return sum / examples
}
