/**
 * Batches of examples that come in blocks. One window of them after another is copied into the same buffers,
 * and the next one is read meanwhile. Shuffling has two levels: the chunks of the cache come in another order in
 * each epoch, and the rows of a window, which has many chunks, are mixed. In the first epoch, which fills the
 * cache, and where there is none, rows are mixed within windows alone.
 */
import { requireMemory } from '../../base/availableMemory.js'
import { tensor } from '../../tensor/create.js'
import { Generator, streams } from '../../tensor/random.js'
import { within } from '../../tensor/storage.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { BatchLoader } from '../batchLoader.js'
import type { Dataset, ExampleForm } from '../dataset.js'
import { type Batch, Examples } from '../examples.js'
import { BlockCache } from './blockCache.js'
import { BlockReader, type RowReader } from './blockReader.js'
import { type BlockForm, type BlockSource, blockFormOf } from './blockSource.js'
import { allocateRows, bytesOf, type Rows, rowsFrom } from './rows.js'

/** How examples in blocks are read. */
export interface BlockOptions {
  /**
   * How many examples are mixed with each other, which are in memory then, twice; by default those of
   * 16 MiB, and 8192 where these take no more than 128 MiB. It becomes a multiple of the batch size.
   */
  shuffleBuffer?: number
  /**
   * From the second epoch on, blocks are read from a file, in any order. `true`, the default: one that is gone
   * with the training; TMPDIR says where. The path of a folder: the file is kept there, for trainings on the
   * same data. `false`: none, and blocks come in the source's own order in each epoch.
   */
  cache?: boolean | string
}

interface LoaderOptions extends BlockOptions {
  batchSize: number
  shuffle: boolean
  seed: number
  /** Sees the first window, before it is used. */
  look?: (data: Dataset) => Promise<void>
}

const [WINDOW_BYTES, MOST_BYTES, FEW_ROWS] = [2 ** 24, 2 ** 27, 8192]
/** Where nothing is mixed. */
const SMALL_WINDOW = 2 ** 22
/** Read at a time: enough for the speed of the disk. */
const CHUNK_BYTES = 2 ** 18
/** Chunks whose rows are mixed, at least. */
const MIXED_CHUNKS = 64

export class BlockLoader implements BatchLoader {
  readonly epochsAtOnce = 1
  readonly rows = undefined
  readonly batchSize: number
  readonly form: BlockForm
  readonly generator: Generator | undefined
  readonly #window: number
  readonly #examples: Examples
  readonly #cache: BlockCache | undefined
  /** Two arrays of targets: those of the window that is trained on are still asked for. */
  readonly #staged: Rows[]
  #total: number | undefined
  #classWeights: ArrayLike<number> = []
  #weights: Tensor | undefined

