import { Callback, type Logs, type Scalar } from '@tensorflow/tfjs'
import { figure, Progress } from '../../internal.js'
import { numberOf } from './values.js'

/** What TensorFlow.js says of the training that a callback watches. */
interface Training {
  epochs: number
  /** Absent where they are not known, as of a data set. */
  samples?: number | null
  batchSize?: number | null
  /** Batches of an epoch. */
  steps?: number | null
}

const batchesOf = ({ samples, batchSize, steps }: Training) =>
  samples && batchSize ? Math.ceil(samples / batchSize) : steps

/**
 * What `model.fit` tells unless it is `verbose: 0`, as tfjs-node does: the number of each epoch, a bar that moves
 * while it lasts, and its losses and metrics.
 */
export class ProgressBar extends Callback {
  readonly #progress = new Progress(process.stderr)
  #begin = 0
  #batches = 0

  get #training(): Training {
    return this.params as unknown as Training
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    process.stdout.write(`Epoch ${epoch + 1} / ${this.#training.epochs}\n`)
    this.#begin = performance.now()
    this.#batches = 0
    this.#progress.restart()
  }

  override async onBatchEnd(): Promise<void> {
    const batches = batchesOf(this.#training)
    this.#batches++
    // Of how many batches a data set has nobody knows.
    if (!batches) return
    this.#progress.update({ title: 'fit', done: this.#batches / batches, note: () => '' })
  }

  override async onEpochEnd(_epoch: number, logs?: Logs): Promise<void> {
    this.#progress.clear()
    const ms = performance.now() - this.#begin
    const perStep = Math.round((1000 * ms) / Math.max(1, this.#batches))
    const sorted = Object.entries(logs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    const figures = sorted.map(
      ([name, value]) => `${name}=${figure(numberOf('fit', value as number | Scalar))}`,
    )
    process.stdout.write(`${Math.round(ms)}ms ${perStep}us/step - ${figures.join(' ')}\n`)
  }
}
