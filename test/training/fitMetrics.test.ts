/** Metrics in the reports of `fit` and `evaluate`; what is trained stays the same to the bit. */
import t from 'tap'
import {
  Accuracy,
  Adam,
  ArgumentError,
  binaryCrossEntropyWithLogits,
  dataset,
  evaluate,
  F1,
  type FitOptions,
  fit,
  Generator,
  Metric,
  type MetricName,
  Monitor,
  mse,
  noGrad,
  SGD,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  split,
  subset,
  TopKAccuracy,
  tensor,
} from '../../lib/index.js'
import { metricsOf } from '../../lib/metrics/names.js'
import { close, network, onBothBackendsLater, rejects, sameParameters } from '../support/engine.js'
import { wrong } from '../support/reference.js'

const SIZE = 90
const inputs = new Generator(3).normal([SIZE, 6])
const rows = inputs.toArray() as number[][]
const data = dataset({ inputs: rows, targets: rows.map(([a, b]) => (a > 0.4 ? 2 : b > 0 ? 1 : 0)) })
const { train, test } = split(data, 0.3, 1)
const loss = softmaxCrossEntropy
const names: MetricName[] = ['accuracy', 'f1', 'auc', 'confusionMatrix']

const start = (options: Partial<FitOptions<'labels'>> = {}) => {
  const model = network([6, 9, 3])
  const optimizer = new Adam(model.parameters(), { lr: 0.02 })
  const given = { loss, optimizer, epochs: 3, batchSize: 8, seed: 1, validation: test, ...options }
  return { model, run: () => fit(model, train, given) }
}

/** What the metrics give for all outputs at once. */
function expectedOf(model: ReturnType<typeof network>, of: typeof data) {
  const outputs = noGrad(() => model.forward(tensor(of.inputs as Float32Array, [of.size, 6])))
  return Object.fromEntries(
    metricsOf('test', names).map((metric) => {
      metric.update(outputs, of.targets)
      return [metric.name, metric.compute()]
    }),
  )
}

onBothBackendsLater('evaluate computes metrics over any batches', async (t) => {
  const { model } = start()
  const expected = expectedOf(model, data)
  t.ok((expected.accuracy as number) > 0)
  for (const batchSize of [undefined, 7, 90, 1]) {
    const { metrics, ...rest } = await evaluate(model, data, { loss, batchSize, metrics: names })
    t.strictSame(metrics?.confusionMatrix, expected.confusionMatrix, `by ${batchSize}`)
    for (const name of ['accuracy', 'f1', 'auc']) {
      close(t, [metrics?.[name] as number], [expected[name] as number], 1e-12, name)
    }
    t.strictSame(rest, await evaluate(model, data, { loss, batchSize }), 'the rest is as without')
    t.equal(rest.accuracy, metrics?.accuracy)
  }
})

onBothBackendsLater('fit reports metrics, and trains as without them', async (t) => {
  const plain = start()
  const { epochs: expected } = await plain.run()
  const top = new TopKAccuracy(2)
  const measured = start({ metrics: [...names, top] })
  const { epochs } = await measured.run()
  sameParameters(t, measured.model, plain.model, 'parameters')
  t.strictSame(
    epochs.map((report) => report.validationLoss),
    expected.map((report) => report.validationLoss),
  )
  t.strictSame(
    epochs.map((report) => report.loss),
    expected.map((report) => report.loss),
  )
  const last = epochs[2]
  t.equal(last.validationMetrics?.accuracy, last.validationAccuracy)
  t.strictSame(
    last.validationMetrics?.confusionMatrix,
    expectedOf(measured.model, test).confusionMatrix,
  )
  const counted = (last.metrics as { confusionMatrix: number[][] }).confusionMatrix.flat()
  t.equal(
    counted.reduce((a, b) => a + b),
    train.size,
    'every example once',
  )
  t.ok((last.metrics?.top2Accuracy as number) >= (last.metrics?.accuracy as number))
  t.throws(() => top.compute(), ArgumentError, 'the object is the caller’s')
})

