/** What the columns of a table are worth to a model. */
import t from 'tap'
import {
  type Classifier,
  mlp,
  permutationImportance,
  type Regressor,
  type TableRecord,
  table,
} from '../../lib/index.js'

const rows: TableRecord[] = Array.from({ length: 200 }, (_, i) => ({
  x: (i * 37) % 101,
  place: 'abc'[(i >> 1) % 3],
  noise: (i * 53) % 89,
}))

/** Sets the weights and the bias of the only layer. */
function linear(weights: number[][], bias: number[]) {
  const model = mlp([weights.length, bias.length])
  const [weight, offset] = model.parameters()
  weight.assign(weights.flat())
  offset.assign(bias)
  return model
}

t.test('a column that decides is worth all, one that is not used nothing', async (t) => {
  const classed = rows.map((row) => ({ ...row, class: row.place === 'a' ? 'yes' : 'no' }))
  const { test, encoding, classes } = await table(classed, { target: 'class', testFraction: 0.5 })
  // Inputs: x, a, b, c, noise.
  const model = linear(
    [
      [0, 0],
      [0, 2],
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    [1, 0],
  )
  const classifier: Classifier = { model, inputs: 5, classes, encoding, loss: 'cross-entropy' }
  const found = await permutationImportance(classifier, test, { repeats: 20 })
  t.equal(found[0].column, 'place')
  // Shuffled, a third of the answers is yes, whatever the class: the mean of the recalls falls from 1 to 0.5.
  t.ok(Math.abs(found[0].mean - 0.5) < 0.05, `${found[0].mean}`)
  t.ok(found[0].std > 0 && found[0].std < 0.1)
  t.strictSame(
    found.slice(1).map(({ mean, std }) => [mean, std]),
    [
      [0, 0],
      [0, 0],
    ],
  )
  t.strictSame(await permutationImportance(classifier, test, { repeats: 20 }), found, 'by its seed')
  t.notSame(await permutationImportance(classifier, test, { repeats: 20, seed: 1 }), found)
})

t.test('of a regressor R² is lost: twice the share of the variance', async (t) => {
  const valued = rows.map((row) => ({ ...row, y: Number(row.x) * 2 + 1 }))
  const options = { target: 'y', task: 'regress', testFraction: 0.5 } as const
  const { test, encoding } = await table(valued, options)
  const model = linear([[1], [0], [0], [0], [0]], [0])
  const regressor: Regressor = { model, inputs: 5, encoding, loss: 'mse' }
  const [first, ...others] = await permutationImportance(regressor, test, { repeats: 50 })
  t.equal(first.column, 'x')
  t.ok(Math.abs(first.mean - 2) < 0.1, `${first.mean}`)
  t.ok(others.every(({ mean }) => mean === 0))
})

t.test('what it is not asked of', async (t) => {
  const { test, encoding, classes } = await table(
    rows.map((row, i) => ({ ...row, class: 'uv'[i % 2] })),
    { target: 'class' },
  )
  const classifier: Classifier = { model: mlp([5, 2]), inputs: 5, classes, encoding, loss: 'mse' }
  const without = { ...classifier, encoding: undefined }
  const message = /^permutationImportance: expected/
  for (const [model, data, options] of [
    [without, test],
    [{ ...classifier, inputs: 4 }, test],
    [undefined, test],
    [classifier, undefined],
    [classifier, test, { repeats: 0 }],
    [classifier, test, { rounds: 3 }],
  ] as [never, never, never][]) {
    await t.rejects(permutationImportance(model, data, options), { name: 'ArgumentError', message })
  }
})
