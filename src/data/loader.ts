/**
 * Batches of a data set, as tensors on the current backend. The examples are copied there once, bytes
 * as bytes; a batch is gathered from them by the epoch's order.
 */
import { tensor } from '../create.js'
import { ArgumentError } from '../errors.js'
import type { Targets } from '../losses.js'
import { gather, gatherBytes } from '../ops/gather.js'
import { Generator, streams } from '../random.js'
import { within } from '../scope.js'
import type { AnyTensor, Tensor } from '../tensor.js'
import type { Dataset } from './dataset.js'

export interface Batch {
  /** [batch, ...inputShape] */
  inputs: Tensor
  /** Labels [batch], or values [batch, ...targetShape]. */
  targets: Targets
}

export interface LoaderOptions {
  /** Examples per batch; 32 by default. */
  batchSize?: number
  /** A new order for every epoch; off by default. */
  shuffle?: boolean
  /** Leaves out a last batch that is not full; off by default. */
  dropLast?: boolean
  /** Seed of the orders. */
  seed?: number
}

/**
 * Iterating goes once through the data set. A batch can be used until the next one is taken.
 * @example for (const { inputs, targets } of new DataLoader(train, { batchSize: 32, shuffle: true })) …
 */
export class DataLoader implements Iterable<Batch> {
  readonly batchSize: number
  readonly size: number
  readonly #inputs: AnyTensor
  readonly #targets: Targets
  readonly #scale: number
  /** Draws the orders; undefined where they are the data set's own. */
  readonly generator: Generator | undefined
  readonly #dropLast: boolean

  constructor(data: Dataset, options: LoaderOptions = {}) {
    const { batchSize = 32, shuffle = false, dropLast = false, seed = 0 } = options
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`DataLoader: expected batchSize >= 1, got ${batchSize}`)
    }
    this.batchSize = batchSize
    this.size = data.size
    this.#dropLast = dropLast
    this.#scale = data.scale
    this.generator = shuffle ? new Generator(seed, streams.batches) : undefined
    const toTensor = (values: Dataset['inputs'] | Dataset['targets'], shape: readonly number[]) =>
      within(null, () => tensor(values as Float32Array, [data.size, ...shape]))
    this.#inputs = toTensor(data.inputs, data.inputShape)
    this.#targets = toTensor(data.targets, data.targetShape)
  }

  /** Batches in one epoch. */
  get length(): number {
    const batches = this.size / this.batchSize
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  *[Symbol.iterator](): Iterator<Batch> {
    const order = within(null, () => this.order())
    try {
      for (let batch = 0; batch < this.length; batch++) {
        const start = batch * this.batchSize
        const rows = within(null, () => order.slice([start, start + this.batchSize]))
        const { inputs, targets } = within(null, () => this.gather(rows))
        try {
          yield { inputs, targets }
        } finally {
          for (const used of [rows, inputs, targets]) used.dispose()
        }
      }
    } finally {
      order.dispose()
    }
  }

  /** The examples in the order of the next epoch, [size]. */
  order(): Tensor<'int32'> {
    return this.generator
      ? this.generator.permutation(this.size)
      : tensor(Int32Array.from({ length: this.size }, (_, i) => i))
  }

  /** The batch of these examples. */
  gather(rows: Tensor<'int32'>): Batch {
    const inputs =
      this.#inputs.dtype === 'uint8'
        ? gatherBytes(this.#inputs, rows, { scale: this.#scale })
        : (gather(this.#inputs, rows) as Tensor)
    return { inputs, targets: gather(this.#targets, rows) as Targets }
  }

  /** Frees the copy of the data set. */
  dispose(): void {
    this.#inputs.dispose()
    this.#targets.dispose()
    this.generator?.dispose()
  }
}
