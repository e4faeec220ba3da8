/**
 * The training loop: epochs over shuffled batches, validation, early stopping, callbacks. JavaScript
 * hears of it every few milliseconds; when the signal is aborted, it stops there.
 */
import { type Dataset, split } from './data/dataset.js'
import { DataLoader } from './data/loader.js'
import { ArgumentError, DivergenceError } from './errors.js'
import { type Evaluation, evaluateBatches } from './evaluate.js'
import type { Loss } from './losses.js'
import type { Monitor } from './monitor/monitor.js'
import type { Module } from './nn/module.js'
import type { Optimizer } from './optim/optimizer.js'
import { within } from './scope.js'
import { Steps } from './steps.js'

export interface StepReport {
  /** Counted from 1. */
  epoch: number
  /** Counted from 1 in each epoch. */
  step: number
  stepsPerEpoch: number
  /** Mean loss of the batch, before the update. */
  risk: number
}

export interface EpochReport {
  /** Counted from 1. */
  epoch: number
  /** Mean loss over the epoch's examples, each before its batch's update. */
  risk: number
  /** λ·Ω at the epoch's end. */
  penalty: number
  /** risk + penalty, what is minimized. */
  objective: number
  validationRisk?: number
  validationAccuracy?: number
  /** Learning rate of the next step. */
  lr: number
  examplesPerSecond: number
  /** Examples trained on, fewer than all of them when the epoch was aborted. */
  examples: number
  /** Time taken, validation included. */
  seconds: number
}

export interface FitOptions {
  loss: Loss
  optimizer: Optimizer
  epochs: number
  /** Examples per step; 32 by default. 1 is the lecture's per-example update. */
  batchSize?: number
  /** Seed of the batch order and of the validation split; 0 by default. */
  seed?: number
  /** A data set to validate on after each epoch, or the share of the examples to set aside for it. */
  validation?: Dataset | number
  /** Stops when the validation risk has not fallen for `patience` epochs; keeps the best weights. */
  earlyStopping?: { patience: number }
  /** Ends with the weights of the epoch of lowest validation risk. */
  keepBest?: boolean
  /** Looks into the network every so many steps; what is trained stays the same to the bit. */
  monitor?: Monitor
  onStep?: (report: StepReport) => void
  onEpoch?: (report: EpochReport) => void | Promise<void>
  /** Stops after the current step when it is aborted; what was reached is kept. */
  signal?: AbortSignal
}

export interface History {
  epochs: EpochReport[]
  /** The epoch whose weights the model has, counted from 1; the last one unless the best was kept. */
  bestEpoch: number
  /** Why training ended. */
  ended: 'epochs' | 'earlyStopping' | 'aborted'
}

// How long training goes on before JavaScript hears of it, in milliseconds.
const HOP = 10

/**
 * Minimizes the loss on the data plus the optimizer's penalty.
 * @throws ArgumentError for options out of range, DivergenceError when the risk is no longer finite
 * @example
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, validation: 0.1 })
 */
export async function fit(model: Module, data: Dataset, options: FitOptions): Promise<History> {
  checkOptions(options)
  const { batchSize = 32, seed = 0, validation, epochs, signal, earlyStopping } = options
  const { train, validation: held } =
    typeof validation === 'number' ? split(data, validation, seed) : { train: data, validation }
  const loader = new DataLoader(train, { batchSize, shuffle: true, seed })
  const steps = new Steps(model, loader, options.loss, options.optimizer, options.monitor)
  const validationLoader = held && new DataLoader(held, { batchSize: 1000 })
  const best = new Best(model, earlyStopping !== undefined || options.keepBest === true)
  const history: History = { epochs: [], bestEpoch: 0, ended: 'epochs' }
  model.train()
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const begin = performance.now()
      const trained = await trainEpoch(steps, epoch, options)
      if (trained.examples > 0) {
        const checked = validationLoader && evaluateBatches(model, validationLoader, options.loss)
        const report = reportOf(epoch, trained, checked, options.optimizer, begin)
        history.epochs.push(report)
        best.offer(report)
        await options.onEpoch?.(report)
      }
      if (signal?.aborted) history.ended = 'aborted'
      else if (earlyStopping && best.epochsSince(epoch) >= earlyStopping.patience) {
        history.ended = 'earlyStopping'
      }
      if (history.ended !== 'epochs') break
    }
    history.bestEpoch = best.restore() ?? history.epochs.length
    return history
  } catch (error) {
    // What was reached before the risk diverged, or a callback threw, is worth keeping.
    best.restore()
    throw error
  } finally {
    model.eval()
    steps.dispose()
    loader.dispose()
    validationLoader?.dispose()
  }
}

