/** A classifier in a file, and what it says about raw features. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  ArgumentError,
  DataError,
  DivergenceError,
  fit,
  fitPreprocessing,
  iris,
  loadClassifier,
  mlp,
  noGrad,
  predict,
  preprocess,
  readCsv,
  SGD,
  ShapeError,
  saveClassifier,
  softmaxCrossEntropy,
  split,
  tensor,
} from '../../lib/index.js'
import { close, rounding } from '../support/engine.js'
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
  // In a batch of another size, the 16 products of a logit, none above 16, may be added in another order.
  close(t, scores, expected.data(), 16 * rounding(16), 'in batches')
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

t.test('readCsv makes a data set of numbers and a class', async (t) => {
  const path = join(folder, 'flowers.csv')
  writeFileSync(path, 'length,width,kind\n1,2,b\n3,4,a\n5,6.5,b\n')
  const data = readCsv(path)
  t.strictSame(data.classes, ['a', 'b'])
  t.strictSame([...data.targets], [1, 0, 1])
  t.strictSame([...data.inputs], [1, 2, 3, 4, 5, 6.5])
  t.strictSame([...readCsv(path, { classes: ['b', 'a'] }).targets], [0, 1, 0])
  refuses(t, () => readCsv(path, { classes: ['a', 'c'] }), DataError)
  refuses(t, () => readCsv(path, { header: true } as never), ArgumentError)
})
