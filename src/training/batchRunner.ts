/**
 * Runs a step on one batch after another: captured, so that it computes beside JavaScript, wherever
 * the model allows it; else batch by batch on this thread, yielding to the event loop in between.
 */

import { CaptureError } from '../base/errors.js'
import { yielder } from '../base/eventLoop.js'
import { type Captured, capture } from '../capture/capture.js'
import type { Names } from '../capture/digest.js'
import { partOf } from '../tensor/allocate.js'
import { tensor } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'

export type RowIndices = Tensor<'int32'>

export class BatchRunner {
  readonly #step: Captured<readonly [RowIndices], Tensor>
  #captures = true

  /**
   * @param op whose steps they are, for the warning that they cannot be captured
   * @param step what is done with the batch of some rows; gives the same number of values each time
   */
  constructor(
    readonly op: string,
    readonly step: (rows: RowIndices) => Tensor,
  ) {
    this.#step = capture(step)
  }

  /**
   * Steps on batches of the rows that `order` names from `start` on; the values of all of them, one
   * step after another.
   * @param meanwhile called once, where possible while other threads compute
   */
  async run(
    order: RowIndices,
    start: number,
    shape: readonly [steps: number, batchSize: number],
    meanwhile?: () => void,
  ): Promise<Float32Array> {
    const rows = rowsOf(order, start, shape)
    try {
      return await this.tryCaptured(
        () => this.#replay(rows, meanwhile),
        () => this.#runEagerly(rows, meanwhile),
      )
    } finally {
      rows.dispose()
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
  async tryCaptured<T>(captured: () => Promise<T>, eagerly: () => Promise<T>): Promise<T> {
    if (this.#captures) {
      try {
        return await captured()
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error
        process.emitWarning(`${this.op}: steps run one by one on this thread (${error.message})`, {
          type: 'NeuroblasWarning',
        })
        this.#captures = false
        this.dispose()
      }
    }
    return eagerly()
  }

  async #replay(rows: RowIndices, meanwhile?: () => void): Promise<Float32Array> {
    const running = this.#step.runMany(rows)
    meanwhile?.()
    const results = await running
    const values = results.data()
    results.dispose()
    return values
  }

  async #runEagerly(rows: RowIndices, meanwhile?: () => void): Promise<Float32Array> {
    const [steps, batchSize] = rows.shape
    const results: Float32Array[] = []
    const yieldIfDue = yielder()
    meanwhile?.()
    for (let i = 0; i < steps; i++) {
      results.push(scope(() => this.step(partOf(rows, i * batchSize, [batchSize])).data()))
      await yieldIfDue()
    }
    return Float32Array.from(results.flatMap((values) => [...values]))
  }

  dispose(): void {
    this.#step.dispose()
  }
}

/** The rows that `order` names from `start` on, in this shape, over its buffer; they outlive every scope. */
export function rowsOf(order: RowIndices, start: number, shape: readonly number[]): RowIndices {
  return within(null, () => partOf(order, start, shape))
}
