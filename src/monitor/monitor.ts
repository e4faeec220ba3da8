/**
 * Monitors: what happens inside a network while it is trained, sampled every few steps. They make
 * visible why training is hard: gradients that vanish, units that saturate or die, steps that are
 * too small or too large for the weights.
 */
import { isRecording } from '../backend/record.js'
import { checkCount, optionsOf } from '../base/arguments.js'
import { CaptureError } from '../base/errors.js'
import { type AnyModule, checkModule } from '../nn/module.js'
import { requireTensor } from '../ops/require.js'
import { scope } from '../tensor/scope.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Look, Probe } from './probe.js'
import { deadShare, histogram, saturatedShare } from './statistics.js'

/**
 * What is recorded of a layer. W are its weights, all of them as one vector, without biases; the
 * batch is that of the sampled step; norms are Euclidean and >= 0.
 *
 * | metric           | definition                                                  | range   |
 * |------------------|-------------------------------------------------------------|---------|
 * | `gradientNorm`   | ‖∂loss/∂W‖, loss the batch's mean loss before the step, without penalty | [0, ∞) |
 * | `weightNorm`     | ‖W‖ before the step                                         | [0, ∞)  |
 * | `updateNorm`     | ‖W after the step - W before it‖                            | [0, ∞)  |
 * | `updateRatio`    | updateNorm / weightNorm; left out while W is all 0          | [0, ∞)  |
 * | `saturatedShare` | of sigmoid and tanh: share of the activations, over units and examples, with \|g′(a)\| < 0.05·max \|g′\| (sigmoid beyond \|a\| = 4.36, tanh beyond 2.18) | [0, 1] |
 * | `deadShare`      | of relu: share of the units that are 0 for every example of the batch | [0, 1] |
 */
export type MonitorMetric =
  | 'gradientNorm'
  | 'weightNorm'
  | 'updateNorm'
  | 'updateRatio'
  | 'saturatedShare'
  | 'deadShare'

/** A value of a layer at a step. */
export interface SeriesPoint {
  /** The sampled step, counted from 1 over all epochs. */
  step: number
  /** Path of the module that holds the layer's weights, such as `layers.0`. */
  layer: string
  /** The metric's value. */
  value: number
}

/** A value of a layer at a step, with what was measured. */
export interface MonitorRecord extends SeriesPoint {
  /** What the value is. */
  metric: MonitorMetric
}

/** Where the activations of a layer lie: `counts[i]` of them from `edges[i]` to `edges[i + 1]`. */
export interface ActivationHistogram {
  /** The sampled step, counted from 1 over all epochs. */
  step: number
  /** The layer whose activations they are; for the last layer they are the model's outputs. */
  layer: string
  /** Bounds of the bins, ascending, one more than bins. */
  edges: number[]
  /** Activations in each bin, over units and examples. */
  counts: number[]
}

/** Settings of a `Monitor`. */
export interface MonitorOptions {
  /** Steps from one sample to the next; 50 by default. The first step is always sampled. */
  every?: number
  /** Bins of the histograms; 20 by default. */
  bins?: number
}

/**
 * Watches the layers of any network while it is trained, without changing what it computes: a
 * sampled step goes back through the network twice, and its gradients are thrown away once.
 *
 * Activations are the results of `relu`, `sigmoid` and `tanh`, however the model calls them, and the
 * model's outputs. They go by the name of the layer whose weights come next before them.
 *
 * @example
 * const monitor = new Monitor()
 * await fit(model, train, { loss, optimizer, epochs: 5, monitor })
 * monitor.series('gradientNorm') // [{ step: 1, layer: 'layers.0', value: 0.61 }, …]
 */
export class Monitor {
  /** Steps from one sample to the next. */
  readonly every: number
  /** Bins of the histograms. */
  readonly bins: number
  readonly #records: MonitorRecord[] = []
  readonly #histograms: ActivationHistogram[] = []
  #steps = 0
  /** The last sample: its step, and each layer's weights before it. */
  #sampled = 0
  #weightNorms: number[] = []
  /** What is still to be recorded of the last sample. */
  #rest: (() => void) | undefined

  /**
   * A monitor that has seen nothing yet.
   * @throws ArgumentError for options that do not exist, or are no whole number from 1
   */
  constructor(options: MonitorOptions = {}) {
    const { every = 50, bins = 20 } = optionsOf('Monitor', options, { every: true, bins: true })
    checkCount('Monitor', 'every', every)
    checkCount('Monitor', 'bins', bins)
    this.every = every
    this.bins = bins
  }

