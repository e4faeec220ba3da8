/** Several metrics of the same outputs. */
import { ArgumentError } from '../base/errors.js'
import type { Metric, MetricValue } from '../metrics/metric.js'
import { type MetricSource, type MetricValues, metricsOf } from '../metrics/names.js'
import { sizeOf } from '../tensor/shape.js'
import type { ShapedValues } from '../tensor/shapedValues.js'

/** What was added to metrics, by their names. */
export type MetricStates = ReadonlyMap<string, Float64Array>

export class MetricGroup {
  protected readonly metrics: readonly Metric<MetricValue>[]

  /** @throws ArgumentError for unknown names, and what is no metric */
  constructor(
    readonly op: string,
    sources: readonly MetricSource[],
  ) {
    this.metrics = metricsOf(op, sources)
  }

  /** Adds a batch, but for what has the label that the loss ignores. */
  add(outputs: ShapedValues, targets: ShapedValues, ignoreIndex?: number): void {
    const kept = ignoreIndex === undefined ? undefined : withoutLabel(ignoreIndex, outputs, targets)
    const [predicted, wanted] = kept ?? [outputs, targets]
    if (wanted.data.length === 0) return
    for (const metric of this.metrics) metric.update(predicted, wanted)
  }

  /** What they gave since `reset`, by their names. */
  compute(): MetricValues {
    return Object.fromEntries(this.metrics.map((metric) => [metric.name, metric.compute()]))
  }

  reset(): void {
    for (const metric of this.metrics) metric.reset()
  }

  /** What was added to each, by their names; undefined where one of them cannot say it. */
  save(): MetricStates | undefined {
    const states = new Map<string, Float64Array>()
    for (const metric of this.metrics) {
      const state = metric.save()
      if (state === undefined) return undefined
      states.set(metric.name, state)
    }
    return states
  }

  /** Goes on from there. @throws ArgumentError for the states of other metrics */
  restore(states: MetricStates): void {
    for (const metric of this.metrics) {
      const state = states.get(metric.name)
      if (state === undefined) {
        throw new ArgumentError(
          `expected the metrics of the epoch that was begun, ${[...states.keys()].join(', ') || 'none'}, until it has ended, got ${metric.name}`,
        )
      }
      metric.restore(state)
    }
  }
}

/** The rows of outputs [batch, …, classes] that have another label; undefined where targets are no labels of them. */
function withoutLabel(
  ignored: number,
  outputs: ShapedValues,
  targets: ShapedValues,
): [ShapedValues, ShapedValues] | undefined {
  const width = outputs.shape.at(-1) ?? 1
  if (targets.data.length * width !== sizeOf(outputs.shape)) return undefined
  const labels = Float64Array.from(targets.data)
  const rows = [...labels.keys()].filter((row) => labels[row] !== ignored)
  if (rows.length === labels.length) return undefined
  const data = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) {
    for (let k = 0; k < width; k++) data[i * width + k] = outputs.data[row * width + k]
  }
  return [
    { data, shape: [rows.length, width] },
    { data: labels.filter((label) => label !== ignored), shape: [rows.length] },
  ]
}
