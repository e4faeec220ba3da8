/**
 * Training steps, many at a time: captured, so that they run beside JavaScript, wherever the model
 * allows it, else one by one on this thread with turns for the event loop in between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Captured, capture } from './capture/capture.js'
import type { DataLoader } from './data/loader.js'
import { CaptureError } from './errors.js'
import type { Loss } from './losses.js'
import type { Monitor } from './monitor/monitor.js'
import { type Look, Probe } from './monitor/probe.js'
import type { Module } from './nn/module.js'
import type { Optimizer } from './optim/optimizer.js'
import { scope } from './scope.js'
import type { Tensor } from './tensor.js'

// How long the event loop waits for steps that run on its own thread, in milliseconds.
const TURN = 8

type Rows = Tensor<'int32'>

/** A step that a monitor recorded: of each layer, how far its weights went. */
type Sampled = { risk: Tensor; look: Look; updates: Tensor[] }

export class Steps {
  readonly #step: Captured<readonly [Rows], Tensor>
  readonly #sampled: Captured<readonly [Rows], Sampled>
  readonly #probe: Probe
  #captures = true

  constructor(
    readonly model: Module,
    readonly loader: DataLoader,
    readonly loss: Loss,
    readonly optimizer: Optimizer,
    readonly monitor?: Monitor,
  ) {
    this.#probe = new Probe(model)
    this.#step = capture((rows: Rows) => this.#takeStep(rows))
    this.#sampled = capture((rows: Rows) => this.#takeSampled(rows))
  }

  /** How many steps the next call of `run` may take: one that is sampled goes alone. */
  get mostTogether(): number {
    return this.monitor ? this.monitor.stepsToSample || 1 : Infinity
  }

  /** Steps on the batches that the rows [steps, batch] name; the risk of each before its update. */
  async run(rows: Rows): Promise<Float32Array> {
    const risks =
      this.monitor?.stepsToSample === 0
        ? await this.#runSampled(rows, this.monitor)
        : await this.#captured(
            () => this.#runTogether(rows),
            () => this.#runEagerly(rows),
          )
    this.monitor?.advance(rows.shape[0])
    return risks
  }

  async #runTogether(rows: Rows): Promise<Float32Array> {
    const risks = await this.#step.runMany(rows)
    const values = risks.data()
    risks.dispose()
    return values
  }

  async #runSampled(rows: Rows, monitor: Monitor): Promise<Float32Array> {
    const batch = rows.view(rows.shape.slice(1))
    const record = ({ risk, look, updates }: Sampled) => {
      monitor.add(this.#probe, look, updates)
      return Float32Array.of(risk.item())
    }
    try {
      return await this.#captured(
        async () => record(await this.#sampled.run(batch)),
        async () => scope(() => record(this.#takeSampled(batch))),
      )
    } finally {
      batch.dispose()
    }
  }

  /** Tries the captured steps; once they cannot be captured, takes them eagerly. */
  async #captured<T>(captured: () => Promise<T>, eagerly: () => Promise<T>): Promise<T> {
    if (this.#captures) {
      try {
        return await captured()
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error
        process.emitWarning(`fit: steps run one by one on this thread (${error.message})`, {
          type: 'NeuroblasWarning',
        })
        this.#captures = false
        this.dispose()
      }
    }
    return eagerly()
  }

  async #runEagerly(rows: Rows): Promise<Float32Array> {
    const [steps, batchSize] = rows.shape
    const risks = new Float32Array(steps)
    let turn = performance.now()
    for (let i = 0; i < steps; i++) {
      risks[i] = scope(() => this.#takeStep(rows.slice([i, i + 1]).reshape([batchSize])).item())
      if (performance.now() - turn < TURN) continue
      await nextTurn()
      turn = performance.now()
    }
    return risks
  }

  #takeStep(rows: Rows): Tensor {
    const { risk } = this.#forward(rows)
    this.#update(risk)
    return risk
  }

  /** The same step, with a look before it: the gradients that it updates with are its own again. */
  #takeSampled(rows: Rows): Sampled {
    const { outputs, risk } = this.#forward(rows)
    const look = this.#probe.look(outputs, risk)
    const before = this.#probe.copies()
    this.#update(risk)
    return { risk, look, updates: this.#probe.distances(before) }
  }

  #forward(rows: Rows): { outputs: Tensor; risk: Tensor } {
    const { inputs, targets } = this.loader.gather(rows)
    const outputs = this.model.forward(inputs)
    return { outputs, risk: this.loss(outputs, targets) }
  }

  #update(risk: Tensor): void {
    risk.backward()
    this.optimizer.step()
    this.optimizer.zeroGrad()
  }

  dispose(): void {
    this.#step.dispose()
    this.#sampled.dispose()
  }
}
