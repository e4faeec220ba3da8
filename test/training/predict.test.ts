/** A classifier in a file, and what it says about raw features. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  ArgumentError,
  DataError,
  DivergenceError,
  fit,
  fitPreprocessing,
  getBackend,
  iris,
  loadClassifier,
  loadRegressor,
  mlp,
  mse,
  noGrad,
  predict,
  preprocess,
  SGD,
  ShapeError,
  saveClassifier,
  saveMlp,
  saveRegressor,
  softmaxCrossEntropy,
  split,
  table,
  tensor,
} from '../../lib/index.js'
import { close, hasOneOrder, rounding } from '../support/engine.js'
import { refuses } from '../support/reference.js'

const folder = mkdtempSync(join(tmpdir(), 'neuroblas-predict-'))
t.teardown(() => rmSync(folder, { recursive: true }))

t.test('a classifier answers raw features as the model does preprocessed ones', async (t) => {
  const { train, test } = split(iris(), 0.2, 1)
  const preprocessing = fitPreprocessing(train)
  const model = mlp([4, 16, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const data = preprocess(train, preprocessing)
  await fit(model, data, { loss: softmaxCrossEntropy, optimizer, epochs: 20, batchSize: 8 })
  const path = join(folder, 'iris.safetensors')
  const notes = { dataset: 'iris', seed: 1, classes: train.classes, preprocessing }
  const units = [4, 16, 3]
  saveClassifier(
    model,
    path,
    { units, activation: 'relu' },
    {
      ...notes,
      loss: 'cross-entropy',
      testAccuracy: 1,
    },
  )

  const classifier = loadClassifier(path)
  t.strictSame(classifier.classes, ['setosa', 'versicolor', 'virginica'])
  const rows = Array.from({ length: test.size }, (_, i) => test.inputs.slice(4 * i, 4 * i + 4))
  const { labels, names, scores } = predict(classifier, rows, { batchSize: 7 })
  const inputs = preprocess(test, preprocessing).inputs as Float32Array
  const expected = noGrad(() => model.forward(tensor(inputs, [test.size, 4])).softmax())
  // OpenBLAS may add the 16 products of a logit, none above 16, in another order in a batch of 7.
  const tolerance = hasOneOrder(getBackend()) ? 0 : 16 * rounding(16)
  close(t, scores, expected.data(), tolerance, 'in batches')
  t.strictSame(predict({ ...classifier, loss: 'focal' }, rows, { batchSize: 7 }).scores, scores)
  t.strictSame(labels, expected.argmax(1).data())
  t.strictSame(names[0], classifier.classes[labels[0]])
  t.ok(labels.filter((label, i) => label === test.targets[i]).length >= 27)
  t.strictSame(predict(classifier, tensor(rows.map((row) => [...row]))).labels, labels)

  const spoilt = loadClassifier(path)
  spoilt.model.parameters()[3].assign([0, Number.NaN, 0])
  refuses(
    t,
    () => predict(spoilt, rows),
    DivergenceError,
    'predict: expected finite scores, got NaN for row 1 (NaN in layers.2.bias)',
  )
  // Weights of 1 would do for the second row, too, were it not so large.
  for (const parameter of spoilt.model.parameters()) {
    parameter.assign(new Float32Array(parameter.size).fill(1))
  }
  refuses(
    t,
    () => predict({ ...spoilt, preprocessing: undefined }, [rows[0], [3e38, 3e38, 0, 0]]),
    DivergenceError,
    'predict: expected finite scores, got NaN for row 2 (all parameters are finite)',
  )

  refuses(t, () => predict(classifier, [[1, 2, 3]]), ShapeError)
  refuses(t, () => predict(classifier, []), ShapeError)
  refuses(t, () => predict(classifier, [[1, 2, 3, Number.NaN]]), ArgumentError)
  refuses(t, () => predict(classifier, rows, { batchSize: 0 }), ArgumentError)
  refuses(t, () => predict(classifier, rows, { batch: 1 } as never), ArgumentError)
})

t.test('notes that no reader would take are not written', async (t) => {
  const path = join(folder, 'unwritten.safetensors')
  const notes = {
    dataset: 'iris',
    seed: 1,
    classes: ['a', 'b', 'c'],
    preprocessing: { mean: [0], scale: [1] },
    loss: 'cross-entropy',
    testAccuracy: 1,
  }
  const refused: [object, RegExp][] = [
    [{ seed: -1 }, /^saveClassifier: expected a seed from 0 to 2\^53 - 1, got '-1'$/],
    [{ seed: Number.NaN }, /got 'NaN'$/],
    [{ classes: ['a', 'b'] }, /expected a name for each class, of two or more, got '\["a","b"\]'$/],
    [{ classes: ['a', 'b', 3] }, /got '\["a","b",3\]'$/],
    [{ preprocessing: { mean: [0, 0], scale: [1] } }, /expected preprocessing \{ mean, scale \}/],
    [{ preprocessing: { mean: [0], scale: [Number.NaN] } }, /got '.*null\]\}'$/],
    [{ loss: 'mae' }, /expected a loss of cross-entropy, mse, .* got 'mae'$/],
    [{ dataset: 7 }, /expected text .* got "dataset": 7; /],
  ]
  for (const [changed, message] of refused) {
    const changes = { ...notes, ...changed } as never
    const save = () =>
      saveClassifier(mlp([4, 3]), path, { units: [4, 3], activation: 'relu' }, changes)
    refuses(t, save, ArgumentError, message)
  }
  const single = () =>
    saveClassifier(mlp([4, 1]), path, { units: [4, 1], activation: 'relu' }, {
      ...notes,
      classes: ['a'],
    } as never)
  refuses(t, single, ArgumentError, /of two or more, got '\["a"\]'$/)
  t.notOk(existsSync(path))
})

t.test('a classifier of a table answers records, by the names of its columns', async (t) => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    color: ['red', 'green', 'blue'][i % 3],
    size: i % 5 === 4 ? null : (i * 7) % 11,
    kind: ['fruit', 'leaf', 'sky'][i % 3],
  }))
  const { train, classes, encoding } = await table(rows, { target: 'kind', missing: 'impute' })
  const model = mlp([4, 8, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 20, batchSize: 8 })
  const path = join(folder, 'kinds.safetensors')
  const notes = {
    dataset: 'kinds',
    seed: 0,
    classes,
    loss: 'cross-entropy',
    testAccuracy: 1,
  } as const
  const architecture = { units: [4, 8, 3], activation: 'relu' } as const
  saveClassifier(model, path, architecture, { ...notes, encoding })
  const saved = loadClassifier(path)
  t.strictSame(saved.encoding, encoding)
  const { names, scores } = predict(saved, [
    { size: 3, color: 'blue', shape: 'ignored' },
    { color: 'red', size: null },
    ['green', '4'],
  ])
  t.strictSame(names, ['sky', 'fruit', 'leaf'])
  const size = encoding.features[1]
  if (size.type !== 'number') throw new Error('size is a number')
  // Categories are sorted; the mean, which stands for what is missing, is 0.
  const inputs = [
    1,
    0,
    0,
    (3 - size.mean) * size.scale,
    0,
    0,
    1,
    0,
    0,
    1,
    0,
    (4 - size.mean) * size.scale,
  ]
  const expected = noGrad(() => model.forward(tensor(inputs, [3, 4])).softmax())
  close(t, scores, expected.data(), 16 * rounding(16), 'the inputs are those of the encoding')

  const warned: string[] = []
  t.intercept(process, 'emitWarning', { value: (text: string) => warned.push(text) })
  predict(saved, [{ color: 'mauve', size: 1 }])
  t.strictSame(warned, [
    'predict: column color has 1 cell with categories that training had not, such as "mauve"',
  ])
  refuses(t, () => predict(saved, [{ color: 'red' }]), DataError)
  refuses(t, () => predict(saved, [['red']]), DataError)
  refuses(t, () => predict(saved, [{ color: 'red', size: 'big' }]), DataError)
  refuses(t, () => predict(saved, [{ color: 'red', size: 1 }], { batchSize: 0 }), ArgumentError)
  refuses(t, () => predict(saved, []), DataError)
  refuses(t, () => predict(saved, 7 as never), ArgumentError)
  refuses(t, () => predict(saved, [7] as never), DataError)
  refuses(t, () => saveClassifier(model, path, architecture, notes), ArgumentError)
  refuses(t, () => loadRegressor(path), DataError)

  const strict = await table(
    rows.map((row) => ({ ...row, size: row.size ?? 0 })),
    { target: 'kind' },
  )
  saveClassifier(model, path, architecture, { ...notes, encoding: strict.encoding })
  refuses(t, () => predict(loadClassifier(path), [{ color: 'red', size: null }]), DataError)
})

t.test('a regressor answers in the unit of its target', async (t) => {
  const rows = Array.from({ length: 80 }, (_, i) => ({ x: i % 16, price: 1e5 + 5000 * (i % 16) }))
  const { train, encoding } = await table(rows, { target: 'price', task: 'regress' })
  const model = mlp([1, 1])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await fit(model, train, { loss: mse, optimizer, epochs: 30, batchSize: 8 })
  const path = join(folder, 'prices.safetensors')
  const notes = { dataset: 'prices', seed: 0, encoding, loss: 'mse' } as const
  saveRegressor(model, path, { units: [1, 1], activation: 'relu' }, notes)
  const values = predict(loadRegressor(path), [{ x: 0 }, Float32Array.of(15), [20]])
  t.strictSame(predict(loadRegressor(path), tensor([[0], [15], [20]])), values)
  // The line y = 100000 + 5000 x, which a single weight can have.
  for (const [i, value] of [1e5, 175e3, 2e5].entries()) {
    t.ok(Math.abs(values[i] - value) < 100, `${values[i]}`)
  }
  refuses(t, () => loadClassifier(path), DataError)
  const regressor = loadRegressor(path)
  regressor.model.parameters()[0].assign([Infinity])
  refuses(t, () => predict(regressor, [{ x: 1 }]), DivergenceError, /finite values/)
  const wide = { ...notes, encoding: { ...encoding, features: [] } }
  const save = () => saveRegressor(model, path, { units: [1, 1], activation: 'relu' }, wide)
  refuses(t, save, ArgumentError, /expected an encoding as table/)
})

t.test('notes of a file that are damaged are refused', async (t) => {
  const { encoding } = await table(
    Array.from({ length: 10 }, (_, i) => ({ a: 'uv'[i % 2], b: i / 2, kind: 'xy'[i % 2] })),
    { target: 'kind' },
  )
  const path = join(folder, 'damaged.safetensors')
  const save = (changed: object | null) =>
    saveMlp(
      mlp([3, 2]),
      path,
      { units: [3, 2], activation: 'relu' },
      {
        encoding: JSON.stringify(changed),
      },
    )
  save(encoding)
  t.strictSame(loadClassifier(path).encoding, encoding)
  const [category, number] = encoding.features
  for (const changed of [
    null,
    {},
    { ...encoding, columns: ['a'] },
    { ...encoding, isNamed: 1 },
    { ...encoding, features: [category] },
    { ...encoding, features: [category, { ...number, scale: null }] },
    { ...encoding, features: [{ ...category, categories: [1, 2] }, number] },
    { ...encoding, features: [{ ...category, name: 'c' }, number] },
    { ...encoding, target: { name: 'kind', mean: 1 } },
    { ...encoding, target: { name: 'kind', mean: 1, scale: 1 } },
    { ...encoding, missing: 'guess' },
    { ...encoding, format: { decimal: ';' } },
    { ...encoding, format: undefined },
  ]) {
    save(changed)
    refuses(t, () => loadClassifier(path), DataError)
  }
})