  /** @throws ArgumentError for a source whose description is none, OutOfMemoryError */
  constructor(
    readonly op: string,
    readonly source: BlockSource,
    readonly options: LoaderOptions,
  ) {
    const { batchSize, shuffle, seed, cache = true } = options
    this.form = blockFormOf(op, source)
    this.batchSize = batchSize
    this.generator = shuffle ? new Generator(seed, streams.batches) : undefined
    const bytes = bytesOf(this.form)
    const wanted = shuffle ? (options.shuffleBuffer ?? defaultBuffer(bytes)) : SMALL_WINDOW / bytes
    this.#window = batchSize * Math.max(1, Math.round(wanted / batchSize))
    const staged = allocateRows(op, this.form, this.#window)
    const targets = staged.targets.slice()
    this.#staged = [staged, { inputs: staged.inputs, targets }]
    requireMemory(op, `a window of ${this.#window} examples`, this.#window * bytes)
    this.#examples = Examples.roomFor(this.#datasetOf(staged, this.#window))
    const fitting = shuffle
      ? Math.min(CHUNK_BYTES / bytes, wanted / MIXED_CHUNKS)
      : CHUNK_BYTES / bytes
    const chunkRows = Math.max(1, Math.floor(fitting))
    const folder = typeof cache === 'string' ? cache : undefined
    this.#cache = cache === false ? undefined : new BlockCache(op, this.form, folder, chunkRows)
  }

  get data(): ExampleForm {
    return this.#examples.data
  }

  get size(): number {
    return this.#examples.size
  }

  get total(): number | undefined {
    return this.#total ?? this.form.size
  }

  get length(): number | undefined {
    const { total, batchSize } = this
    return total === undefined ? undefined : Math.ceil(total / batchSize)
  }

  gather(positions: Tensor<'int32'>): Batch {
    return this.#examples.gather(positions)
  }

  async *passes(epoch: number): AsyncGenerator<readonly Tensor<'int32'>[]> {
    const reader = await this.#reader(epoch === 1 || !this.generator)
    let count = 0
    let [staged, other] = this.#staged
    let next = fillAhead(reader, staged, this.#window)
    try {
      for (;;) {
        const size = await next
        if (size === 0) break
        if (epoch === 1 && count === 0) await this.options.look?.(this.#datasetOf(staged, size))
        await this.#refill(staged, size)
        ;[staged, other] = [other, staged]
        next = size < this.#window ? Promise.resolve(0) : fillAhead(reader, staged, this.#window)
        count += size
        const order = within(null, () => this.#order(size))
        try {
          yield [order]
        } finally {
          order.dispose()
        }
      }
      this.#total = count
    } finally {
      await next.catch(() => {})
      await reader.close()
    }
  }

  /**
   * Gives examples weights, those of their classes.
   * @returns of the examples that can be gathered, whichever they are then: [window]
   */
  weighBy(classWeights: ArrayLike<number>): Tensor {
    this.#classWeights = classWeights
    this.#weights = within(null, () => tensor(new Float32Array(this.#window)))
    return this.#weights
  }

  /** Number of examples of each class; goes through all blocks for it. */
  async countClasses(): Promise<number[]> {
    const counts = this.form.form.classes.map(() => 0)
    const [{ targets }] = this.#staged
    this.#total = await this.#readAll(await this.#reader(true), (size) => {
      for (let i = 0; i < size; i++) counts[targets[i]]++
    })
    return counts
  }

  async dispose(): Promise<void> {
    this.#examples.dispose()
    this.#weights?.dispose()
    this.generator?.dispose()
    await this.#cache?.dispose()
  }

  /** In the source's own order, or from the cache in another one, for which all of it must be there. */
  async #reader(isInOrder: boolean): Promise<RowReader> {
    const { op, source, form } = this
    const cache = this.#cache
    if (cache && !cache.hasFailed && cache.rows === undefined) {
      await cache.find()
      // Of one that is written now, it is known at the end of the epoch, however far reading is ahead.
      this.#total ??= cache.rows
      if (cache.rows === undefined) {
        const recording = await cache.record(new BlockReader(op, source, form, this.total))
        if (isInOrder) return recording
        this.#total = await this.#readAll(recording)
      }
    }
    if (cache?.rows === undefined) return new BlockReader(op, source, form, this.total)
    return cache.read(isInOrder ? undefined : this.#drawOrder(cache.chunks))
  }

  /** @returns how many there were */
  async #readAll(reader: RowReader, use?: (size: number) => void): Promise<number> {
    const [staged] = this.#staged
    let count = 0
    try {
      for (let size = this.#window; size === this.#window; count += size) {
        size = await reader.fill(staged, this.#window)
        use?.(size)
      }
      return count
    } finally {
      await reader.close()
    }
  }

  #drawOrder(size: number): Int32Array {
    const order = within(null, () => (this.generator as Generator).permutation(size))
    const values = order.data()
    order.dispose()
    return values
  }

  #order(size: number): Tensor<'int32'> {
    if (this.generator) return this.generator.permutation(size)
    return tensor(Int32Array.from({ length: size }, (_, i) => i))
  }

  async #refill({ inputs, targets }: Rows, size: number): Promise<void> {
    await this.#examples.refill(this.#datasetOf({ inputs, targets }, size))
    if (!this.#weights) return
    const { storage, handle } = this.#weights
    storage.backend.write(
      handle,
      Float32Array.from({ length: size }, (_, i) => this.#classWeights[targets[i]]),
    )
  }

  #datasetOf(rows: Rows, size: number): Dataset {
    return { ...this.form.form, size, ...rowsFrom(this.form, rows, 0, size) }
  }
}

function defaultBuffer(bytes: number): number {
  return Math.max(WINDOW_BYTES / bytes, Math.min(FEW_ROWS, MOST_BYTES / bytes))
}

/** Begins to read; what fails is thrown where it is awaited. */
function fillAhead(reader: RowReader, to: Rows, wanted: number): Promise<number> {
  const filled = reader.fill(to, wanted)
  filled.catch(() => {})
  return filled
}