  /** Everything recorded so far, in the order of the steps and, within one, of the layers. */
  get records(): readonly MonitorRecord[] {
    this.settle()
    return this.#records
  }

  /** One histogram of each layer's activations per sample. */
  get histograms(): readonly ActivationHistogram[] {
    this.settle()
    return this.#histograms
  }

  /** One metric over the steps: `fit`'s learning curves, but per layer. */
  series(metric: MonitorMetric): SeriesPoint[] {
    return this.records
      .filter((record) => record.metric === metric)
      .map(({ step, layer, value }) => ({ step, layer, value }))
  }

  /**
   * For a loop of your own: to be called in every step, before `loss.backward()`. Gradients stay as
   * they are. The update is measured at the next call, or when records are read; it is left out
   * when the model was disposed of by then.
   * @param outputs the model's, which the loss was computed from
   * @example
   * const logits = model.forward(inputs)
   * const loss = softmaxCrossEntropy(logits, targets)
   * monitor.observe(model, logits, loss)
   * @throws CaptureError inside a captured function: nothing can be read there
   */
  observe(model: AnyModule, outputs: Tensor, loss: Tensor): void {
    if (isRecording()) {
      throw new CaptureError('Monitor: observe reads values, which a captured function cannot')
    }
    checkModule('observe', model)
    for (const x of [outputs, loss]) requireTensor('observe', x)
    this.settle()
    if (this.stepsToSample === 0) {
      this.#sampled = this.#steps + 1
      const probe = new Probe(model)
      scope(() => this.#addLook(probe, probe.look(outputs, loss)))
      const copies = within(null, () => probe.copies())
      this.#rest = () => {
        if (!probe.isReleased) scope(() => this.#addUpdates(probe, probe.distances(copies)))
        for (const copy of copies.flat()) copy.dispose()
      }
    }
    this.advance(1)
  }

  /**
   * Steps that pass before one is sampled; 0 when it is the next one.
   * @internal
   */
  get stepsToSample(): number {
    return (this.every - (this.#steps % this.every)) % this.every
  }

  /**
   * Counts steps.
   * @internal
   */
  advance(steps: number): void {
    this.#steps += steps
  }

  /**
   * Records a sampled step, by `settle`, until when the tensors must stay; it frees them.
   * @internal
   */
  add(probe: Probe, look: Look, updates: readonly Tensor[]): void {
    this.settle()
    this.#rest = () => {
      this.#addLook(probe, look)
      this.#addUpdates(probe, updates)
      const { gradientNorms, weightNorms, values } = look
      for (const x of [...gradientNorms, ...weightNorms, ...values, ...updates]) x?.dispose()
    }
    this.#sampled = this.#steps + 1
  }

  /**
   * Brings the records up to date.
   * @internal
   */
  settle(): void {
    const rest = this.#rest
    this.#rest = undefined
    rest?.()
  }

  #addLook({ layers, activations }: Probe, { gradientNorms, weightNorms, values }: Look): void {
    this.#weightNorms = weightNorms.map((norm) => norm.item())
    for (const [i, { name }] of layers.entries()) {
      this.#add(name, 'gradientNorm', gradientNorms[i]?.item())
      this.#add(name, 'weightNorm', this.#weightNorms[i])
    }
    for (const [i, { layer, kind }] of activations.entries()) {
      const data = values[i].data()
      this.#add(layer, 'saturatedShare', saturatedShare(kind, data))
      this.#add(layer, 'deadShare', deadShare(kind, data, values[i].shape[0]))
      this.#histograms.push({ step: this.#sampled, layer, ...histogram(kind, data, this.bins) })
    }
  }

  #addUpdates({ layers }: Probe, updates: readonly Tensor[]): void {
    for (const [i, { name }] of layers.entries()) {
      const [update, before] = [updates[i].item(), this.#weightNorms[i]]
      this.#add(name, 'updateNorm', update)
      this.#add(name, 'updateRatio', before === 0 ? undefined : update / before)
    }
  }

  #add(layer: string, metric: MonitorMetric, value: number | undefined): void {
    if (value !== undefined) this.#records.push({ step: this.#sampled, layer, metric, value })
  }
}
