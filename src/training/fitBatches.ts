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
import { lossesOf } from './epoch.js'
import { requireLogits } from './modelChecks.js'
import type { TrainingHistory } from './report.js'
import { examine } from './runState.js'
import { TrainingLoop } from './trainingLoop.js'
import { updateWeights } from './weightUpdate.js'

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
  const { optimizer, clipNorm, clipValue, validation, signal } = options
  model.zeroGrad()
  optimizer.zeroGrad()
  const loop = new TrainingLoop(model, options, lock)
  const { average } = loop
  const step = new BatchStep('fit', model, options, (lossOf) => {
    const loss = lossOf()
    loss.backward()
    updateWeights({ optimizer, clipNorm, clipValue, average })
    return loss
  })
  const evaluation = new BatchStep('fit', model, options, (lossOf) =>
    noGrad(() => inEval(model, lossOf)),
  )
  const source = new Batches('batches', data, options)
  const heldOut =
    validation &&
    new Batches('validation batches', validation, {
      ...options,
      shuffle: false,
      stepsPerEpoch: undefined,
    })
  const validate = heldOut && (() => loop.validate(() => meanLoss(evaluation, heldOut)))
  model.train()
  try {
    while (loop.goesOn()) {
      const begin = performance.now()
      const epoch = await trainEpoch(loop, source, step, signal)
      if (epoch.examples === 0) break
      const milliseconds = performance.now() - begin
      const { notFinite } = examine({ model: model as Module, optimizer })
      if (notFinite !== undefined) diverged(`a weight is no longer finite, ${notFinite},`, epoch)
      const validationLoss = await validate?.()
      if (validationLoss !== undefined && !Number.isFinite(validationLoss)) {
        diverged(`the validation loss became ${validationLoss}`, epoch)
      }
      const [metrics, validationMetrics] = [step.measured(), validate && evaluation.measured()]
      await loop.add([
        {
          ...lossesOf(epoch, optimizer.regularizationLoss()),
          ...(metrics && { metrics }),
          ...(validationLoss !== undefined && { validationLoss }),
          ...(validationMetrics && { validationMetrics }),
          lr: optimizer.lrOf(),
          examples: epoch.examples,
          examplesPerSecond: (epoch.examples / milliseconds) * 1000,
          seconds: (performance.now() - begin) / 1000,
        },
      ])
    }
    return await loop.end()
  } catch (error) {
    await loop.best.restoreAfterError()
    throw error
  } finally {
    await source.close()
    await heldOut?.close()
    loop.dispose()
    step.dispose()
    evaluation.dispose()
  }
}

/** The steps of an epoch, told of one by one; none where an iterable has ended. */
async function trainEpoch(
  loop: TrainingLoop,
  source: Batches,
  step: BatchStep,
  signal: BatchFitOptions['signal'],
) {
  const epoch = { epoch: loop.done + 1, steps: 0, examples: 0, sum: 0 }
  const yieldIfDue = yielder()
  step.reset()
  for await (const batch of source.epoch()) {
    const loss = await step.run(batch)
    epoch.steps++
    if (!Number.isFinite(loss)) diverged(`the loss became ${loss}`, epoch)
    epoch.examples += batch.size
    epoch.sum += loss * batch.size
    const stepsPerEpoch = source.stepsPerEpoch ?? epoch.steps
    loop.step({ epoch: epoch.epoch, step: epoch.steps, stepsPerEpoch, loss })
    if (signal?.aborted) break
    await yieldIfDue()
  }
  return epoch
}

function diverged(what: string, { epoch, steps }: { epoch: number; steps: number }): never {
  throw new DivergenceError(
    `fit: ${what} in epoch ${epoch}, step ${steps}; try a smaller lr, or inputs on a smaller scale`,
  )
}

async function meanLoss(step: BatchStep, source: Batches): Promise<number> {
  let [sum, examples] = [0, 0]
  step.reset()
  for await (const batch of source.epoch()) {
    sum += batch.size * (await step.run(batch))
    examples += batch.size
  }
  return sum / examples
}
