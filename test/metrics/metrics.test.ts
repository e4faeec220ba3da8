/** What metrics take, and what they refuse. */
import t from 'tap'
import {
  Accuracy,
  ArgumentError,
  AveragePrecision,
  BalancedAccuracy,
  ConfusionMatrix,
  F1,
  LogLoss,
  MatthewsCorrcoef,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  type Metric,
  type MetricValue,
  Precision,
  R2,
  Recall,
  RocAuc,
  RootMeanSquaredError,
  ShapeError,
  TopKAccuracy,
  tensor,
  zeros,
} from '../../lib/index.js'
import { metricNames, metricsOf } from '../../lib/metrics/names.js'
import { wrong } from '../support/reference.js'

const outputs = [
  [2, 1, 0],
  [0, 3, 1],
  [1, 0, 2],
]

t.test('outputs in any form', async (t) => {
  const data = Float32Array.from(outputs.flat())
  const labels = [0, 1, 1]
  for (const [given, targets] of [
    [outputs, labels],
    [tensor(outputs), tensor(Int32Array.from(labels))],
    [{ data, shape: [3, 3] }, Int32Array.from(labels)],
    [outputs.map((row) => Float32Array.from(row)), labels.map((label) => [label])],
    [[0, 1, 2], labels],
    [tensor(Int32Array.of(0, 1, 2)), { data: labels, shape: [3, 1] }],
    [outputs, labels.map((label) => [0, 1, 2].map((i) => (i === label ? 1 : 0)))],
    [[outputs], [labels]],
  ] as Parameters<Accuracy['update']>[]) {
    const accuracy = new Accuracy()
    accuracy.update(given, targets)
    t.equal(accuracy.value, 2 / 3)
  }
})

t.test('a single output is a logit or a probability', async (t) => {
  const column = [[0.25], [0.75], [-1]]
  const matrix = new ConfusionMatrix()
  matrix.update(column, [0, 1, 0])
  t.strictSame(matrix.compute(), [
    [1, 1],
    [0, 1],
  ])
  const precision = new Precision({ fromLogits: false })
  precision.update(column.slice(0, 2), [true, true] as never)
  precision.update([[0.5]], [0])
  t.equal(precision.compute(), 1)
})

t.test('classes add up over batches', async (t) => {
  const f1 = new F1({ average: 'none' })
  f1.update([0, 1], [0, 1])
  t.strictSame(f1.compute(), [1, 1])
  f1.update([3], [3])
  t.strictSame(f1.compute(), [1, 1, 0, 1])
  const unnamed = new F1()
  unnamed.update([0, 1, 1], [0, 1, 0])
  t.equal(unnamed.compute(), 2 / 3, 'binary')
  unnamed.update([2], [2])
  t.equal(unnamed.compute(), (2 / 3 + 2 / 3 + 1) / 3, 'macro')
  const matrix = new ConfusionMatrix()
  matrix.update(outputs, [0, 1, 1])
  const found = matrix.compute()
  found[0][0] = 7
  t.equal(matrix.compute()[0][0], 1, 'a copy')
  const larger = new ConfusionMatrix({ classes: 3 })
  larger.update([0, 1], [0, 1])
  t.strictSame(
    larger.compute().map((row) => row.length),
    [3, 3, 3],
  )
})