onBothBackendsLater('metrics of training are of the outputs before each update', async (t) => {
  // Not relu, whose units may all be 0: the class would hang on the bias alone.
  const model = network([6, 9, 3], 1, 'tanh')
  const expected = expectedOf(model, train)
  const optimizer = new SGD(model.parameters(), { lr: 1e-30 })
  for (const options of [{}, { monitor: new Monitor({ every: 2 }) }, { stepwise: true }]) {
    const all = { loss, optimizer, epochs: 1, batchSize: 10, metrics: names, ...options }
    const { epochs } = await fit(model, train, all)
    t.strictSame(epochs[0].metrics?.confusionMatrix, expected.confusionMatrix)
    close(t, [epochs[0].metrics?.auc as number], [expected.auc as number], 1e-9, 'auc')
    t.equal(epochs[0].validationMetrics, undefined)
  }
})

onBothBackendsLater('a model that reads values, part of the data, values as targets', async (t) => {
  const values = dataset({ inputs: rows, targets: rows.map(([a, b]) => [a + b, a * b]) })
  const model = network([6, 8, 2])
  const read: typeof model.forward = (x) => {
    x.data()
    return Object.getPrototypeOf(model).forward.call(model, x)
  }
  const optimizer = new SGD(model.parameters(), { lr: 0.01 })
  const options = { loss: mse, optimizer, epochs: 2, seed: 1, validation: 0.2 }
  const metrics: MetricName[] = ['r2', 'mse', 'mae']
  const captured = await fit(model, values, { ...options, metrics })
  close(
    t,
    captured.epochs.map((report) => report.validationMetrics?.mse as number),
    captured.epochs.map((report) => report.validationLoss as number),
    1e-6,
    'mse',
  )
  Object.assign(model, { forward: read })
  const eager = await fit(model, values, { ...options, metrics })
  close(
    t,
    eager.epochs.map((report) => report.metrics?.mse as number),
    eager.epochs.map((report) => report.loss),
    1e-6,
    'mse',
  )
})

t.test('a single output', async (t) => {
  const binary = dataset({ inputs: rows, targets: rows.map(([a]) => Number(a > 0)) })
  const model = network([6, 4, 1])
  const metrics: MetricName[] = ['accuracy', 'precision', 'auc', 'logLoss']
  const found = await evaluate(model, binary, { loss: binaryCrossEntropyWithLogits, metrics })
  t.equal(found.metrics?.accuracy, found.accuracy)
  close(t, [found.metrics?.logLoss as number], [found.loss], 1e-6, 'log loss')
  const indicator = dataset({ inputs: rows, targets: rows.map(([a]) => [Number(a > 0)]) })
  const same = await evaluate(model, indicator, { loss: binaryCrossEntropyWithLogits, metrics })
  t.strictSame(same.metrics, found.metrics)
})

t.test('goes on after an interruption to the same reports', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const figures = (history: Awaited<ReturnType<typeof fit>>) =>
    history.epochs.map(({ seconds, examplesPerSecond, ...report }) => report)
  const nan = new F1({ name: 'nan', average: 'none', zeroDivision: Number.NaN })
  const metrics = [...names, nan]
  const whole = start({ metrics })
  const expected = await whole.run()
  await start({ metrics, checkpoint, epochs: 1 }).run()
  const resumed = start({ metrics, checkpoint })
  t.strictSame(figures(await resumed.run()), figures(expected))
  sameParameters(t, resumed.model, whole.model, 'resumed')
  // Metrics look on: other ones, or none, are no other training.
  const { epochs } = await start({ checkpoint, epochs: 4 }).run()
  t.equal(epochs.length, 4)
  t.strictSame(
    epochs.map(({ metrics }) => metrics === undefined),
    [false, false, false, true],
  )
})

t.test('labels that the loss ignores count in no metric', async (t) => {
  const model = network([6, 9, 3])
  const kept = data.targets.map((_, i) => i).filter((i) => i % 3 > 0)
  const ignoring = dataset({
    inputs: rows,
    targets: data.targets.map((label, i) => (i % 3 > 0 ? label : 7)),
  })
  const all = { metrics: names, loss: softmaxCrossEntropyLoss({ ignoreIndex: 7 }) }
  const found = await evaluate(model, ignoring, all)
  const wanted = await evaluate(model, subset(data, kept), { loss, metrics: names })
  t.strictSame(found.metrics, wanted.metrics)
})

