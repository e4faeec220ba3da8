/** Every metric has scikit-learn's numbers, however the examples are cut into batches. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  type Average,
  type AveragedOptions,
  AveragePrecision,
  F1,
  LogLoss,
  type Metric,
  type MetricValue,
  Precision,
  Recall,
  RocAuc,
  TopKAccuracy,
} from '../../lib/index.js'
import { metricsOf } from '../../lib/metrics/names.js'
import { close } from '../support/engine.js'

type Figure = null | number | number[] | number[][]
interface Case {
  outputs: number[][]
  labels: number[]
  targets: number[][]
  figures: Record<string, Figure>
}
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/metrics.json', import.meta.url), 'utf8'),
)

const averaged = { precision: Precision, recall: Recall, f1: F1 }
const ranking = { rocAuc: RocAuc, averagePrecision: AveragePrecision }

/** The metric that a figure of the fixture is of. */
function metricFor(figure: string): Metric<MetricValue> {
  const [name, average, zero] = figure.split(' ')
  if (name in averaged) {
    const options = { average: average as Average, zeroDivision: Number(zero) } as AveragedOptions
    return new averaged[name as keyof typeof averaged](options)
  }
  if (average) return new ranking[name as 'rocAuc']({ average: average as 'macro' | 'weighted' })
  const k = /^top(\d)/.exec(name)?.[1]
  return k ? new TopKAccuracy(Number(k)) : metricsOf('test', [name as 'accuracy'])[0]
}

const isNumber = (value: number) => !Number.isNaN(value)

function flat(value: MetricValue | Figure): number[] {
  if (value === null) return [Number.NaN]
  if (typeof value === 'number') return [value]
  return (value as Figure[]).flatMap(flat)
}

function agrees(
  t: Test,
  metric: Metric<MetricValue>,
  outputs: number[][],
  targets: unknown[],
  figure: Figure,
  title: string,
): void {
  metric.update(outputs, targets as number[])
  const value = metric.compute()
  const [found, wanted] = [flat(value), flat(figure)]
  t.strictSame(found.map(Number.isNaN), wanted.map(Number.isNaN), `${title}: NaN`)
  close(t, found.filter(isNumber), wanted.filter(isNumber), 1e-12, title)
  t.strictSame(metric.value, value)
  for (const batch of [1, 7]) {
    metric.reset()
    t.throws(() => metric.compute(), {
      message: `${metric.name}: expected an update() before compute(), got no examples`,
    })
    for (let i = 0; i < targets.length; i += batch) {
      metric.update(outputs.slice(i, i + batch), targets.slice(i, i + batch) as number[])
    }
    t.strictSame(metric.compute(), value, `${title}: the same bits in batches of ${batch}`)
  }
}

for (const [title, { outputs, labels, figures }] of Object.entries<Case>(fixture.classes)) {
  t.test(title, async (t) => {
    for (const [name, figure] of Object.entries(figures)) {
      agrees(t, metricFor(name), outputs, labels, figure, name)
    }
    t.ok(Object.keys(figures).length > 40)
  })
}

for (const [title, { outputs, targets, figures }] of Object.entries<Case>(fixture.values)) {
  t.test(title, async (t) => {
    for (const [name, figure] of Object.entries(figures)) {
      agrees(t, metricFor(name), outputs, targets, figure, name)
    }
    t.equal(Object.keys(figures).length, 5)
  })
}

t.test('probabilities of 0 and 1', async (t) => {
  const { outputs, labels, ...figures } = fixture.probabilities
  const metric = new LogLoss({ fromLogits: false })
  metric.update(outputs, labels)
  close(t, [metric.compute()], [figures.logLoss], 1e-12, 'float64')
  metric.reset()
  metric.update({ data: Float32Array.from(outputs.flat()), shape: [20, 3] }, labels)
  close(t, [metric.compute()], [figures['logLoss of float32']], 1e-7, 'float32')
})