function checkOptions({ epochs, validation, earlyStopping, keepBest }: FitOptions): void {
  if (!Number.isInteger(epochs) || epochs < 0) {
    throw new ArgumentError(`fit: expected epochs >= 0, got ${epochs}`)
  }
  if (typeof validation === 'number' && !(validation > 0 && validation < 1)) {
    throw new ArgumentError(`fit: expected validation between 0 and 1, got ${validation}`)
  }
  if (earlyStopping && !(earlyStopping.patience >= 1)) {
    throw new ArgumentError(`fit: expected patience >= 1, got ${earlyStopping.patience}`)
  }
  if ((earlyStopping || keepBest) && validation === undefined) {
    throw new ArgumentError('fit: earlyStopping and keepBest need validation data')
  }
}

interface Trained {
  examples: number
  /** Σ loss over the examples. */
  sum: number
  milliseconds: number
}

/** One pass over the batches, or as far as the signal lets it go. */
async function trainEpoch(
  steps: Steps,
  epoch: number,
  { optimizer, onStep, signal }: FitOptions,
): Promise<Trained> {
  const { loader } = steps
  const { size, batchSize, length: stepsPerEpoch } = loader
  const trained: Trained = { examples: 0, sum: 0, milliseconds: 0 }
  const begin = performance.now()
  const order = within(null, () => loader.order())
  let perHop = 1
  try {
    for (let step = 0; step < stepsPerEpoch && !signal?.aborted; ) {
      const hop = performance.now()
      const full = Math.floor(size / batchSize) - step
      const count = Math.min(perHop, Math.max(full, 1), steps.mostTogether)
      const batch = full > 0 ? batchSize : size % batchSize
      const start = step * batchSize
      const slice = within(null, () => order.slice([start, start + count * batch]))
      const rows = slice.view([count, batch])
      slice.dispose()
      const risks = await steps.run(rows).finally(() => rows.dispose())
      for (const risk of risks) {
        step++
        if (!Number.isFinite(risk)) {
          throw new DivergenceError(
            `fit: the risk became ${risk} in epoch ${epoch}, step ${step}; try a smaller lr (it was ${optimizer.lrOf()})`,
          )
        }
        trained.examples += batch
        trained.sum += risk * batch
        onStep?.({ epoch, step, stepsPerEpoch, risk })
      }
      // A hop that was cut short says too little about the next.
      if (count === perHop) perHop = nextHop(perHop, performance.now() - hop)
    }
  } finally {
    order.dispose()
  }
  trained.milliseconds = performance.now() - begin
  return trained
}

/** Steps until JavaScript is asked again, so that it is about HOP milliseconds. */
function nextHop(steps: number, milliseconds: number): number {
  const fitting = Math.round((steps * HOP) / Math.max(milliseconds, 0.01))
  return Math.min(Math.max(fitting, 1), 2 * steps, 4096)
}

function reportOf(
  epoch: number,
  { examples, sum, milliseconds }: Trained,
  validation: Evaluation | undefined,
  optimizer: Optimizer,
  begin: number,
): EpochReport {
  const risk = sum / examples
  const penalty = optimizer.penalty()
  return {
    epoch,
    risk,
    penalty,
    objective: risk + penalty,
    ...(validation && { validationRisk: validation.risk }),
    ...(validation?.accuracy !== undefined && { validationAccuracy: validation.accuracy }),
    lr: optimizer.lrOf(),
    examples,
    examplesPerSecond: (examples / milliseconds) * 1000,
    seconds: (performance.now() - begin) / 1000,
  }
}

/** The weights of the epoch with the lowest validation risk. */
class Best {
  #risk = Infinity
  #epoch = 0
  #state: ReturnType<Module['state']> | undefined

  constructor(
    readonly model: Module,
    readonly wanted: boolean,
  ) {}

  offer({ epoch, validationRisk = Infinity }: EpochReport): void {
    if (!this.wanted || !(validationRisk < this.#risk)) return
    this.#risk = validationRisk
    this.#epoch = epoch
    this.#state = this.model.state()
  }

  epochsSince(epoch: number): number {
    return epoch - this.#epoch
  }

  /** Puts the weights back; the epoch they are from. */
  restore(): number | undefined {
    if (this.#state === undefined) return undefined
    this.model.loadState(this.#state)
    return this.#epoch
  }
}
