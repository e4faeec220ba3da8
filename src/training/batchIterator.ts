/** The batches of one epoch after another, from an iterable or made of arrays. */
import { ArgumentError } from '../base/errors.js'
import { drawSeed, Generator, streams } from '../tensor/random.js'
import {
  type BatchArrays,
  type BatchData,
  isIterable,
  type ReadBatch,
  readBatch,
  takeRows,
  withValues,
} from './batchSource.js'

interface Options {
  batchSize?: number
  shuffle?: boolean
  seed?: number
  stepsPerEpoch?: number
}

type AnyIterator = AsyncIterator<BatchArrays> | Iterator<BatchArrays>

export class Batches {
  /** Of arrays. */
  readonly #all: ReturnType<typeof withValues> | undefined
  readonly #generator: Generator | undefined
  /** That goes on from epoch to epoch. */
  #iterator: AnyIterator | undefined
  #epochs = 0

  /** @param what they are called where there are none */
  constructor(
    readonly what: string,
    readonly data: BatchData,
    readonly options: Options,
  ) {
    if (isIterable(data)) return
    this.#all = withValues(readBatch('fit', data))
    const { shuffle = true, seed = drawSeed() } = options
    if (shuffle) this.#generator = new Generator(seed, streams.batches)
  }

  /** Undefined where only the end of the iterable tells. */
  get stepsPerEpoch(): number | undefined {
    if (!this.#all) return this.options.stepsPerEpoch
    return Math.ceil(this.#all.size / (this.options.batchSize ?? 32))
  }

  /**
   * Those of the next epoch.
   * @throws ArgumentError where an iterable has none; what it throws itself
   */
  async *epoch(): AsyncGenerator<ReadBatch, void> {
    const { stepsPerEpoch } = this.options
    let steps = 0
    const source = this.#all
      ? this.#slices(this.#all)
      : stepsPerEpoch === undefined
        ? (this.data as Iterable<BatchArrays>)
        : this.#next(stepsPerEpoch)
    for await (const batch of source) {
      steps++
      yield this.#all ? (batch as ReadBatch) : readBatch('fit', batch as BatchArrays)
    }
    this.#epochs++
    // One that goes on from epoch to epoch may end with one.
    if (steps > 0 || (stepsPerEpoch !== undefined && this.#epochs > 1)) return
    throw new ArgumentError(
      `fit: expected ${this.what} in pass ${this.#epochs}, got none; a generator goes through its own once: give stepsPerEpoch, or an object whose [Symbol.asyncIterator]() begins anew`,
    )
  }

  *#slices(all: Parameters<typeof takeRows>[0]): Iterable<ReadBatch> {
    const { batchSize = 32 } = this.options
    const order = this.#order(all.size)
    for (let begin = 0; begin < all.size; begin += batchSize) {
      yield takeRows(all, order.subarray(begin, begin + batchSize))
    }
  }

  #order(size: number): Int32Array {
    const order = this.#generator?.permutation(size)
    if (order === undefined) return Int32Array.from({ length: size }, (_, i) => i)
    const rows = order.data()
    order.dispose()
    return rows
  }

  async *#next(steps: number): AsyncIterable<BatchArrays> {
    const { data } = this
    this.#iterator ??=
      Symbol.asyncIterator in data
        ? data[Symbol.asyncIterator]()
        : (data as Iterable<BatchArrays>)[Symbol.iterator]()
    for (let step = 0; step < steps; step++) {
      const iterator = this.#iterator as AnyIterator
      // One that throws is over, and so is one that ends.
      this.#iterator = undefined
      const { done, value } = await iterator.next()
      if (done) {
        this.#iterator = OVER
        return
      }
      this.#iterator = iterator
      yield value
    }
  }

  /** Closes an iterable that has more, and frees what is its own. */
  async close(): Promise<void> {
    this.#generator?.dispose()
    await this.#iterator?.return?.()
  }
}

const OVER: AnyIterator = { next: () => ({ done: true, value: undefined }) }
