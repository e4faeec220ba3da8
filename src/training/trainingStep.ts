/** One step of training, captured; a monitor gets a second version of it, which also measures. */
import { atOnce, type Pausable } from '../base/eventLoop.js'
import { type Captured, capture } from '../capture/capture.js'
import type { Names } from '../capture/digest.js'
import type { BatchLoader } from '../data/batchLoader.js'
import type { ExampleForm } from '../data/dataset.js'
import type { Batch } from '../data/examples.js'
import type { Monitor } from '../monitor/monitor.js'
import { type Look, Probe } from '../monitor/probe.js'
import type { Loss, TargetKind } from '../nn/losses.js'
import type { Module } from '../nn/module.js'
import { selectRows } from '../ops/indexing.js'
import { partOf } from '../tensor/allocate.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Batches, type RowIndices, rowsOf } from './batches.js'
import { BatchRunner } from './batchRunner.js'
import { checkLabels, forward, lossOf } from './forward.js'
import { type Measures, measure, withOutputs } from './measures.js'
import { updateWeights, type WeightUpdate } from './weightUpdate.js'

/** What a step of training does. */
export interface TrainingSettings extends WeightUpdate {
  loss: Loss<TargetKind>
  /** The inputs that the model sees; the batch's own by default. */
  change?: (batch: Batch) => Tensor
  monitor?: Monitor
  /** Whether each step goes alone, so that what is told of it can stop the training there. */
  stepwise?: boolean
  /** Examples whose gradient is computed at once; all of a step by default. */
  microBatch?: number
  /** Of the examples that the loader gathers from, how much each counts. */
  weights?: Tensor
  /** Metrics of the outputs that the steps train on. */
  measures?: Measures
  /** What the model is validated on, whose labels must fit its outputs, too. */
  validation?: ExampleForm
}

/** A step that a monitor recorded: of each layer, how far its weights went. */
type Sampled = { results: Tensor; look: Look; updates: Tensor[] }

export class TrainingStep {
  readonly #steps: BatchRunner
  readonly #sampled: Captured<readonly [RowIndices], Sampled>
  readonly #probe: Probe
  #isChecked = false

  constructor(
    readonly model: Module,
    readonly loader: BatchLoader,
    readonly settings: TrainingSettings,
  ) {
    this.#probe = new Probe(model)
    this.#steps = this.#runner(settings.measures)
    this.#sampled = capture((rows: RowIndices) => this.#takeSampled(rows))
  }

  /** How many steps the next call of `run` may take: one that is sampled goes alone. */
  get mostTogether(): number {
    const { monitor, stepwise } = this.settings
    if (stepwise) return 1
    return monitor ? monitor.stepsToSample || 1 : Infinity
  }

  /** As `BatchRunner` has it. Metrics look on, and are no part of it. */
  digest(names: Names, batchSize: number): string | undefined {
    if (!this.settings.measures) return this.#steps.digest(names, batchSize)
    const alone = this.#runner()
    try {
      return alone.digest(names, batchSize)
    } finally {
      alone.dispose()
    }
  }

  #runner(measures?: Measures): BatchRunner {
    return new BatchRunner('fit', (rows) => this.#take(rows, measures))
  }

