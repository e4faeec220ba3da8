/** Metrics that are a mean over examples. */
import { Metric, requireExamples } from './metric.js'

export abstract class MeanMetric extends Metric {
  readonly targets = 'labels'
  /** Over the examples. */
  protected sum = 0
  protected examples = 0

  override compute(): number {
    requireExamples(this.name, this.examples)
    return this.sum / this.examples
  }

  override reset(): void {
    this.sum = 0
    this.examples = 0
  }

  override save(): Float64Array {
    return Float64Array.of(this.sum, this.examples)
  }

  override restore(state: Float64Array): void {
    this.requireState(state, (length) => length === 2)
    this.sum = state[0]
    this.examples = state[1]
  }
}
