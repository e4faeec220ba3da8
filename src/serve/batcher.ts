/**
 * Micro-batches: rows that wait at the same time are asked about together. What comes in one turn of the event loop
 * is a batch, and so is what comes while the one before is computed.
 */
import { Refusal } from './refusal.js'
import type { Replica } from './replica.js'

/** Rows that somebody asks about. */
export interface Job {
  /** [rows, inputs] */
  readonly inputs: Float32Array
  readonly rows: number
  /** Whether nobody waits for the answer any more. */
  isGone(): boolean
  /** Hears the answer, from this row on; what it is given is good for this call only. */
  answer(scores: Float32Array, labels: Int32Array, row: number): void
  fail(error: unknown): void
  /** Hears that it was gone when its turn came. */
  drop(): void
}

/** As many rows of a job as fit into a batch. */
interface Piece extends Job {
  /** Whether it must be answered by the same weights as the one before. */
  readonly continues?: boolean
}

export class Batcher {
  #active: Replica
  /** The weights that were answered by before the last ones, for the next. */
  #idle: Replica | undefined
  /** Whether `#idle` has newer weights, which the next batch begins with. */
  #isPublished = false
  readonly #inputs: Float32Array
  #waiting: Piece[] = []
  #waitingRows = 0
  #isBusy = false
  #onIdle: (() => void) | undefined
  #ended: Promise<void> | undefined

  /**
   * @param width inputs of a row
   * @param onBatch hears of the rows of each batch
   */
  constructor(
    replica: Replica,
    readonly width: number,
    readonly onBatch: (rows: number) => void,
  ) {
    this.#active = replica
    this.#inputs = new Float32Array(replica.batchSize * width)
  }

  /** Rows that wait for their batch. */
  get waiting(): number {
    return this.#waitingRows
  }

  /** @throws Refusal once it has ended */
  push(job: Job): void {
    if (this.#ended) throw new Refusal(503, 'expected a model, got one that was disposed of')
    for (const piece of piecesOf(job, this.#active)) this.#waiting.push(piece)
    this.#waitingRows += job.rows
    this.#schedule()
  }

  /**
   * Answers by other weights from the next batch on.
   * @param update gives the idle replica the new weights
   * @param make makes one where there is none yet
   */
  publish(update: (idle: Replica) => void, make: () => Replica): void {
    if (this.#idle) update(this.#idle)
    else this.#idle = make()
    this.#isPublished = true
  }

  /** Frees the weights once everything that waits is answered. */
  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    if (this.#isBusy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    this.#active.dispose()
    this.#idle?.dispose()
  }

  #schedule(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    setImmediate(this.#runNext)
  }

  readonly #runNext = (): void => {
    const pieces = this.#take()
    if (pieces.length === 0) {
      this.#finish()
      return
    }
    if (this.#isPublished && this.#idle && !pieces[0].continues) {
      ;[this.#active, this.#idle] = [this.#idle, this.#active]
      this.#isPublished = false
    }
    let rows = 0
    for (const piece of pieces) {
      this.#inputs.set(piece.inputs, rows * this.width)
      rows += piece.rows
    }
    this.onBatch(rows)
    const replica = this.#active
    replica.run(this.#inputs, rows, (error) => {
      let row = 0
      try {
        for (const piece of pieces) {
          if (error === undefined) piece.answer(replica.scores, replica.labels, row)
          else piece.fail(error)
          row += piece.rows
        }
      } finally {
        this.#finish()
      }
    })
  }

  /** The next batch: pieces that fit in, without those whose answers nobody waits for. */
  #take(): Piece[] {
    const taken: Piece[] = []
    let [rows, seen] = [0, 0]
    for (const piece of this.#waiting) {
      const isGone = piece.isGone()
      if (!isGone && rows + piece.rows > this.#active.batchSize) break
      seen++
      this.#waitingRows -= piece.rows
      if (isGone) piece.drop()
      else {
        taken.push(piece)
        rows += piece.rows
      }
    }
    this.#waiting = seen === this.#waiting.length ? [] : this.#waiting.slice(seen)
    return taken
  }

  #finish(): void {
    this.#isBusy = false
    if (this.#waiting.length > 0) this.#schedule()
    else this.#onIdle?.()
  }
}

/** A job in pieces of a batch each; the answers are put together again. */
function piecesOf(job: Job, { batchSize, width }: Replica): Piece[] {
  const { inputs, rows } = job
  if (rows <= batchSize) return [job]
  const all = new Float32Array(rows * width)
  const allLabels = new Int32Array(rows)
  const inputWidth = inputs.length / rows
  // Of a job that failed or is gone, the other pieces are left out and not told of.
  let isOver = false
  const over = (tell: () => void) => {
    if (isOver) return
    isOver = true
    tell()
  }
  return Array.from({ length: Math.ceil(rows / batchSize) }, (_, i) => {
    const [begin, end] = [i * batchSize, Math.min(rows, (i + 1) * batchSize)]
    const count = end - begin
    return {
      inputs: inputs.subarray(begin * inputWidth, end * inputWidth),
      rows: count,
      continues: i > 0,
      isGone: () => isOver || job.isGone(),
      answer: (scores, found, row) => {
        all.set(scores.subarray(row * width, (row + count) * width), begin * width)
        allLabels.set(found.subarray(row, row + count), begin)
        if (end === rows && !isOver) job.answer(all, allLabels, 0)
      },
      fail: (error) => over(() => job.fail(error)),
      drop: () => over(() => job.drop()),
    }
  })
}
