/** Networks for encoded rows of tables: embeddings in place of indices, kept in files, asked about rows. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  Adam,
  ArgumentError,
  capture,
  DataError,
  Embedding,
  embeddingsOf,
  fit,
  Linear,
  loadClassifier,
  loadRegressor,
  mlp,
  mse,
  predict,
  ShapeError,
  saveClassifier,
  saveRegressor,
  setSeed,
  softmaxCrossEntropy,
  TableInputs,
  type TableRecord,
  table,
  tableNetwork,
  tensor,
} from '../../lib/index.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'

t.intercept(process, 'emitWarning', { value: () => {} })

t.test('vectors take the places of indices', async (t) => {
  const inputs = new TableInputs(4, [
    { column: 1, categories: 2, dim: 3 },
    { column: 3, categories: 1, dim: 1 },
  ])
  t.equal(inputs.outputs, 6)
  const [first, second] = inputs.embeddings
  t.strictSame(
    [first.weight.shape, second.weight.shape],
    [
      [3, 3],
      [2, 1],
    ],
  )
  first.weight.assign([0, 0, 0, 1, 2, 3, 4, 5, 6])
  second.weight.assign([0, 7])
  const x = tensor([
    [10, 2, 20, 1],
    [11, 0, 21, 0],
  ])
  const expected = [10, 4, 5, 6, 20, 7, 11, 0, 0, 0, 21, 0]
  t.strictSame([...inputs.forward(x).data()], expected)
  t.strictSame([...(await capture((x) => inputs.forward(x))(x)).data()], expected)
  inputs.forward(x).sum().backward()
  t.strictSame([...(first.weight.grad?.data() ?? [])], [0, 0, 0, 0, 0, 0, 1, 1, 1], 'none for 0')
  t.throws(() => inputs.forward(tensor([[1, 2, 3]])), ShapeError)
  t.throws(() => inputs.forward(tensor([[10, 3, 20, 1]])), { name: 'KernelError' })
  const one = { column: 1, categories: 2, dim: 3 }
  for (const embeddings of [
    [],
    [one, one],
    [{ ...one, column: 4 }],
    [{ ...one, column: 0.5 }],
    7,
  ]) {
    t.throws(() => new TableInputs(4, embeddings as never), ArgumentError)
  }
  t.throws(() => new TableInputs(4, [null] as never), ArgumentError)
  t.throws(() => new TableInputs(4, [{ ...one, dim: 0 }]), ArgumentError)
  t.throws(() => new TableInputs(4, [{ ...one, categories: -1 }]), ArgumentError)
})

/** Trips whose length depends on the place and on the hour. */
const trips: (TableRecord & { place: string; hour: number })[] = Array.from(
  { length: 600 },
  (_, i) => {
    const [place, hour] = [(i * 7) % 40, (i * 5) % 24]
    const minutes = 10 + 3 * ((place * 11) % 13) + hour / 2
    return { place: `p${place}`, hour, minutes, late: minutes > 35 ? 'yes' : 'no' }
  },
)

t.test('a classifier with embeddings is trained, saved, loaded and asked', async (t) => {
  const path = join(t.testdir(), 'late.safetensors')
  const options = { target: 'late', ignore: ['minutes'], embedAbove: 20 }
  const { train, test, encoding, classes } = await table(trips, options)
  t.strictSame(train.inputShape, [2])
  t.strictSame(embeddingsOf(encoding), [{ column: 0, categories: 40, dim: 13 }])
  setSeed(3)
  const model = tableNetwork(encoding, [16, 2], { activation: 'tanh' })
  t.strictSame(
    model.layers.map((layer) => layer.constructor.name),
    [...['TableInputs', 'Linear', 'Tanh', 'Linear']],
  )
  const optimizer = new Adam(model.parameters(), { lr: 0.02 })
  await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 30, seed: 1 })
  const architecture = {
    ...{ units: [2, 16, 2], activation: 'tanh' as const },
    embeddings: embeddingsOf(encoding),
  }
  const notes = {
    dataset: 'trips',
    seed: 0,
    classes,
    loss: 'cross-entropy',
    testAccuracy: 1,
  } as const
  saveClassifier(model, path, architecture, { ...notes, encoding })
  const loaded = loadClassifier(path)
  const before = predict({ model, inputs: 2, classes, encoding, loss: 'cross-entropy' }, test)
  t.strictSame(predict(loaded, test), before)
  const asked = predict(loaded, trips)
  const right = asked.names.filter((name, i) => name === trips[i].late).length
  t.ok(right > 0.95 * trips.length, `${right}`)
  t.equal(predict(loaded, [{ place: 'elsewhere', hour: 3 }]).names.length, 1)

  t.throws(
    () =>
      saveClassifier(
        model,
        path,
        { ...architecture, embeddings: undefined },
        { ...notes, encoding },
      ),
    {
      name: 'ArgumentError',
      message: /expected/,
    },
  )
  t.throws(
    () =>
      saveClassifier(
        mlp([2, 16, 2]),
        path,
        { units: [2, 16, 2], activation: 'relu' },
        {
          ...{ ...notes, encoding },
        },
      ),
    { message: /expected an encoding as table\(\) makes it, of the inputs and embeddings/ },
  )
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path)
  for (const embeddings of [7, [null], [{ column: 5, categories: 40, dim: 13 }], []]) {
    const changed = { ...metadata, architecture: JSON.stringify({ ...architecture, embeddings }) }
    writeFileSync(path, encodeSafetensors(tensors as never, changed))
    t.throws(() => loadClassifier(path), DataError, JSON.stringify(embeddings))
  }
})

t.test('a regressor, and a table without indices', async (t) => {
  const path = join(t.testdir(), 'minutes.safetensors')
  const options = { target: 'minutes', task: 'regress', ignore: ['late'], embedAbove: 20 } as const
  const { train, encoding } = await table(trips, options)
  const model = tableNetwork(encoding, [32, 1])
  const optimizer = new Adam(model.parameters(), { lr: 0.02 })
  await fit(model, train, { loss: mse, optimizer, epochs: 60, seed: 1 })
  const architecture = {
    ...{ units: [2, 32, 1], activation: 'relu' as const },
    embeddings: embeddingsOf(encoding),
  }
  saveRegressor(model, path, architecture, { dataset: 'trips', seed: 0, encoding, loss: 'mse' })
  const [minutes] = predict(loadRegressor(path), [trips[5]])
  t.ok(Math.abs(minutes - Number(trips[5].minutes)) < 3, `${minutes}`)

  const plain = await table(trips, { ...options, embedAbove: 50 })
  const network = tableNetwork(plain.encoding, [8, 1])
  t.ok(network.layers[0] instanceof Linear)
  t.notOk(network.layers.some((layer) => (layer as unknown) instanceof Embedding))
  t.throws(() => tableNetwork(plain.encoding, 8 as never), ArgumentError)
})
