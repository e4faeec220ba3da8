/**
 * Runs a step on one batch after another: captured, so that it computes beside JavaScript, wherever
 * the model allows it; else batch by batch on this thread, yielding to the event loop in between.
 */

import { CaptureError } from '../base/errors.js'
import { atOnce, type Pausable, yielder } from '../base/eventLoop.js'
import { type Captured, captureInParts } from '../capture/capture.js'
import type { Names } from '../capture/digest.js'
import { runInTurns } from '../capture/turns.js'
import { partOf } from '../tensor/allocate.js'
import { tensor } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Arranged, arrange, type Batches, type RowIndices } from './batches.js'

/** Does what is captured; once that is impossible, and says so, something else from then on. */
export class CaptureFallback {
  #captures = true

  /** @param step freed once it cannot be captured */
  constructor(
    readonly op: string,
    readonly step: { dispose(): void },
  ) {}

  async try<T>(captured: () => Promise<T>, eagerly: () => Promise<T>): Promise<T> {
    if (this.#captures) {
      try {
        return await captured()
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error
        process.emitWarning(`${this.op}: steps run one by one on this thread (${error.message})`, {
          type: 'NeuroblasWarning',
        })
        this.#captures = false
        this.step.dispose()
      }
    }
    return eagerly()
  }
}

export class BatchRunner {
  readonly #step: Captured<readonly [RowIndices], Tensor>
  readonly #fallback: CaptureFallback

  /**
   * @param op whose steps they are, for the warning that they cannot be captured
   * @param step what is done with the batch of some rows; gives the same number of values each time
   */
  constructor(
    readonly op: string,
    readonly step: (rows: RowIndices) => Pausable<Tensor>,
  ) {
    this.#step = captureInParts(step, 1)
    this.#fallback = new CaptureFallback(op, this.#step)
  }

  /**
   * Steps on batches after batches, in one dispatch where they are captured; the values of all steps on
   * each of these.
   * @param meanwhile called once, where possible while other threads compute
   */
  async run(batches: readonly Batches[], meanwhile?: () => void): Promise<Float32Array[]> {
    const arranged = arrange(batches)
    try {
      return await this.tryCaptured(
        () => this.#replay(arranged, meanwhile),
        () => this.#runEagerly(arranged, meanwhile),
      )
    } finally {
      for (const x of arranged.rows) x.dispose()
    }
  }

  /** As `Captured` has it, of the step on so many rows; undefined where it cannot be captured. */
  digest(names: Names, batchSize: number): string | undefined {
    const rows = within(null, () => tensor(new Int32Array(batchSize)))
    try {
      return this.#step.digest(names, rows)
    } catch (error) {
      if (error instanceof CaptureError) return undefined
      throw error
    } finally {
      rows.dispose()
    }
  }

  /** Does what is captured; once that is impossible, and says so, the other from then on. */
  tryCaptured<T>(captured: () => Promise<T>, eagerly: () => Promise<T>): Promise<T> {
    return this.#fallback.try(captured, eagerly)
  }

  async #replay({ rows, turns }: Arranged, meanwhile?: () => void): Promise<Float32Array[]> {
    for (const x of rows) await this.#step.record(x)
    const running = runInTurns(
      rows.map((x) => this.#step.replays(x)),
      turns,
    )
    meanwhile?.()
    const values = (await running).map((results) => {
      const ofSize = results.data()
      results.dispose()
      return ofSize
    })
    return turns.map(({ part, begin, iterations }) => {
      const width = values[part].length / rows[part].shape[0]
      return values[part].subarray(begin * width, (begin + iterations) * width)
    })
  }

  async #runEagerly({ rows, turns }: Arranged, meanwhile?: () => void): Promise<Float32Array[]> {
    const yieldIfDue = yielder()
    meanwhile?.()
    const all: Float32Array[] = []
    for (const { part, begin, iterations } of turns) {
      const batchSize = rows[part].shape[1]
      const results: Float32Array[] = []
      for (let i = begin; i < begin + iterations; i++) {
        const batch = () => partOf(rows[part], i * batchSize, [batchSize])
        results.push(scope(() => atOnce(this.step(batch())).data()))
        await yieldIfDue()
      }
      all.push(Float32Array.from(results.flatMap((values) => [...values])))
    }
    return all
  }

  dispose(): void {
    this.#step.dispose()
  }
}