  /** Of each of these batches, in one dispatch, the loss before its update. */
  async run(batches: readonly Batches[]): Promise<Float32Array[]> {
    const { monitor } = this.settings
    const results =
      monitor?.stepsToSample === 0
        ? [await this.#runSampled(batches[0], monitor)]
        : await this.#steps.run(batches, () => monitor?.settle())
    monitor?.advance(batches.reduce((sum, { steps }) => sum + steps, 0))
    return this.settings.measures ? measure(this.settings.measures, batches, results) : results
  }

  /** The loss of the data's first batch for the weights as they are, with nothing dropped or changed. */
  lossNow(): number {
    const { model, loader } = this
    const batchSize = Math.min(loader.batchSize, loader.size)
    const rows = Int32Array.from({ length: batchSize }, (_, i) => i)
    const lossOf = () => {
      const { inputs, targets } = loader.gather(tensor(rows))
      return this.settings.loss(model.forward(inputs), targets).item()
    }
    model.eval()
    try {
      return noGrad(() => scope(lossOf))
    } finally {
      model.train()
    }
  }

  async #runSampled({ order, start, batchSize }: Batches, monitor: Monitor): Promise<Float32Array> {
    const batch = rowsOf(order, start, [batchSize])
    const record = ({ results, look, updates }: Sampled) => {
      monitor.add(this.#probe, look, updates)
      const values = results.data()
      results.dispose()
      return values
    }
    const eagerly = () => {
      const losses = record(this.#takeSampled(batch))
      monitor.settle()
      return losses
    }
    try {
      monitor.settle()
      return await this.#steps.tryCaptured(
        async () => record(await this.#sampled.run(batch)),
        async () => scope(eagerly),
      )
    } finally {
      batch.dispose()
    }
  }

  *#take(rows: RowIndices, measures?: Measures): Pausable<Tensor> {
    const losses: Tensor[] = []
    const outputs: Tensor[] = []
    for (const { part, share } of this.#partsOf(rows)) {
      const ofPart = yield* this.#forward(part)
      yield
      losses.push(backwardBy(share, ofPart.loss))
      outputs.push(ofPart.outputs)
      yield
    }
    updateWeights(this.settings)
    return measures ? withOutputs([sumOf(losses)], outputs) : sumOf(losses)
  }

  /** The parts of a step whose gradients are added up, and their shares of its examples. */
  #partsOf(rows: RowIndices): { part: RowIndices; share: number }[] {
    const { microBatch = rows.size } = this.settings
    if (microBatch >= rows.size) return [{ part: rows, share: 1 }]
    return Array.from({ length: Math.ceil(rows.size / microBatch) }, (_, i) => {
      const size = Math.min(microBatch, rows.size - i * microBatch)
      return { part: partOf(rows, i * microBatch, [size]), share: size / rows.size }
    })
  }

  /** The same step, with a look before it, at its first part: the gradients that it updates with are its own again. */
  #takeSampled(rows: RowIndices): Sampled {
    const [first, ...rest] = this.#partsOf(rows)
    const { outputs, loss } = atOnce(this.#forward(first.part))
    const look = this.#probe.look(outputs, loss)
    const before = this.#probe.copies()
    const losses = [backwardBy(first.share, loss)]
    const all = [outputs]
    for (const { part, share } of rest) {
      const ofPart = atOnce(this.#forward(part))
      losses.push(backwardBy(share, ofPart.loss))
      all.push(ofPart.outputs)
    }
    updateWeights(this.settings)
    const results = this.settings.measures ? withOutputs([sumOf(losses)], all) : sumOf(losses)
    return { results, look, updates: this.#probe.distances(before) }
  }

  *#forward(rows: RowIndices): Pausable<{ outputs: Tensor; loss: Tensor }> {
    const { loss, change = ({ inputs }: Batch) => inputs } = this.settings
    const batch = this.loader.gather(rows)
    yield
    const outputs = forward('fit', this.model, change(batch), this.loader.data)
    this.#checkOnce(outputs)
    yield
    const { weights } = this.settings
    const ofBatch = weights && selectRows(weights, rows)
    return { outputs, loss: lossOf('fit', loss, outputs, batch.targets, ofBatch) }
  }

  #checkOnce(outputs: Tensor): void {
    if (this.#isChecked) return
    const { loss, validation, measures } = this.settings
    checkLabels('fit', this.loader.data, outputs, loss)
    measures?.expect(outputs, loss)
    if (validation) checkLabels('fit', validation, outputs, loss)
    this.#isChecked = true
  }

  dispose(): void {
    this.settings.monitor?.settle()
    this.#steps.dispose()
    this.#sampled.dispose()
  }
}

/** Adds the gradients of a part of a step's loss, and gives that part. */
function backwardBy(share: number, loss: Tensor): Tensor {
  const part = share === 1 ? loss : loss.mul(share)
  part.backward()
  return part
}

function sumOf(losses: readonly Tensor[]): Tensor {
  return noGrad(() => losses.reduce((sum, loss) => sum.add(loss)))
}
