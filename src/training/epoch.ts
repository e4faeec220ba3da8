/** Epochs of `fit`: their steps, the validation, and whether all of it is still finite. */
import { DivergenceError } from '../base/errors.js'
import type { BatchLoader } from '../data/batchLoader.js'
import { type Batches, batchesOf, countSteps, takeSteps } from './batches.js'
import type { Evaluation } from './evaluate.js'
import type { Measures } from './measures.js'
import type { Pace } from './pace.js'
import type { PartOfEpoch } from './partOfEpoch.js'
import type { EpochReport, StepReport, ValidationReport } from './report.js'
import { examine, type Health, type RunState } from './runState.js'
import type { TrainingStep } from './trainingStep.js'

// Where parameters enlarge by less, neither the outputs for usual inputs nor their squares overflow.
const SAFE_GAIN = 1e12

/** What epochs are made of. */
export interface EpochParts {
  run: Pick<RunState, 'model' | 'optimizer'>
  steps: TrainingStep
  loader: BatchLoader
  pace: Pace
  validate?: () => Promise<Evaluation>
  /** Whether anything looks at the weights, or keeps them, before the step after the last of an epoch. */
  isSeenAfter: (epoch: number) => boolean
  onStep?: (report: StepReport) => void
  /** Steps after which there is a validation besides. */
  validateEvery?: number
  onValidation?: (report: ValidationReport) => void | Promise<void>
  /** Metrics of what the steps train on. */
  measures?: Measures
  pauses?: Pauses
  signal?: { readonly aborted: boolean }
}

/** Somebody who looks at the run between steps, where epochs go one by one. */
export interface Pauses {
  /** Steps after which a pause is due at the latest, when so many were taken of an epoch. */
  stepsToPause(epoch: number, steps: number): number
  /** Hears of the steps that an epoch had so far, and can have what was done by then. */
  pause(epoch: number, steps: number, part: () => PartOfEpoch): void
}

/** An epoch that is being trained. */
interface Epoch {
  /** When its steps began, less what those before an interruption took. */
  readonly begin: number
  /** Where the generator of orders was before it. */
  readonly generator: readonly number[] | undefined
  /** Counted from 1. */
  readonly epoch: number
  readonly lr: number
  /** Of the step after it, as the optimizer was set when its last batch was dispatched. */
  readonly lrAfter: number
  steps: number
  examples: number
  /** Σ loss over the examples. */
  sum: number
}

/**
 * Passes over the batches, or as far as the signal lets them go, and after the last one the validation.
 * Between them, nothing is looked at or computed: as many go together as one dispatch takes.
 * @param most of them; at least one is begun
 * @param begun what was done of the first one before, which then goes alone
 * @returns those in which a step was taken
 * @throws DivergenceError when a loss, a parameter, what the optimizer keeps for one or the penalty
 * is not finite at the end
 */
export async function runEpochs(
  first: number,
  most: number,
  parts: EpochParts,
  begun?: PartOfEpoch,
): Promise<EpochReport[]> {
  const begin = performance.now() - (begun?.milliseconds ?? 0)
  const { loader, pace } = parts
  const fitting = Math.max(1, Math.floor(pace.steps / (loader.length ?? Infinity)))
  const count = begun ? 1 : Math.min(fitting, loader.epochsAtOnce, most)
  parts.measures?.reset()
  if (begun?.metrics) parts.measures?.restore(begun.metrics)
  const epochs = Array.from({ length: count }, (_, i) =>
    beginEpoch(first + i, i, begin, parts, begun),
  )
  await train(epochs, parts)
  const milliseconds = performance.now() - begin
  const trained = epochs.filter(({ examples }) => examples > 0)
  const last = trained.at(-1)
  if (last === undefined) return []
  const figures = await figuresAfter(last, parts)
  const total = performance.now() - begin
  const allSteps = trained.reduce((sum, { steps }) => sum + steps, 0)
  return trained.map((epoch) => {
    const share = epoch.steps / allSteps
    return {
      ...lossesOf(epoch, epoch === last ? figures.regularizationLoss : 0),
      ...(parts.measures && { metrics: parts.measures.compute() }),
      ...(epoch === last && figures.validation && reportOf(figures.validation)),
      lr: epoch === last ? parts.run.optimizer.lrOf() : epoch.lrAfter,
      examples: epoch.examples,
      examplesPerSecond: (epoch.examples / (milliseconds * share)) * 1000,
      seconds: (total * share) / 1000,
    }
  })
}

function beginEpoch(
  epoch: number,
  before: number,
  begin: number,
  { run, loader }: EpochParts,
  { steps, examples, sum }: Pick<PartOfEpoch, 'steps' | 'examples' | 'sum'> = NOTHING,
): Epoch {
  const { optimizer } = run
  const { length = 0 } = loader
  const first = optimizer.steps - steps
  const lrAfter = (epochs: number) => optimizer.lrAfter(first + epochs * length)
  const lrs = { lr: lrAfter(before), lrAfter: lrAfter(before + 1) }
  return { epoch, begin, generator: loader.generator?.save(), ...lrs, steps, examples, sum }
}

const NOTHING = { steps: 0, examples: 0, sum: 0 }

function partOf(
  { begin, generator: order, steps, examples, sum }: Epoch,
  { measures }: EpochParts,
): PartOfEpoch {
  const milliseconds = performance.now() - begin
  return { steps, examples, sum, milliseconds, order, metrics: measures?.save() }
}

