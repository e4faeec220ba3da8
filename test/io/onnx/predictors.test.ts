/** Exported classifiers and regressors: onnxruntime answers raw features as `predict` does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inputsOf } from '../../../lib/data/table/encoding.js'
import {
  ArgumentError,
  type Classifier,
  convnet,
  embeddingsOf,
  exportOnnx,
  loadClassifier,
  loadRegressor,
  mlp,
  type Predictions,
  predict,
  type Regressor,
  saveClassifier,
  saveMlp,
  saveRegressor,
  setSeed,
  table,
  tableNetwork,
} from '../../../lib/index.js'
import { decode } from '../../../lib/io/onnx/protobuf.js'
import { modelProto } from '../../../lib/io/onnx/schema.js'
import { near, runtimeResults, type Values } from '../../support/onnxRuntime.js'
import { refuses } from '../../support/reference.js'

type Row = Record<string, number | string | boolean | Date | null>
type Predictor = Classifier | Regressor

const notes = { dataset: 'made up', seed: 3 }
const NO_DATE = -(2 ** 63)

/** Cells as an exported model takes them. */
function feedsOf({ encoding }: Predictor, rows: readonly Row[]) {
  const features = encoding?.features ?? []
  return Object.fromEntries(
    features.map(({ name, type }) => {
      const cells = rows.map((row) => row[name])
      const shape = [rows.length, 1]
      if (type === 'number') {
        return [
          name,
          { type: 'float32', shape, data: cells.map((cell) => Number(cell ?? Number.NaN)) },
        ]
      }
      if (type === 'category') {
        return [name, { type: 'string', shape, data: cells.map((cell) => String(cell ?? '')) }]
      }
      const times = cells.map((cell) => {
        const time = cell === null ? Number.NaN : new Date(cell as string).getTime()
        return Number.isNaN(time) ? NO_DATE : time
      })
      return [name, { type: 'int64', shape, data: times }]
    }),
  ) as Record<string, Values>
}

function checkClasses(
  t: Test,
  { label, probabilities }: Awaited<ReturnType<typeof runtimeResults>>,
  { names, scores }: Predictions,
): void {
  t.strictSame(label.data.map(String), names)
  t.strictSame(probabilities.shape, [names.length, scores.length / names.length])
  near(t, probabilities.data, scores, 'probabilities')
}

/** Rows with every type of column, and some cells without a value. */
function flats(count: number, lacking: boolean): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    area: lacking && i % 7 === 3 ? null : 20.5 + ((i * 37) % 130),
    built: 1950 + ((i * 11) % 70),
    place: lacking && i % 9 === 4 ? null : ['Bonn', 'Ulm', 'Köln'][i % 3],
    street: `street ${(i * 5) % 12}`,
    balcony: i % 4 < 2,
    since:
      lacking && i % 8 === 5
        ? null
        : new Date(Date.UTC(1996, 0, 1 + i * 97, i * 5, i, 7)).toISOString(),
    rent: 400 + 9 * ((i * 37) % 130) + 150 * (i % 3),
    kind: ['low', 'high', 'middle'][(i * 7) % 3],
  }))
}

const options = { missing: 'impute', addIndicator: true, embedAbove: 6 } as const

