/** Metrics of a model's outputs for examples of a data set, while it is trained or evaluated. */
import { ArgumentError } from '../base/errors.js'
import { yielder } from '../base/eventLoop.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import type { ExampleForm } from '../data/dataset.js'
import type { Metric, MetricValue } from '../metrics/metric.js'
import type { MetricSource } from '../metrics/names.js'
import { classLimit, type Loss, type TargetKind, traitsOf } from '../nn/losses.js'
import { concat } from '../ops/layout.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Batches, rowsOf } from './batches.js'
import { MetricGroup } from './metricGroup.js'

/** Whose outputs are measured: examples by their positions. */
interface Measured {
  readonly data: ExampleForm
  /** Which rows of the data they are; all of them for undefined. */
  readonly rows: Int32Array | undefined
}

export class Measures extends MetricGroup {
  /** Of the outputs for one example. */
  #shape: readonly number[] = []
  #ignoreIndex: number | undefined

  /** @throws ArgumentError for unknown names, and what is no metric */
  constructor(
    op: string,
    metrics: readonly MetricSource[],
    readonly examples: Measured,
  ) {
    super(op, metrics)
  }

  /** Outputs per example, once there were some. */
  get width(): number {
    return sizeOf(this.#shape)
  }

  /** Looks at the first outputs. @throws ArgumentError where a metric is not for such examples */
  expect({ shape }: Tensor, loss: Loss<TargetKind>): void {
    this.#shape = shape.slice(1)
    this.#ignoreIndex = traitsOf(loss).ignoreIndex
    for (const metric of this.metrics) requireTask(this.op, metric, this.examples.data, shape, loss)
  }

  /** Adds the outputs for the examples at these positions. */
  update(outputs: Float32Array, positions: Int32Array): void {
    const { data, rows } = this.examples
    const width = sizeOf(data.targetShape)
    const targets = new Float64Array(positions.length * width)
    for (const [i, at] of positions.entries()) {
      const row = (rows?.[at] ?? at) * width
      for (let k = 0; k < width; k++) targets[i * width + k] = data.targets[row + k]
    }
    this.add(
      { data: outputs, shape: [positions.length, ...this.#shape] },
      { data: targets, shape: [positions.length, ...data.targetShape] },
      this.#ignoreIndex,
    )
  }
}

/** Figures of a batch and the outputs that metrics are computed of, in one row. */
export function withOutputs(figures: readonly Tensor[], outputs: readonly Tensor[]): Tensor {
  return concat([...figures, ...outputs].map((x) => x.reshape([x.size])))
}

/**
 * Adds the outputs in the results of steps, which `withOutputs` made.
 * @returns the figures before them
 */
export async function measure(
  measures: Measures,
  batches: readonly Batches[],
  results: readonly Float32Array[],
): Promise<Float32Array[]> {
  const yieldIfDue = yielder()
  const all: Float32Array[] = []
  for (const [i, { order, start, steps, batchSize }] of batches.entries()) {
    const row = results[i].length / steps
    const outputs = batchSize * measures.width
    const rows = rowsOf(order, start, [steps * batchSize])
    const positions = rows.data()
    rows.dispose()
    const figures = new Float32Array(steps * (row - outputs))
    for (let step = 0; step < steps; step++) {
      const values = results[i].subarray(step * row, (step + 1) * row)
      figures.set(values.subarray(0, row - outputs), step * (row - outputs))
      // What is not finite ends in an error that says more than metrics could.
      if (!Number.isFinite(values[0])) continue
      measures.update(
        values.subarray(row - outputs),
        positions.subarray(step * batchSize, (step + 1) * batchSize),
      )
      await yieldIfDue()
    }
    all.push(figures)
  }
  return all
}

function requireTask(
  op: string,
  { name, targets }: Metric<MetricValue>,
  data: ExampleForm,
  outputs: readonly number[],
  loss: Loss<TargetKind>,
): void {
  const isOne = outputs.length === 2 && outputs[1] === 1
  const isLabels = kindOfTypedArray(data.targets) === 'Int32Array'
  // Whole numbers beside a single output are values where there are more than two of them.
  const isClasses = isLabels ? !isOne || data.classes.length <= 2 : isIndicator(data.targets)
  const isValues = !isLabels || (isOne && classLimit(loss, 1) === Infinity)
  if (targets === 'labels' ? isClasses : isValues) return
  const [task, others] =
    targets === 'labels' ? ['to regress', 'mae, mse, r2'] : ['to classify', 'accuracy, f1, auc']
  throw new ArgumentError(
    `${op}: expected metrics for examples ${task}, such as ${others}, got ${name} with the targets of '${data.name}'`,
  )
}

/** Whether all values are 0 or 1, as rows with a 1 at the label have them. */
function isIndicator(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0 && values[i] !== 1) return false
  return true
}
