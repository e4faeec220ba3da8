/**
 * Training steps, many at a time: captured, so that they run beside JavaScript, wherever the model
 * allows it, else one by one on this thread with turns for the event loop in between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Captured, capture } from './capture/capture.js'
import type { Batch, DataLoader } from './data/loader.js'
import { CaptureError } from './errors.js'
import type { Loss } from './losses.js'
import type { Module } from './nn/module.js'
import type { Optimizer } from './optim/optimizer.js'
import { scope } from './scope.js'
import type { Tensor } from './tensor.js'

// How long the event loop waits for steps that run on its own thread, in milliseconds.
const TURN = 8

type Rows = Tensor<'int32'>

export class Steps {
  #captured: Captured<readonly [Rows], Tensor> | undefined

  constructor(
    readonly model: Module,
    readonly loader: DataLoader,
    readonly loss: Loss,
    readonly optimizer: Optimizer,
    readonly change: (batch: Batch) => Tensor = ({ inputs }) => inputs,
  ) {
    this.#captured = capture((rows: Rows) => this.#step(rows))
  }

  /** Steps on the batches that the rows [steps, batch] name; the risk of each before its update. */
  async run(rows: Rows): Promise<Float32Array> {
    if (this.#captured) {
      try {
        const risks = await this.#captured.runMany(rows)
        const values = risks.data()
        risks.dispose()
        return values
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error
        process.emitWarning(`fit: steps run one by one on this thread (${error.message})`, {
          type: 'NeuroblasWarning',
        })
        this.#captured.dispose()
        this.#captured = undefined
      }
    }
    return this.#runEagerly(rows)
  }

  async #runEagerly(rows: Rows): Promise<Float32Array> {
    const [steps, batchSize] = rows.shape
    const risks = new Float32Array(steps)
    let turn = performance.now()
    for (let i = 0; i < steps; i++) {
      risks[i] = scope(() => this.#step(rows.slice([i, i + 1]).reshape([batchSize])).item())
      if (performance.now() - turn < TURN) continue
      await nextTurn()
      turn = performance.now()
    }
    return risks
  }

  #step(rows: Rows): Tensor {
    const batch = this.loader.gather(rows)
    const risk = this.loss(this.model.forward(this.change(batch)), batch.targets)
    risk.backward()
    this.optimizer.step()
    this.optimizer.zeroGrad()
    return risk
  }

  dispose(): void {
    this.#captured?.dispose()
  }
}
