/** Whole numbers as targets: classes of several outputs, values of a single one. */
import t from 'tap'
import {
  ArgumentError,
  type Dataset,
  dataset,
  evaluate,
  fit,
  Generator,
  huber,
  Linear,
  type Loss,
  mae,
  mlp,
  mse,
  SGD,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  type TargetKind,
} from '../../lib/index.js'
import {
  nearParameters,
  onBothBackendsLater,
  rejects,
  rounding,
  sameParameters,
} from '../support/engine.js'

const rooms = [5, 3, 8, 1, 0, 12]
const inputs = rooms.map((count, i) => [count + 0.5, i / 6])

async function trained(data: Dataset, loss: Loss<TargetKind>, validation?: number) {
  const model = mlp([2, 4, 1], { generator: new Generator(1) })
  const optimizer = new SGD(model.parameters(), { lr: 0.001 })
  const history = await fit(model, data, {
    loss,
    optimizer,
    epochs: 3,
    batchSize: 4,
    validation,
    seed: 1,
  })
  return { model, history }
}

onBothBackendsLater(
  'counts are trained on as values, to the same bits as if they were given so',
  async (t) => {
    const counts = dataset({ inputs, targets: rooms })
    const values: Dataset[] = [
      dataset({ inputs, targets: rooms.map((count) => [count]) }),
      dataset({ inputs, targets: rooms, task: 'regress' }),
      dataset({ inputs, targets: Int32Array.from(rooms), task: 'regress' }),
      dataset({ inputs, targets: Float32Array.from(rooms) }),
    ]
    for (const loss of [mse, mae, huber]) {
      const found = await trained(counts, loss, 0.34)
      for (const data of values) {
        t.strictSame(data.targetShape, [1])
        const wanted = await trained(data, loss, 0.34)
        sameParameters(t, found.model, wanted.model, 'values')
        const figures = ({ history }: typeof found) =>
          history.epochs.map(({ loss, validationLoss }) => [loss, validationLoss])
        t.strictSame(figures(found), figures(wanted))
      }
      t.equal(found.history.epochs[0].validationAccuracy, undefined, 'counts are no classes')
      const { accuracy } = await evaluate(found.model, counts, { loss })
      t.equal(accuracy, undefined)
    }
  },
)

t.test('a line through whole numbers is found', async (t) => {
  const model = new Linear(1, 1)
  const data = dataset({ inputs: [[-1], [0], [1], [2]], targets: [0, 3, 6, 9] })
  const optimizer = new SGD(model.parameters(), { lr: 0.2 })
  await fit(model, data, { loss: mse, optimizer, epochs: 200, shuffle: false })
  const [[slope], [offset]] = [model.weight.data(), model.bias!.data()]
  t.ok(Math.abs(slope - 3) < 1e-4 && Math.abs(offset - 3) < 1e-4, `${slope}x + ${offset}`)
})

t.test('task decides what numbers are', async (t) => {
  const floats = dataset({ inputs, targets: Float32Array.of(0, 1, 2, 0, 1, 2), task: 'classify' })
  t.strictSame(floats.targets, Int32Array.of(0, 1, 2, 0, 1, 2))
  t.strictSame([floats.targetShape, floats.classes], [[], ['0', '1', '2']])
  const prices = dataset({ inputs, targets: [250_000, -3, 0.5, 1, 2, 3], task: 'regress' })
  t.strictSame(prices.targets, Float32Array.of(250_000, -3, 0.5, 1, 2, 3))
  t.strictSame([prices.targetShape, prices.classes], [[1], []])
  const model = mlp([2, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.001 })
  const { epochs } = await fit(model, floats, {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 1,
    validation: 0.5,
  })
  t.type(epochs[0].validationAccuracy, 'number')
})

t.test('examples of the ignored label change nothing', async (t) => {
  const some = [0, 1, 9, 1, 9, 0]
  const isKept = (_: unknown, i: number) => some[i] !== 9
  const train = async (data: Dataset, ignoreIndex?: number) => {
    const model = mlp([2, 4, 2], { generator: new Generator(1) })
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const loss = softmaxCrossEntropyLoss({ ignoreIndex })
    await fit(model, data, { loss, optimizer, epochs: 3, batchSize: 6, shuffle: false })
    return model
  }
  const all = dataset({ inputs, targets: some })
  const known = dataset({ inputs: inputs.filter(isKept), targets: some.filter(isKept) })
  const wanted = await train(known)
  nearParameters(t, await train(all, 9), wanted, rounding(6, 3), 'beside the others')
  await rejects(
    t,
    train(all),
    ArgumentError,
    /expected labels in 0\.\.1 for 2 outputs, got 9 at row 2/,
  )
})
