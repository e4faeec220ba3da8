/** Weights of classes and of examples in `fit`. */
import t from 'tap'
import {
  ArgumentError,
  dataset,
  type FitOptions,
  fit,
  Generator,
  type Loss,
  mse,
  SGD,
  ShapeError,
  softmaxCrossEntropy,
  subset,
} from '../../lib/index.js'
import { weightsOf } from '../../lib/training/exampleWeights.js'
import {
  close,
  nearParameters,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
} from '../support/engine.js'
import { wrong } from '../support/reference.js'

const SIZE = 48
const rows = new Generator(5).normal([SIZE, 4]).toArray() as number[][]
const labels = rows.map(([a, b]) => (a > 0.8 ? 2 : b > 0 ? 1 : 0))
const data = dataset({ inputs: rows, targets: labels })
const loss = softmaxCrossEntropy

async function train(options: Partial<FitOptions<'labels'>>, on = data) {
  const model = network([4, 6, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const given = { loss, optimizer, epochs: 3, batchSize: 12, shuffle: false, seed: 2, ...options }
  const history = await fit(model, on, given)
  return { model, history }
}

onBothBackendsLater('weights multiply the losses of their examples', async (t) => {
  const sampleWeights = rows.map((_, i) => (i % 4) / 2)
  const classWeights = [1, 2, 0.5]
  const product = sampleWeights.map((weight, i) => weight * classWeights[labels[i]])
  const own: Loss<'labels'> = (outputs, targets, options) => {
    const { sampleWeights } = options as { sampleWeights: typeof outputs }
    return loss(outputs, targets, 'none').mul(sampleWeights).mean()
  }
  const byProduct = await train({ sampleWeights: product })
  const byBoth = await train({ sampleWeights: Float32Array.from(sampleWeights), classWeights })
  sameParameters(t, byBoth.model, byProduct.model, 'classes and examples')
  const byOwn = await train({ sampleWeights: product, loss: own })
  nearParameters(t, byOwn.model, byProduct.model, 1e-5, 'a loss of one’s own')
  const ones = await train({ classWeights: [1, 1, 1] })
  const plain = await train({})
  nearParameters(t, ones.model, plain.model, 1e-6, 'ones')
})

onBothBackendsLater('an example of weight 0 is as good as gone', async (t) => {
  const kept = rows.map((_, i) => i).filter((i) => i % 12 < 6)
  const sampleWeights = rows.map((_, i) => (i % 12 < 6 ? 2 : 0))
  const weighted = await train({ sampleWeights })
  // The mean of 12 losses of which 6 count double is that of these 6.
  const alone = await train({ batchSize: 6 }, subset(data, kept))
  nearParameters(t, weighted.model, alone.model, 1e-5, 'weights')
  close(
    t,
    weighted.history.epochs.map((report) => report.loss),
    alone.history.epochs.map((report) => report.loss),
    1e-5,
    'the loss is the weighted one',
  )
})

t.test('balanced weights are those of scikit-learn', async (t) => {
  // compute_class_weight('balanced', classes=[0, 1, 3], y=[0, 0, 0, 1, 1, 3])
  const some = dataset({
    inputs: rows.slice(0, 6),
    targets: [0, 0, 0, 1, 1, 3],
    classes: ['a', 'b', 'c', 'd'],
  })
  const weights = weightsOf(some, undefined, { classWeights: 'balanced' })
  close(t, weights!, [2 / 3, 2 / 3, 2 / 3, 1, 1, 2], 1e-7, 'all')
  const part = weightsOf(some, Int32Array.of(5, 0, 1), { classWeights: 'balanced' })
  close(t, part!, [1.5, 0.75, 0.75], 1e-7, 'of the examples that are trained on')
  t.equal(weightsOf(some, undefined, {}), undefined)
})

t.test('a share set aside, shuffling, and validation without weights', async (t) => {
  const sampleWeights = rows.map((_, i) => 1 + (i % 3))
  const validation = 0.25
  const one = await train({ sampleWeights, validation, shuffle: true })
  // Weights are of rows of the data, not of the part.
  const other = await train({ sampleWeights: sampleWeights.map(Number), validation, shuffle: true })
  sameParameters(t, one.model, other.model, 'again')
  const plain = await train({ validation, shuffle: true, epochs: 1 })
  const still = await train({
    sampleWeights: sampleWeights.map(() => 0),
    validation,
    shuffle: true,
    epochs: 1,
  })
  t.equal(still.history.epochs[0].loss, 0)
  t.ok((still.history.epochs[0].validationLoss as number) > 0.1)
  t.ok(plain.history.epochs[0].loss > 0.1)
})

t.test('a checkpoint belongs to its weights', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const classWeights = [1, 2, 3]
  const whole = await train({ classWeights })
  await train({ classWeights, checkpoint, epochs: 1 })
  await rejects(
    t,
    train({ classWeights: [1, 2, 4], checkpoint }),
    Error,
    /differs in weights \(other contents\); to go on all the same/,
  )
  await rejects(t, train({ checkpoint }), Error, /differs in .*weights \(was /)
  const resumed = await train({ classWeights, checkpoint })
  sameParameters(t, resumed.model, whole.model, 'resumed')
})

t.test('what are no weights', async (t) => {
  for (const [options, type, message] of [
    [
      { classWeights: [1, 2] },
      ShapeError,
      'fit: expected classWeights for each class, 3 of them, got 2',
    ],
    [{ classWeights: [1, -2, 1] }, ArgumentError, 'fit: expected classWeights >= 0, got -2 at 1'],
    [
      { classWeights: wrong('balance') },
      ArgumentError,
      "fit: expected classWeights as numbers or balanced, got 'balance'",
    ],
    [
      { classWeights: wrong({ 0: 1 }) },
      ArgumentError,
      /^fit: classWeights: expected numbers, got \{/,
    ],
    [
      { sampleWeights: [1, 2] },
      ShapeError,
      'fit: expected sampleWeights for each example, 48 of them, got 2',
    ],
    [
      { sampleWeights: rows.map((_, i) => (i === 3 ? Number.NaN : 1)) },
      ArgumentError,
      'fit: expected sampleWeights >= 0, got NaN at 3',
    ],
    [
      { classWeights: 'balanced', loss: (y: never, labels: never) => loss(y, labels) },
      ArgumentError,
      /^fit: expected a loss that takes \{ sampleWeights \} as its third argument.* got loss without$/,
    ],
  ] as [Partial<FitOptions<'labels'>>, typeof ArgumentError, string | RegExp][]) {
    await rejects(t, train(options), type, message)
  }
  const values = dataset({ inputs: rows, targets: rows.map(([a]) => [a]) })
  const model = network([4, 1])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await rejects(
    t,
    fit(model, values, { loss: mse, optimizer, epochs: 1, classWeights: 'balanced' }),
    ArgumentError,
    "fit: expected classWeights beside labels, got them with the values of 'dataset'",
  )
  const { epochs } = await fit(model, values, {
    loss: mse,
    optimizer,
    epochs: 1,
    sampleWeights: rows.map(() => 0.5),
  })
  t.ok(epochs[0].loss > 0)
})
