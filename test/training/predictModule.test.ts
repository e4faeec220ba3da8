/** `predict` and `predictProba` of modules, typed arrays, data sets. */
import t from 'tap'
import {
  ArgumentError,
  type Classifier,
  DivergenceError,
  dataset,
  Embedding,
  Flatten,
  fitPreprocessing,
  iris,
  Linear,
  Module,
  mlp,
  noGrad,
  predict,
  predictProba,
  preprocess,
  type Regressor,
  Sequential,
  ShapeError,
  Sigmoid,
  Softmax,
  type Tensor,
  table,
  tensor,
  zeros,
} from '../../lib/index.js'
import { close, network } from '../support/engine.js'
import { onBothBackends, wrong } from '../support/reference.js'

const rows = Array.from({ length: 23 }, (_, i) => [Math.sin(i), Math.cos(i), i / 23])
const flat = (found: Float32Array[]) => found.flatMap((row) => [...row])

onBothBackends('the outputs of a module, row by row', (t) => {
  const model = mlp([3, 5, 2], { dropout: 0.9 })
  model.eval()
  const expected = noGrad(() => model.forward(tensor(rows)).toArray(2))
  model.train()
  const data = Float32Array.from(rows.flat())
  const asked = [
    rows,
    rows.map((row) => Float32Array.from(row)),
    tensor(rows),
    { data, shape: [23, 3] },
    dataset({ inputs: rows, targets: rows.map(() => 0) }),
  ]
  for (const [i, given] of asked.entries()) {
    for (const batchSize of [undefined, 1, 7, 23]) {
      const found = predict(model, given, { batchSize })
      t.ok(found.every((row) => row instanceof Float32Array && row.length === 2))
      close(t, flat(found), expected.flat(), 1e-6, `form ${i} by ${batchSize}`)
    }
  }
  t.equal(model.training, true, 'as it was')
})

onBothBackends('images, bytes, indices, outputs of any rank', (t) => {
  const bytes = Uint8Array.from({ length: 2 * 2 * 3 }, (_, i) => 20 * i)
  const image = { inputs: bytes, inputShape: [2, 2], scale: 1 / 255, targets: [0, 1, 0] }
  const model = new Sequential(new Flatten(), new Linear(4, 1))
  const expected = noGrad(() =>
    model
      .forward(
        tensor(
          Float32Array.from(bytes, (byte) => byte / 255),
          [3, 2, 2],
        ),
      )
      .data(),
  )
  close(t, flat(predict(model, dataset(image))), expected, 1e-6, 'a data set')
  const asTensor = tensor(bytes, [3, 2, 2], 'uint8')
  close(t, flat(predict(model, asTensor)), expected, 1e-6, 'a tensor of bytes')
  const embedding = new Embedding(5, 2)
  const found = predict(embedding, tensor(Int32Array.of(4, 0, 1, 2, 3, 3), [3, 2]))
  t.strictSame(
    found.map(({ length }) => length),
    [4, 4, 4],
  )
  const row = embedding.weight.toArray(2)[4]
  t.strictSame([...found[0].subarray(0, 2)], row)
})

onBothBackends('probabilities', (t) => {
  const inputs = tensor(rows)
  const several = network([3, 4, 3])
  const softmax = noGrad(() => several.forward(inputs).softmax().data())
  close(t, flat(predictProba(several, rows)), softmax, 1e-6, 'of logits')
  const ended = new Sequential(several, new Softmax())
  close(t, flat(predictProba(ended, rows)), softmax, 1e-6, 'of a model that ends with softmax')
  const single = network([3, 4, 1])
  const sigmoid = noGrad(() => single.forward(inputs).sigmoid().data())
  const pairs = [...sigmoid].flatMap((p) => [1 - p, p])
  close(t, flat(predictProba(single, rows, { batchSize: 5 })), pairs, 1e-6, 'of a single logit')
  const probability = new Sequential(single, new Sigmoid())
  close(t, flat(predictProba(probability, rows)), pairs, 1e-6, 'of a single probability')
  const labels = new Sequential(several, new Sigmoid())
  const each = noGrad(() => labels.forward(inputs).data())
  close(t, flat(predictProba(labels, rows)), each, 1e-6, 'of several labels')
  // One step of time, three classes: not a single output.
  class Step extends Module {
    forward = (x: Tensor): Tensor => several.forward(x).unsqueeze(1)
  }
  close(t, flat(predictProba(new Step(), rows)), softmax, 1e-6, 'of [batch, 1, classes]')
})