t.test('a classifier of a table with every type of column', async (t) => {
  const path = join(t.testdir(), 'kinds')
  const rows = flats(120, true)
  const { encoding, classes } = await table(rows, { ...options, target: 'kind', ignore: ['rent'] })
  t.strictSame(
    encoding.features.map(({ name, type, indicator }) => [name, type, indicator ?? false]),
    [
      ['area', 'number', true],
      ['built', 'number', false],
      ['place', 'category', true],
      ['street', 'category', false],
      ['balcony', 'category', false],
      ['since', 'date', true],
    ],
  )
  setSeed(2)
  const model = tableNetwork(encoding, [8, classes.length])
  const architecture = {
    units: [inputsOf(encoding), 8, classes.length],
    activation: 'relu',
    embeddings: embeddingsOf(encoding),
  } as const
  const trained = { ...notes, classes, encoding, loss: 'cross-entropy', testAccuracy: 1 } as const
  saveClassifier(model, `${path}.safetensors`, architecture, trained)
  const saved = loadClassifier(`${path}.safetensors`)
  const signature = exportOnnx(saved, `${path}.onnx`)
  t.strictSame(
    signature.inputs.map(({ name, dtype, shape }) => `${name}: ${dtype} ${shape}`),
    [
      'area: float32 batch,1',
      'built: float32 batch,1',
      'place: string batch,1',
      'street: string batch,1',
      'balcony: string batch,1',
      'since: int64 batch,1',
    ],
  )
  const asked = flats(60, true).map((row, i): Row => (i === 7 ? { ...row, place: 'Rom' } : row))
  t.intercept(process, 'emitWarning', { value: () => {} })
  for (const batch of [60, 1]) {
    const part = asked.slice(0, batch)
    checkClasses(
      t,
      await runtimeResults(`${path}.onnx`, feedsOf(saved, part)),
      predict(saved, part),
    )
  }
  const spelled = asked.slice(0, 2).map((row) => ({ ...row, balcony: 'TRUE', place: '?' }))
  checkClasses(
    t,
    await runtimeResults(`${path}.onnx`, feedsOf(saved, spelled)),
    predict(saved, spelled),
  )

  const { metadataProps, producerName } = decode(modelProto, readFileSync(`${path}.onnx`), path)
  const metadata = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))
  t.equal(producerName, 'neuroblas')
  t.strictSame(JSON.parse(metadata.classes as string), classes)
  t.strictSame(JSON.parse(metadata.encoding as string), encoding)
  t.match(metadata, { loss: 'cross-entropy', dataset: 'made up' })
})

t.test('a regressor in the unit of its target', async (t) => {
  const path = join(t.testdir(), 'rents')
  const { encoding } = await table(flats(120, false), {
    target: 'rent',
    task: 'regress',
    ignore: ['street', 'kind'],
  })
  setSeed(3)
  const units = [inputsOf(encoding), 6, 1]
  const model = mlp(units)
  saveRegressor(
    model,
    `${path}.safetensors`,
    { units, activation: 'relu' },
    { ...notes, encoding, loss: 'mse' },
  )
  const saved = loadRegressor(`${path}.safetensors`)
  const { outputs } = exportOnnx(saved, `${path}.onnx`)
  t.strictSame(outputs, [{ name: 'value', dtype: 'float32', shape: ['batch', 1] }])
  const asked = flats(50, false)
  const { value } = await runtimeResults(`${path}.onnx`, feedsOf(saved, asked))
  t.strictSame(value.shape, [50, 1])
  near(t, value.data, predict(saved, asked), 'values')
})

t.test('every day from 1599 to 2101 has its parts', async (t) => {
  const path = join(t.testdir(), 'days')
  const day = 86_400_000
  const first = Date.UTC(1599, 0, 1)
  const rows = Array.from(
    { length: 3000 },
    (_, i): Row => ({
      when: new Date(first + i * 61 * day + ((i * 7_919_777) % day)).toISOString(),
      y: i % 13,
    }),
  )
  const { encoding } = await table(rows, { target: 'y', task: 'regress' })
  const [feature] = encoding.features
  t.strictSame(feature.type === 'date' && feature.parts, [
    'year',
    'month',
    'day',
    'weekday',
    'hour',
  ])
  setSeed(4)
  const units = [9, 12, 1]
  const saved: Regressor = {
    model: mlp(units, { activation: 'tanh' }),
    inputs: 9,
    encoding,
    loss: 'mse',
  }
  exportOnnx(saved, `${path}.onnx`)
  const { value } = await runtimeResults(`${path}.onnx`, feedsOf(saved, rows))
  near(t, value.data, predict(saved, rows), 'values')
})

