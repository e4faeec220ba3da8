/**
 * Batches of a data set, as tensors on the current backend: gathered from its examples by the
 * epoch's order.
 */

import { checkCount, checkFlag, optionsOf } from '../base/arguments.js'
import type { TargetKind } from '../nn/losses.js'
import { partOf } from '../tensor/allocate.js'
import { tensor } from '../tensor/create.js'
import { drawSeed, Generator, streams } from '../tensor/random.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Dataset } from './dataset.js'
import { type Batch, Examples, isExamples } from './examples.js'

/** Settings of a `DataLoader`. */
export interface LoaderOptions {
  /** Examples per batch; 32 by default. */
  batchSize?: number
  /** A new order for every epoch; off by default. */
  shuffle?: boolean
  /** Leaves out a last batch that is not full; off by default. */
  dropLast?: boolean
  /** Seed of the orders, from 0 to 2^53 - 1; by default drawn after `setSeed`. */
  seed?: number
}

const OPTIONS: Record<keyof LoaderOptions, true> = {
  batchSize: true,
  shuffle: true,
  dropLast: true,
  seed: true,
}

const OVER =
  'a batch can be used until the next one is taken; inside the loop, clone() keeps a tensor of it'

/**
 * Iterating goes once through the data set. A batch can be used until the next one is taken; `clone()`
 * keeps a tensor of it.
 * @example for (const { inputs, targets } of new DataLoader(train, { batchSize: 32, shuffle: true })) …
 */
export class DataLoader<K extends TargetKind = TargetKind> implements Iterable<Batch<K>> {
  /** Examples per batch; the last one may be smaller. */
  readonly batchSize: number
  /** Number of examples. */
  readonly size: number
  /** What the batches are made from. */
  readonly data: Dataset<K>
  readonly #examples: Examples<K>
  /** Draws the orders; undefined where they are the data set's own. */
  readonly generator: Generator | undefined
  readonly #dropLast: boolean

  /**
   * Copies a data set to the current backend.
   * @param data a data set, or its examples, which are freed with the loader then
   * @throws ArgumentError for options that do not exist or are out of range, and for what is no data
   *   set
   */
  constructor(data: Dataset<K> | Examples<K>, options: LoaderOptions = {}) {
    const given = optionsOf('DataLoader', options, OPTIONS)
    const { batchSize = 32, shuffle = false, dropLast = false, seed } = given
    checkCount('DataLoader', 'batchSize', batchSize)
    checkFlag('DataLoader', 'shuffle', shuffle)
    checkFlag('DataLoader', 'dropLast', dropLast)
    this.batchSize = batchSize
    this.#dropLast = dropLast
    this.generator = shuffle ? new Generator(seed ?? drawSeed(), streams.batches) : undefined
    this.#examples = isExamples(data) ? (data as Examples<K>) : Examples.of(data)
    this.size = this.#examples.size
    this.data = this.#examples.data
  }

  /** Batches in one epoch. */
  get length(): number {
    const batches = this.size / this.batchSize
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  /** @internal */
  get total(): number {
    return this.size
  }

  /** @internal */
  get rows(): Int32Array | undefined {
    return this.#examples.rows
  }

  /** @internal */
  get epochsAtOnce(): number {
    return Infinity
  }

  /** Goes once through the data set. */
  *[Symbol.iterator](): Iterator<Batch<K>> {
    const order = within(null, () => this.order())
    try {
      for (let batch = 0; batch < this.length; batch++) {
        const start = batch * this.batchSize
        const count = Math.min(this.batchSize, this.size - start)
        const rows = within(null, () => partOf(order, start, [count]))
        const { inputs, targets } = within(null, () => this.gather(rows))
        try {
          yield { inputs, targets }
        } finally {
          rows.dispose()
          for (const used of [inputs, targets]) used.release(OVER)
        }
      }
    } finally {
      order.dispose()
    }
  }

  /** @internal */
  async *passes(_first: number, epochs: number): AsyncGenerator<readonly Tensor<'int32'>[]> {
    const orders = within(null, () => Array.from({ length: epochs }, () => this.order()))
    try {
      yield orders
    } finally {
      for (const order of orders) order.dispose()
    }
  }

  /** Positions of the examples in the order of the next epoch, [size]. */
  order(): Tensor<'int32'> {
    if (this.generator) return this.generator.permutation(this.size)
    const order = new Int32Array(this.size)
    for (let i = 0; i < order.length; i++) order[i] = i
    return tensor(order)
  }

  /** The batch of the examples at these positions. */
  gather(positions: Tensor<'int32'>): Batch<K> {
    return this.#examples.gather(positions)
  }

  /** Frees the copy of the data set. */
  dispose(): void {
    this.#examples.dispose()
    this.generator?.dispose()
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}
