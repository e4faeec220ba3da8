/**
 * What is done with one batch after another: captured, so that it runs beside JavaScript, wherever
 * the model allows it, else batch by batch on this thread with turns for the event loop in between.
 */
import { type Captured, capture } from './capture/capture.js'
import type { Batch } from './data/examples.js'
import type { DataLoader } from './data/loader.js'
import { CaptureError } from './errors.js'
import type { Loss } from './losses.js'
import type { Module } from './nn/module.js'
import type { Optimizer } from './optim/optimizer.js'
import { scope, within } from './scope.js'
import type { Tensor } from './tensor.js'
import { turns } from './turns.js'

type Rows = Tensor<'int32'>

export class Steps {
  #captured: Captured<readonly [Rows], Tensor> | undefined

  /**
   * @param op whose steps they are, for the warning that they cannot be captured
   * @param step what is done with the batch of some rows; gives the same number of values each time
   */
  constructor(
    readonly op: string,
    readonly step: (rows: Rows) => Tensor,
  ) {
    this.#captured = capture(step)
  }

  /**
   * Steps on batches of the rows that `order` names from `start` on; the values of all of them, one
   * step after another.
   */
  async run(order: Rows, start: number, shape: readonly [steps: number, batchSize: number]) {
    const [steps, batchSize] = shape
    const slice = within(null, () => order.slice([start, start + steps * batchSize]))
    const rows = slice.view(shape)
    slice.dispose()
    try {
      return (await this.#replay(rows)) ?? (await this.#runEagerly(rows))
    } finally {
      rows.dispose()
    }
  }

  /** Undefined where steps cannot be captured. */
  async #replay(rows: Rows): Promise<Float32Array | undefined> {
    if (!this.#captured) return undefined
    try {
      const results = await this.#captured.runMany(rows)
      const values = results.data()
      results.dispose()
      return values
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error
      process.emitWarning(`${this.op}: steps run one by one on this thread (${error.message})`, {
        type: 'NeuroblasWarning',
      })
      this.dispose()
      this.#captured = undefined
      return undefined
    }
  }

  async #runEagerly(rows: Rows): Promise<Float32Array> {
    const [steps, batchSize] = rows.shape
    const results: Float32Array[] = []
    const turn = turns()
    for (let i = 0; i < steps; i++) {
      results.push(scope(() => this.step(rows.slice([i, i + 1]).reshape([batchSize])).data()))
      await turn()
    }
    return Float32Array.from(results.flatMap((values) => [...values]))
  }

  dispose(): void {
    this.#captured?.dispose()
  }
}

/** Steps of training; the value of each is its batch's risk before the update. */
export function trainingSteps(
  model: Module,
  loader: DataLoader,
  loss: Loss,
  optimizer: Optimizer,
  change: (batch: Batch) => Tensor = ({ inputs }) => inputs,
): Steps {
  return new Steps('fit', (rows) => {
    const batch = loader.gather(rows)
    const risk = loss(model.forward(change(batch)), batch.targets)
    risk.backward()
    optimizer.step()
    optimizer.zeroGrad()
    return risk
  })
}
