/** Weights that are exchanged while a handler answers: each answer is of one set of them. */
import t from 'tap'
import {
  ArgumentError,
  DivergenceError,
  dataset,
  fit,
  Linear,
  type Module,
  mlp,
  mse,
  predict,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
} from '../../lib/index.js'
import { predictHandler } from '../../lib/serve/index.js'
import { onBothBackendsLater } from '../support/engine.js'
import { bytesOf, listening, post } from '../support/http.js'
import { refuses } from '../support/reference.js'

/** Answers with the same number for each of so many outputs, and for each row that is 1. */
function constant(value: number, outputs = 5): Sequential {
  const layer = new Linear(1, outputs, { bias: false })
  layer.weight.assign(new Float32Array(outputs).fill(value))
  return new Sequential(layer)
}

onBothBackendsLater(
  'published weights answer from the next batch on, and are copies',
  async (t) => {
    const model = constant(1)
    const handler = predictHandler(model)
    const url = await listening(t, handler)
    const answer = async () => (await post(url, bytesOf([1]))).floats[0]
    t.equal(await answer(), 1)
    model.parameters()[0].assign([2, 2, 2, 2, 2])
    t.equal(await answer(), 1, 'the handler has a copy')
    for (const value of [2, 3, 4, 5]) {
      model.parameters()[0].assign(new Float32Array(5).fill(value))
      handler.publish(model)
      t.equal(await answer(), value)
    }
    handler.publish(constant(6))
    handler.publish(constant(7))
    t.equal(await answer(), 7, 'the last one, of another model')
    t.equal(handler.info().version, 7)

    refuses(t, () => handler.publish(constant(8, 4)), ShapeError)
    refuses(t, () => handler.publish(constant(Number.NaN)), DivergenceError)
    t.equal(await answer(), 7, 'the old ones go on')
    await handler.dispose()
  },
)

t.test('weights alone are published: what is computed stays', async (t) => {
  const model = constant(1)
  const handler = predictHandler(model)
  const url = await listening(t, handler)
  for (let round = 0; round < 3; round++) {
    handler.publish(new Sequential(...constant(-2).layers, new ReLU()))
    t.equal((await post(url, bytesOf([1]))).floats[0], -2)
  }
  await handler.dispose()
})

t.test('an answer is of one set of weights, also one of many batches', async (t) => {
  const model = constant(1)
  const handler = predictHandler(model, { batchSize: 4 })
  const url = await listening(t, handler)
  const rows = new Float32Array(30).fill(1)
  const isOver = { value: false }
  const seen = new Set<number>()
  const ask = async (of: Float32Array) => {
    while (!isOver.value) {
      const { status, floats } = await post(url, new Uint8Array(of.buffer, 0, of.byteLength))
      t.equal(status, 200)
      t.equal(new Set(floats).size, 1, 'all outputs of all rows are the same')
      seen.add(floats[0])
    }
  }
  const clients = [rows, rows.slice(0, 1), rows.slice(0, 3), rows.slice(0, 9)].map(ask)
  for (let value = 2; value <= 60; value++) {
    model.parameters()[0].assign(new Float32Array(5).fill(value))
    handler.publish(model)
    await post(url, bytesOf([1]))
  }
  isOver.value = true
  await Promise.all(clients)
  t.ok(seen.size > 10, `${seen.size} sets of weights answered`)
})

t.test('a training publishes from its callbacks, and the handler answers meanwhile', async (t) => {
  const model = mlp([1, 4, 1])
  const x = Float32Array.from({ length: 64 }, (_, i) => i / 64)
  const data = dataset({
    inputs: x,
    inputShape: [1],
    targets: x.map((v) => 3 * v),
    task: 'regress',
  })
  const handler = predictHandler(model)
  const url = await listening(t, handler)
  const found: number[] = []
  const before = predict(model, [[0.5]])[0][0]
  await fit(model, data, {
    loss: mse,
    optimizer: new SGD(model.parameters(), { lr: 0.05 }),
    epochs: 4,
    batchSize: 8,
    onEpoch: async () => {
      found.push((await post(url, bytesOf([0.5]))).floats[0])
      refuses(t, () => handler.publish(7 as unknown as Module), ArgumentError)
      handler.publish(model)
    },
  })
  t.equal(found[0], before, 'the old weights until they are published')
  t.equal(new Set(found).size, 4, 'new ones after each epoch')
  t.equal((await post(url, bytesOf([0.5]))).floats[0], predict(model, [[0.5]])[0][0])
})