t.test('features that are standardized, and classes that are numbers', async (t) => {
  const path = join(t.testdir(), 'features')
  const units = [4, 5, 3]
  const preprocessing = { mean: [5.8, 3.05, 1e4, 0.1], scale: [1.2, 2.3, 0.01, 4] }
  const rows = Array.from({ length: 9 }, (_, i) => [5 + (i % 3), 3.3 - i / 5, 1e4 + i * 20, i / 10])
  const feed = { input: { type: 'float32' as const, shape: [9, 4], data: rows.flat() } }
  setSeed(1)
  const model = mlp(units)
  const trained = { ...notes, preprocessing, testAccuracy: 1 }
  const architecture = { units, activation: 'relu' } as const
  for (const loss of ['cross-entropy', 'focal', 'mse', 'huber', 'hinge'] as const) {
    saveClassifier(model, `${path}.safetensors`, architecture, {
      ...trained,
      classes: ['0', '1', '-2'],
      loss,
    })
    const saved = loadClassifier(`${path}.safetensors`)
    const { outputs } = exportOnnx(saved, `${path}.onnx`)
    const isScore = loss !== 'cross-entropy' && loss !== 'focal'
    t.strictSame(
      outputs.map(({ name, dtype }) => `${name}: ${dtype}`),
      ['label: int64', `${isScore ? 'scores' : 'probabilities'}: float32`],
      loss,
    )
    const found = await runtimeResults(`${path}.onnx`, feed)
    checkClasses(
      t,
      { ...found, probabilities: found[isScore ? 'scores' : 'probabilities'] },
      predict(saved, rows),
    )
  }

  saveMlp(model, `${path}.safetensors`, architecture)
  const plain = loadClassifier(`${path}.safetensors`)
  exportOnnx(plain, `${path}.onnx`)
  checkClasses(t, await runtimeResults(`${path}.onnx`, feed), predict(plain, rows))
})

t.test('images as readImages gives them, and as rows of pixels', async (t) => {
  const path = join(t.testdir(), 'images')
  const architecture = {
    units: [48, 6, 2],
    activation: 'relu',
    convolutions: { image: [4, 4, 3], filters: [3] },
  } as const
  setSeed(7)
  const model = convnet([4, 4, 3], [3], [6, 2])
  const data = Uint8Array.from({ length: 3 * 48 }, (_, i) => (i * 89) % 256)
  const trained = {
    ...notes,
    classes: ['cat', 'dog'],
    loss: 'cross-entropy',
    testAccuracy: 1,
  } as const
  const preprocessing = { mean: [0], scale: [1 / 255] }
  const images = { size: [4, 4], channels: 3, resize: 'crop' } as const
  for (const { of, name, shape } of [
    { of: { ...trained, preprocessing, images }, name: 'images', shape: [3, 4, 4, 3] },
    { of: { ...trained, preprocessing }, name: 'input', shape: [3, 48] },
    {
      of: { ...trained, preprocessing: { mean: [120], scale: [0.01] }, images },
      name: 'images',
      shape: [3, 4, 4, 3],
    },
  ]) {
    saveClassifier(model, `${path}.safetensors`, architecture, of)
    const saved = loadClassifier(`${path}.safetensors`)
    const { inputs } = exportOnnx(saved, `${path}.onnx`)
    const type = name === 'images' ? 'uint8' : 'float32'
    t.strictSame(inputs, [{ name, dtype: type, shape: ['batch', ...shape.slice(1)] }])
    const feed = { [name]: { type, shape, data: [...data] } } as Record<string, Values>
    checkClasses(t, await runtimeResults(`${path}.onnx`, feed), predict(saved, { data, shape }))
  }
})

t.test('what a graph cannot do is refused by the name of the column', async (t) => {
  const path = join(t.testdir(), 'texts.onnx')
  const rows = Array.from(
    { length: 30 },
    (_, i): Row => ({
      review: `word${i} other${i % 7} ${'more '.repeat(i % 3)}`,
      stars: i % 5,
    }),
  )
  const { encoding } = await table(rows, {
    target: 'stars',
    task: 'regress',
    text: ['review'],
    hashBits: 3,
  })
  const saved: Regressor = { model: mlp([8, 1]), inputs: 8, encoding, loss: 'mse' }
  refuses(
    t,
    () => exportOnnx(saved, path),
    ArgumentError,
    /"review" of text, whose words are hashed/,
  )
  refuses(
    t,
    () => exportOnnx(saved, path, { input: [1, 8] }),
    ArgumentError,
    /no input for a classifier/,
  )
})