t.test('what is refused changes nothing', async (t) => {
  const classes = [
    new Accuracy(),
    new BalancedAccuracy(),
    new MatthewsCorrcoef(),
    new ConfusionMatrix(),
    new Precision(),
    new Recall(),
    new F1(),
    new TopKAccuracy(2),
    new LogLoss(),
    new RocAuc(),
    new AveragePrecision(),
  ]
  const refusals: [given: unknown, targets: unknown, message: RegExp][] = [
    [outputs, [0, 1], /: expected a label for each of 3 predictions, got targets of shape \[2\]$/],
    [outputs, [0, 1, 3], /: expected labels in 0\.\.2 for outputs \[3, 3\], got 3 at row 2$/],
    [[[1], [2]], [0, 2], /: expected labels in 0\.\.1 for outputs \[2, 1\], got 2 at row 1$/],
    [
      outputs,
      [0, 0.5, 1],
      /: expected labels from 0, got 0\.5 at row 1; values are measured by mae/,
    ],
    [outputs, [-1, 0, 1], /: expected labels from 0, got -1 at row 0/],
    [outputs, [0, 1e9, 1], /: expected labels from 0, got 1000000000 at row 1/],
    [outputs, outputs, /: expected labels, or rows with a single 1, got 2 at row 0/],
    [[[1, Number.NaN, 2]], [0], /: expected outputs that are numbers, got NaN at row 0$/],
    ['abc', [0], /outputs: expected a number, arrays or a typed array, got 'abc'$/],
    [
      { data: [1, 2, 3], shape: [2, 2] },
      [0],
      /outputs: expected values for the shape \[2, 2\], got 3/,
    ],
    [outputs, ['a', 'b', 'c'], /targets: expected numbers, got 'a' at 0$/],
  ]
  for (const metric of classes as Metric<MetricValue>[]) {
    metric.update(outputs, [0, 1, 1])
    const before = metric.compute()
    for (const [given, targets, message] of refusals) {
      t.throws(() => metric.update(wrong(given), wrong(targets)), { message }, metric.name)
    }
    t.strictSame(metric.compute(), before, metric.name)
  }
  const values = [
    new MeanSquaredError(),
    new RootMeanSquaredError(),
    new MeanAbsoluteError(),
    new MeanAbsolutePercentageError(),
    new R2(),
  ]
  for (const metric of values) {
    metric.update([[1], [2]], [1, 3])
    const before = metric.compute()
    t.throws(
      () => metric.update(outputs, [0, 1, 1]),
      new ShapeError(
        `${metric.name}: expected targets of the outputs' shape [3, 3], got [3]; labels of classes are measured by accuracy, f1 and the like`,
      ),
    )
    t.throws(() => metric.update([1, 2], [1]), { message: /outputs' shape \[2\], got \[1\]$/ })
    t.throws(() => metric.update([[1, 2]], [[1, 2]]), {
      message: `${metric.name}: expected 1 values for each example as before, got 2`,
    })
    t.throws(() => metric.update([1, Infinity], [1, 2]), {
      message: `${metric.name}: expected finite outputs, got Infinity at row 1`,
    })
    t.equal(metric.compute(), before)
  }
})

t.test('shapes that are none, scores that have no order, too many classes', async (t) => {
  const none = { data: [1, 2, 3, 4, 5, 6], shape: [-2, -3] }
  for (const metric of [new Accuracy(), new LogLoss(), new MeanAbsoluteError()]) {
    t.throws(() => metric.update(none, [0, 1]), {
      name: 'ShapeError',
      message: `${metric.name}: outputs: expected a shape of integers >= 0, got [-2, -3]`,
    })
  }
  t.throws(() => new Accuracy().update(zeros([2, 0]), [0, 1]), {
    message: 'accuracy: expected outputs [batch, classes], got shape [2, 0]',
  })
  t.throws(() => new MeanAbsoluteError().update(tensor(1), tensor(1)), {
    message: 'mae: expected outputs [batch, …], got a scalar',
  })
  // As scikit-learn's, which refuses what is infinite; masked logits are probabilities of 0.
  const auc = new RocAuc()
  const infinite = [
    [0, 1, 2],
    [0, Infinity, 1],
  ]
  t.throws(() => auc.update(infinite, [0, 1]), {
    message: 'rocAuc: expected logits that can be compared, got 0, Infinity, 1 at row 1',
  })
  auc.update([[0, -Infinity, 1]], [0])
  t.throws(() => new ConfusionMatrix({ classes: 1e9 }), {
    message: 'ConfusionMatrix: expected at most 8192 classes, got 1000000000',
  })
  const matrix = new ConfusionMatrix()
  matrix.update([0, 1], [0, 0])
  const before = matrix.compute()
  t.throws(() => matrix.update([0, 60000], [0, 1]), {
    message: 'confusionMatrix: expected at most 8192 classes, got 60001',
  })
  t.strictSame(matrix.compute(), before)
})

t.test('what single metrics refuse', async (t) => {
  t.throws(() => new TopKAccuracy(0), new ArgumentError('TopKAccuracy: expected k >= 1, got 0'))
  t.throws(() => new TopKAccuracy(1).update([[1], [2]], [0, 1]), {
    message: 'top1Accuracy: expected outputs [batch, classes], got one for each row',
  })
  t.throws(() => new F1(wrong({ average: 'samples' })), {
    message: 'F1: expected average binary, micro, macro, weighted, none, got samples',
  })
  t.throws(() => new Recall({ zeroDivision: 2 }), { message: /zeroDivision 0, 1 or NaN, got 2$/ })
  t.throws(() => new RocAuc(wrong({ average: 'micro' })), {
    message: /macro or weighted, got micro$/,
  })
  t.throws(() => new Accuracy(wrong({ fromLogit: true })), {
    message: /did you mean fromLogits\?$/,
  })
  t.throws(() => new R2({ name: '' }), { message: "Metric: expected a name, got ''" })
  const binary = new F1({ average: 'binary' })
  binary.update([0, 2], [0, 2])
  t.throws(() => binary.compute(), {
    message: 'f1: expected average micro, macro, weighted or none for 3 classes, got binary',
  })
  const logits = new LogLoss({ fromLogits: false })
  t.throws(() => logits.update([[2, -1]], [0]), {
    message: 'logLoss: expected probabilities from 0 to 1, got 2; logits need fromLogits: true',
  })
  const auc = new RocAuc()
  auc.update([0.1, 0.9], [0, 1])
  t.throws(() => auc.update([[1, 2]], [0]), {
    message: 'rocAuc: expected 1 scores in each row as before, got 2',
  })
})

t.test('metrics by name', async (t) => {
  const found = metricsOf('fit', metricNames)
  t.strictSame(
    found.map(({ name }) => name),
    metricNames,
  )
  const settings = new F1({ average: 'none', zeroDivision: 1, name: 'mine' })
  settings.update([0, 0], [0, 0])
  const [copy] = metricsOf('fit', [settings])
  copy.update([0, 3], [0, 3])
  t.equal(copy.name, 'mine')
  t.strictSame(copy.compute(), [1, 1, 1, 1])
  t.strictSame(settings.compute(), [1], 'the caller has its own')
  const top = new TopKAccuracy(2).fresh()
  top.update(outputs, [1, 2, 0])
  t.equal(top.compute(), 1)
  t.throws(
    () => metricsOf('fit', [wrong({ name: 'own', update() {}, compute: () => 1 })]),
    ArgumentError,
  )
  t.throws(() => metricsOf('fit', [wrong('acuracy')]), {
    message: /^fit: expected metrics among accuracy, .* got acuracy$/,
  })
  t.throws(() => metricsOf('fit', wrong('accuracy')), {
    message: "fit: expected a list of metrics, got 'accuracy'",
  })
  t.throws(() => metricsOf('fit', [new F1(), new F1({ average: 'micro' })]), {
    message:
      'fit: expected metrics of different names, got f1 twice; the option name gives one another',
  })
})

t.test('saved in the middle, a metric goes on to the same figure', async (t) => {
  const [labels, values] = [
    [0, 1, 1],
    [2.5, -1, 0.25],
  ]
  for (const name of metricNames) {
    const [whole, begun, other] = metricsOf('test', [name]).flatMap((metric) => [
      metric,
      metric.fresh(),
      metric.fresh(),
    ])
    const isOfLabels = whole.targets === 'labels'
    const batches: [number[][], number[]][] = isOfLabels
      ? [
          [outputs, labels],
          [outputs, [2, 0, 1]],
        ]
      : [
          [[[1], [2], [0.1]], values],
          [
            [[3], [-2], [0.3]],
            [0.1, 7, 1],
          ],
        ]
    for (const batch of batches) whole.update(...batch)
    other.restore(other.fresh().save()!)
    t.throws(() => other.compute(), ArgumentError, `${name}: nothing was added`)
    begun.update(...batches[0])
    other.restore(begun.save()!)
    other.update(...batches[1])
    t.strictSame(other.compute(), whole.compute(), name)
    for (const state of [new Float64Array(5), [1, 2, 3, 4], null, 2]) {
      t.throws(() => other.restore(state as Float64Array), ArgumentError, name)
    }
  }
})