t.test('classifiers and regressors take data sets', async (t) => {
  const data = iris()
  const preprocessing = fitPreprocessing(data)
  const model = network([4, 3])
  const classifier: Classifier = {
    model,
    inputs: 4,
    classes: data.classes,
    loss: 'cross-entropy',
    preprocessing,
  }
  const raw = Array.from({ length: data.size }, (_, i) => data.inputs.subarray(4 * i, 4 * i + 4))
  const expected = predict(classifier, raw)
  t.strictSame(predict(classifier, data), expected)
  t.strictSame(predict(classifier, { data: data.inputs, shape: [150, 4] }), expected)
  const bare = { ...classifier, preprocessing: undefined }
  t.strictSame(predict(bare, preprocess(data, preprocessing)), expected, 'as its inputs are')
  t.strictSame(flat(predictProba(classifier, data)), [...expected.scores])

  const flats = rows.map(([area, rooms, rent]) => ({ area, rooms, rent }))
  const { train, encoding } = await table(flats, {
    target: 'rent',
    task: 'regress',
    testFraction: 0.2,
  })
  const regressor: Regressor = { model: network([2, 1]), inputs: 2, encoding, loss: 'mse' }
  t.equal(predict(regressor, train).length, train.size, 'as the table encoded it')
  t.throws(
    () => predictProba(wrong(regressor), flats),
    new ArgumentError(
      'predictProba: expected a classifier that was trained on the cross-entropy, got a regressor',
    ),
  )
  t.throws(
    () => predictProba({ ...classifier, loss: 'hinge' }, data),
    new ArgumentError(
      'predictProba: expected a classifier that was trained on the cross-entropy, got one of the loss hinge',
    ),
  )
  t.throws(
    () => predict(classifier, dataset({ inputs: rows, targets: rows.map(() => 0) })),
    new ShapeError('predict: expected rows of 4 features, got shape [23, 3]'),
  )
})

t.test('what is refused', async (t) => {
  const model = network([3, 2])
  for (const [given, type, message] of [
    [[], ShapeError, 'predict: expected at least one example, got shape [0]'],
    [[[1, 2]], ShapeError, /^predict: .*\[1, 2\]/],
    [[[1, Number.NaN, 3]], ArgumentError, 'predict: expected finite numbers, got NaN in example 0'],
    [
      { data: [1, 2, 3], shape: [2, 2] },
      ShapeError,
      'predict: expected values for the shape [2, 2], got 3 of them',
    ],
    [{ data: [1, 2, 3], shape: 3 }, ArgumentError, /expected a shape \[examples, …\], got 3$/],
    [
      { data: [1, 2, 3, 4, 5, 6], shape: [-2, -3] },
      ShapeError,
      /^predict: expected a shape of integers >= 0, got \[ ?-2, -3 ?\]$/,
    ],
    [
      tensor(new Int32Array(0), [0, 3]),
      ShapeError,
      'predict: expected at least one example, got shape [0, 3]',
    ],
    [
      tensor(Int32Array.of(1), []),
      ShapeError,
      'predict: expected at least one example, got shape []',
    ],
    ['abc', ArgumentError, /^predict: expected arrays of numbers or a tensor, got 'abc'$/],
    [undefined, ArgumentError, /got undefined$/],
  ] as [unknown, typeof ArgumentError, string | RegExp][]) {
    for (const fn of [predict, predictProba]) {
      const said = message instanceof RegExp ? message.source : message
      const named = said.replace('predict', fn.name)
      const expected = message instanceof RegExp ? new RegExp(named) : named
      t.throws(() => fn(wrong(model), wrong(given)), { name: type.name, message: expected })
    }
  }
  t.throws(() => predict(model, rows, { batchSize: 0 }), /batchSize >= 1, got 0/)
  t.throws(() => predict(wrong({}), rows), /a regressor or a module, got \{\}$/)
  class Mean extends Module {
    forward(x: Tensor): Tensor {
      return x.mean()
    }
  }
  t.throws(() => predict(new Mean(), rows), {
    message: 'predict: expected outputs for each of 23 examples, got shape []',
  })
  class None extends Module {
    forward = (x: Tensor): Tensor => zeros([x.shape[0], 0])
  }
  t.strictSame(predict(new None(), [[1], [2]]), [new Float32Array(0), new Float32Array(0)])
  model.parameters()[0].assign(new Float32Array(6).fill(Infinity))
  t.throws(() => predict(model, rows), { name: DivergenceError.name })
  const classifier = { model, inputs: 3, classes: ['a', 'b'], loss: 'cross-entropy' }
  const said = /^predictProba: expected finite scores, got/
  t.throws(() => predictProba(wrong(classifier), rows), { message: said })
})
