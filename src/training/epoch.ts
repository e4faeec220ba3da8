/** One epoch of `fit`: its steps, the validation, and whether all of it is still finite. */
import { DivergenceError } from '../base/errors.js'
import type { DataLoader } from '../data/loader.js'
import { within } from '../tensor/storage.js'
import type { Evaluation, Evaluator } from './evaluate.js'
import type { EpochReport, StepReport } from './report.js'
import { examine, type Health, type RunState } from './runState.js'
import type { TrainingStep } from './trainingStep.js'

// How long one dispatch to the compute threads goes on before JavaScript hears of it, in milliseconds:
// short enough for a progress bar, and long enough for what it costs (weights into panels and back, an
// iteration of the event loop).
const DISPATCH_TIME = 50

// Where parameters enlarge by less, neither the outputs for usual inputs nor their squares overflow.
const SAFE_GAIN = 1e12

/** What an epoch is made of. */
export interface EpochParts {
  run: Pick<RunState, 'model' | 'optimizer'>
  steps: TrainingStep
  loader: DataLoader
  evaluator?: Evaluator
  /** Whether anything looks at the weights, or keeps them, before the next epoch's first step. */
  isSeen: boolean
  onStep?: (report: StepReport) => void
  signal?: { readonly aborted: boolean }
}

interface Trained {
  steps: number
  examples: number
  /** Σ loss over the examples. */
  sum: number
  milliseconds: number
}

/**
 * One pass over the batches, or as far as the signal lets it go, and the validation.
 * @returns undefined when no step was taken
 * @throws DivergenceError when a loss, a parameter, what the optimizer keeps for one or the penalty
 * is not finite at its end
 */
export async function runEpoch(epoch: number, parts: EpochParts): Promise<EpochReport | undefined> {
  const begin = performance.now()
  const { optimizer } = parts.run
  const lr = optimizer.lrOf()
  const fail: Fail = (
    what,
    step,
    { notFinite = 'all weights are finite' } = examine(parts.run),
  ) => {
    throw new DivergenceError(
      `fit: ${what} in epoch ${epoch}, step ${step} (${notFinite}); try a smaller lr (it was ${lr}), or inputs on a smaller scale`,
    )
  }
  const { steps, examples, sum, milliseconds } = await trainEpoch(epoch, parts, fail)
  if (examples === 0) return undefined
  // Each loss was that of the weights before its step: the next one would be the first to tell.
  const health: Health = parts.isSeen ? examine(parts.run) : { notFinite: undefined, gain: 1 }
  if (health.notFinite !== undefined) fail('a weight is no longer finite', steps, health)
  const loss = sum / examples
  const regularizationLoss = optimizer.regularizationLoss()
  const validation = await parts.evaluator?.run()
  const isSafe = validation !== undefined || health.gain < SAFE_GAIN
  const figures = {
    'regularization loss': regularizationLoss,
    'validation loss': validation?.loss ?? 0,
    'loss after the update': isSafe ? 0 : parts.steps.lossNow(),
  }
  for (const [name, value] of Object.entries(figures)) {
    if (!Number.isFinite(value)) fail(`the ${name} became ${value}`, steps, health)
  }
  return {
    epoch,
    loss,
    regularizationLoss,
    totalLoss: loss + regularizationLoss,
    risk: loss,
    penalty: regularizationLoss,
    objective: loss + regularizationLoss,
    ...ofValidation(validation),
    lr: optimizer.lrOf(),
    examples,
    examplesPerSecond: (examples / milliseconds) * 1000,
    seconds: (performance.now() - begin) / 1000,
  }
}

type Fail = (what: string, step: number, health?: Health) => never

async function trainEpoch(
  epoch: number,
  { steps, loader, onStep, signal }: EpochParts,
  fail: Fail,
): Promise<Trained> {
  const { size, batchSize, length: stepsPerEpoch } = loader
  const trained: Trained = { steps: 0, examples: 0, sum: 0, milliseconds: 0 }
  const begin = performance.now()
  const order = within(null, () => loader.order())
  let perDispatch = 1
  try {
    while (trained.steps < stepsPerEpoch && !signal?.aborted) {
      const dispatched = performance.now()
      const full = Math.floor(size / batchSize) - trained.steps
      const count = Math.min(perDispatch, Math.max(full, 1), steps.mostTogether)
      const batch = full > 0 ? batchSize : size % batchSize
      const losses = await steps.run(order, trained.steps * batchSize, [count, batch])
      for (const loss of losses) {
        const step = ++trained.steps
        if (!Number.isFinite(loss)) {
          fail(`the loss became ${loss}`, step)
        }
        trained.examples += batch
        trained.sum += loss * batch
        onStep?.({ epoch, step, stepsPerEpoch, loss })
      }
      // A dispatch that was cut short says too little about the next.
      if (count === perDispatch)
        perDispatch = nextDispatch(perDispatch, performance.now() - dispatched)
    }
  } finally {
    order.dispose()
  }
  trained.milliseconds = performance.now() - begin
  return trained
}

/** Steps until JavaScript is asked again, so that it is about DISPATCH_TIME. */
function nextDispatch(steps: number, milliseconds: number): number {
  const fitting = Math.round((steps * DISPATCH_TIME) / Math.max(milliseconds, 0.01))
  return Math.min(Math.max(fitting, 1), 2 * steps, 4096)
}

function ofValidation(validation: Evaluation | undefined): Partial<EpochReport> {
  if (validation === undefined) return {}
  const { loss, accuracy } = validation
  return { validationLoss: loss, ...(accuracy !== undefined && { validationAccuracy: accuracy }) }
}