/** Takes the steps of the epochs, as far as the signal lets them go. */
async function train(epochs: readonly Epoch[], parts: EpochParts): Promise<void> {
  const { loader, signal } = parts
  let done = epochs[0].steps
  for await (const orders of loader.passes(epochs[0].epoch, epochs.length)) {
    const left = orders.flatMap((order, i) =>
      batchesOf(order, loader.batchSize).map((batches) => ({ ...batches, of: epochs[i] })),
    )
    // Of an epoch that was begun before, what is given first was trained on.
    done -= countSteps(takeSteps(left, done))
    await takeAll(left, parts)
    if (signal?.aborted) break
  }
}

/** Takes steps, one after another, and tells of them. */
async function takeAll(left: Part[], parts: EpochParts): Promise<void> {
  const { steps, loader, pace, onStep, pauses, signal } = parts
  while (left.length > 0 && !signal?.aborted) {
    const { of: next } = left[0]
    if (isDue(left[0], parts)) await validate(next, parts)
    const most = Math.min(
      pace.steps,
      steps.mostTogether,
      stepsToValidation(left[0], parts),
      pauses?.stepsToPause(next.epoch, next.steps) ?? Infinity,
    )
    const batches = takeSteps(left, most)
    const dispatched = performance.now()
    const losses = await steps.run(batches)
    pace.note(countSteps(batches), performance.now() - dispatched)
    for (const [i, { of, batchSize }] of batches.entries()) {
      for (const loss of losses[i]) {
        const step = ++of.steps
        if (!Number.isFinite(loss)) fail(parts, of, `the loss became ${loss}`)
        of.examples += batchSize
        of.sum += loss * batchSize
        onStep?.({ epoch: of.epoch, step, stepsPerEpoch: loader.length ?? step, loss })
      }
    }
    const { of: last } = batches[batches.length - 1]
    pauses?.pause(last.epoch, last.steps, () => partOf(last, parts))
  }
}

/** Whether a validation comes before the next steps; that at the end of an epoch is another. */
function isDue(next: Part, parts: EpochParts): boolean {
  return next.of.steps > 0 && stepsToValidation(next, parts) === parts.validateEvery
}

/** Steps are counted over all epochs, of which each ends with a validation anyway. */
function stepsToValidation({ of }: Part, { validateEvery = Infinity, loader }: EpochParts): number {
  const taken = (of.epoch - 1) * (loader.length ?? 0) + of.steps
  return validateEvery - (taken % validateEvery)
}

/** Validates, and tells of it. @throws DivergenceError for a loss that is not finite */
async function validate(of: Epoch, parts: EpochParts): Promise<Evaluation | undefined> {
  const validation = await parts.validate?.()
  if (validation === undefined) return undefined
  const { loss } = validation
  if (!Number.isFinite(loss)) fail(parts, of, `the validation loss became ${loss}`)
  const { epoch, steps: step } = of
  await parts.onValidation?.({ epoch, step, ...reportOf(validation) })
  return validation
}

/** Batches of an epoch. */
interface Part extends Batches {
  readonly of: Epoch
}

/** What is computed at the end of the last epoch; all of it, and the weights, must be finite. */
async function figuresAfter(last: Epoch, parts: EpochParts) {
  const { run, steps } = parts
  // Each loss was that of the weights before its step: the next one would be the first to tell.
  const isSeen = parts.isSeenAfter(last.epoch)
  const health: Health = isSeen ? examine(run) : { notFinite: undefined, gain: 1 }
  if (health.notFinite !== undefined) fail(parts, last, 'a weight is no longer finite', health)
  const regularizationLoss = run.optimizer.regularizationLoss()
  const validation = await validate(last, parts)
  const isSafe = validation !== undefined || health.gain < SAFE_GAIN
  const figures = {
    'regularization loss': regularizationLoss,
    'loss after the update': isSafe ? 0 : steps.lossNow(),
  }
  for (const [name, value] of Object.entries(figures)) {
    if (!Number.isFinite(value)) fail(parts, last, `the ${name} became ${value}`, health)
  }
  return { regularizationLoss, validation }
}

function fail({ run }: EpochParts, of: Epoch, what: string, health: Health = examine(run)): never {
  const { notFinite = 'all weights are finite' } = health
  throw new DivergenceError(
    `fit: ${what} in epoch ${of.epoch}, step ${of.steps} (${notFinite}); try a smaller lr (it was ${of.lr}), or inputs on a smaller scale`,
  )
}

/** The figures of an epoch's loss. */
export function lossesOf(
  { epoch, sum, examples }: Pick<Epoch, 'epoch' | 'sum' | 'examples'>,
  regularizationLoss: number,
) {
  const loss = sum / examples
  const totalLoss = loss + regularizationLoss
  return {
    epoch,
    loss,
    regularizationLoss,
    totalLoss,
    risk: loss,
    penalty: regularizationLoss,
    objective: totalLoss,
  }
}

function reportOf({
  loss,
  accuracy,
  metrics,
}: Evaluation): Omit<ValidationReport, 'epoch' | 'step'> {
  return {
    validationLoss: loss,
    ...(accuracy !== undefined && { validationAccuracy: accuracy }),
    ...(metrics && { validationMetrics: metrics }),
  }
}