t.test('what is refused before the first step', async (t) => {
  const values = dataset({ inputs: rows, targets: rows.map(([a]) => [a, 2 * a, 1]) })
  const counts = dataset({ inputs: rows, targets: rows.map((_, i) => i % 7) })
  const { model } = start()
  const before = model.stateDict()
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const single = network([6, 1])
  const options = { optimizer, epochs: 1 }
  for (const [training, message] of [
    [
      () => fit(model, train, { ...options, loss, metrics: wrong(['acuracy']) }),
      /^fit: expected metrics among accuracy, .*, got acuracy$/,
    ],
    [
      () => fit(model, train, { ...options, loss, metrics: ['r2'] }),
      "fit: expected metrics for examples to classify, such as accuracy, f1, auc, got r2 with the targets of 'dataset'",
    ],
    [
      () => fit(model, values, { ...options, loss: mse, metrics: ['mse', 'f1'] }),
      "fit: expected metrics for examples to regress, such as mae, mse, r2, got f1 with the targets of 'dataset'",
    ],
    [
      () => evaluate(model, values, { loss: mse, metrics: ['accuracy'] }),
      /^evaluate: expected metrics/,
    ],
    [() => evaluate(single, counts, { loss: mse, metrics: ['accuracy'] }), /got accuracy with/],
    [() => evaluate(model, train, { loss, metrics: ['f1', new F1()] }), /got f1 twice/],
    [
      () => evaluate(model, train, { loss, metrics: wrong('f1') }),
      /expected a list of metrics, got 'f1'/,
    ],
  ] as const) {
    await rejects(t, training(), ArgumentError, message)
  }
  t.strictSame(model.stateDict(), before)
  const { metrics } = await evaluate(single, counts, { loss: mse, metrics: ['mae'] })
  t.ok((metrics?.mae as number) > 0, 'counts are values')
})

t.test('a metric of one’s own', async (t) => {
  class Largest extends Metric {
    readonly targets = 'labels'
    #largest = -Infinity
    constructor() {
      super('largest')
    }
    override update(outputs: { data: Float32Array; shape: readonly number[] }): void {
      this.#largest = outputs.data.reduce((a, b) => Math.max(a, b), this.#largest)
    }
    override compute(): number {
      return this.#largest
    }
    override reset(): void {
      this.#largest = -Infinity
    }
  }
  const { epochs } = await start({ metrics: [new Largest(), new Accuracy({ name: 'hits' })] }).run()
  t.ok(epochs.every(({ metrics }) => Number.isFinite(metrics?.largest)))
  t.equal(epochs[2].validationMetrics?.hits, epochs[2].validationAccuracy)
})

t.test('validations between the ends of epochs', async (t) => {
  const plain = start()
  await plain.run()
  for (const options of [{}, { stepwise: true }]) {
    const seen: [epoch: number, step: number][] = []
    const losses: number[] = []
    const steps = Math.ceil(train.size / 8)
    const { model, run } = start({
      ...options,
      validateEvery: 5,
      metrics: ['accuracy'],
      onValidation: async (report) => {
        seen.push([report.epoch, report.step])
        losses.push(report.validationLoss)
        t.equal(report.validationMetrics?.accuracy, report.validationAccuracy)
        t.equal((await evaluate(model, test, { loss })).loss, report.validationLoss)
      },
    })
    const { epochs } = await run()
    sameParameters(t, model, plain.model, 'as without them')
    const expected: [number, number][] = []
    for (let step = 1; step <= 3 * steps; step++) {
      const within = ((step - 1) % steps) + 1
      if (step % 5 === 0 || within === steps) expected.push([Math.ceil(step / steps), within])
    }
    t.strictSame(seen, expected)
    t.equal(losses.at(-1), epochs[2].validationLoss)
  }
  for (const [options, message] of [
    [{ validateEvery: 0 }, 'fit: expected validateEvery >= 1, got 0'],
    [
      { validateEvery: 2, validation: undefined },
      'fit: validateEvery and onValidation need validation data',
    ],
    [
      { onValidation: () => {}, validation: undefined },
      'fit: validateEvery and onValidation need validation data',
    ],
    [{ onValidation: wrong('log') }, 'fit: expected onValidation to be a function, got log'],
    [{ verbose: wrong(true) }, 'fit: expected verbose 0, 1 or 2, got true'],
  ] as [Partial<FitOptions<'labels'>>, string][]) {
    await rejects(t, start(options).run(), ArgumentError, message)
  }
})
