/**
 * `neuroblas/sklearn` against scikit-learn (fixtures/sklearn.json; the script is beside it), and what
 * its users expect of labels, attributes and errors.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  MLPClassifier,
  type MLPParameters,
  MLPRegressor,
} from '../../lib/frontends/sklearn/index.js'
import { digits, iris, type Linear, memory, setBackend, setSeed, tensor } from '../../lib/index.js'
import { settledMemory } from '../support/engine.js'

interface Case {
  estimator: 'MLPClassifier' | 'MLPRegressor'
  params: Record<string, unknown>
  y: never
  initial: [number[][], number[]][]
  lossCurve: number[]
  nIter: number
  predict: never[]
  predictProba: number[][] | null
  score: number
  coefs: number[][][]
}
const fixture: { X: number[][]; cases: Record<string, Case> } = JSON.parse(
  readFileSync(new URL('../fixtures/sklearn.json', import.meta.url), 'utf8'),
)
const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

process.on('warning', () => {})
process.removeAllListeners('warning')
const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))

const isClose = (a: number, b: number, tolerance: number) =>
  Math.abs(a - b) <= tolerance * (1 + Math.abs(b))

for (const backend of ['native', 'js'] as const) {
  for (const [name, expected] of Object.entries(fixture.cases)) {
    t.test(`${backend}: ${name}`, async (t) => {
      setBackend(backend)
      t.teardown(() => setBackend('native'))
      const params = Object.fromEntries(
        Object.entries(expected.params).map(([key, value]) => [camelCase(key), value]),
      )
      const initial = [...expected.initial]
      const initialize = ({ weight, bias }: Linear) => {
        const [weights, biases] = initial.shift()!
        weight.assign(weights.flat())
        bias!.assign(biases)
      }
      class Classifier extends MLPClassifier {
        protected override initialize = initialize
      }
      class Regressor extends MLPRegressor {
        protected override initialize = initialize
      }
      const model =
        expected.estimator === 'MLPClassifier' ? new Classifier(params) : new Regressor(params)
      await model.fit(fixture.X, expected.y)
      const curve = model.lossCurve
      t.equal(curve.length, expected.lossCurve.length, 'as many epochs')
      t.equal(model.nIter, expected.nIter)
      for (const [epoch, loss] of expected.lossCurve.entries()) {
        if (!isClose(curve[epoch], loss, 2e-5)) t.equal(curve[epoch], loss, `epoch ${epoch}`)
      }
      for (const [i, w] of model.coefs.flat(2).entries()) {
        const right = expected.coefs.flat(2)[i]
        if (!isClose(w, right, 2e-4)) t.equal(w, right, `weight ${i}`)
      }
      t.ok(isClose(model.score(fixture.X, expected.y), expected.score, 1e-4))
      if (model instanceof MLPClassifier) {
        t.same(model.predict(fixture.X), expected.predict)
        for (const [i, p] of model.predictProba(fixture.X).flat().entries()) {
          const right = expected.predictProba!.flat()[i]
          if (!isClose(p, right, 1e-4)) t.equal(p, right, `probability ${i}`)
        }
      }
      model.dispose()
    })
  }
}

const X = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]

t.test('labels of any kind, attributes, probabilities', async (t) => {
  const { inputs, targets } = iris()
  const flowers = Array.from({ length: 150 }, (_, i) => [...inputs.subarray(4 * i, 4 * i + 4)])
  const names = [...targets].map((label) => ['setosa', 'versicolor', 'virginica'][label])
  const classifier = new MLPClassifier<string>({ randomState: 1, maxIter: 300 })
  t.throws(() => classifier.classes, {
    name: 'NotFittedError',
    message: /^MLPClassifier: expected/,
  })
  t.throws(() => classifier.predict(flowers), { name: 'NotFittedError' })
  t.equal(await classifier.fit(flowers, names), classifier)
  t.same(classifier.classes, ['setosa', 'versicolor', 'virginica'])
  t.ok(classifier.score(flowers, names) > 0.95)
  t.equal(classifier.predict(flowers.slice(0, 1))[0], 'setosa')
  t.same(
    classifier.predict(tensor(flowers)),
    classifier.predict(flowers.map((row) => Float32Array.from(row))),
  )
  const [p] = classifier.predictProba(flowers)
  t.ok(Math.abs(p.reduce((a, b) => a + b) - 1) < 1e-6)
  t.ok(Math.abs(classifier.predictLogProba(flowers)[0][0] - Math.log(p[0])) < 1e-5)
  t.equal(classifier.lossCurve.length, classifier.nIter)
  t.equal(classifier.loss, classifier.lossCurve.at(-1))
  t.equal(classifier.bestLoss, Math.min(...classifier.lossCurve))
  t.equal(classifier.t, 150 * classifier.nIter)
  t.same(
    classifier.coefs.map((w) => [w.length, w[0].length]),
    [
      [4, 100],
      [100, 3],
    ],
  )
  t.same(
    classifier.intercepts.map((b) => b.length),
    [100, 3],
  )
  const { nFeaturesIn, nOutputs, nLayers, outActivation } = classifier
  t.same([nFeaturesIn, nOutputs, nLayers, outActivation], [4, 3, 3, 'softmax'])
})

t.test('two classes, numbers in ascending order; booleans', async (t) => {
  const classifier = new MLPClassifier({ randomState: 2, solver: 'sgd', learningRateInit: 0.1 })
  await classifier.fit(X, [10, -2, -2, 10])
  t.same(classifier.classes, [-2, 10])
  t.equal(classifier.outActivation, 'logistic')
  t.same(classifier.predict(X), [10, -2, -2, 10])
  for (const [a, b] of classifier.predictProba(X)) t.ok(Math.abs(a + b - 1) < 1e-6)
  await classifier.fit(X, [true, false, false, true])
  t.same(classifier.predict(X), [true, false, false, true], 'a new fit learns new classes')
})

t.test('the seed decides everything', async (t) => {
  const coefs = async (params: Partial<MLPParameters>) => {
    const classifier = new MLPClassifier({ maxIter: 3, batchSize: 2, ...params })
    await classifier.fit(X, ['a', 'b', 'b', 'a'])
    return classifier.coefs
  }
  t.same(await coefs({ randomState: 3 }), await coefs({ randomState: 3 }))
  t.notSame(await coefs({ randomState: 3 }), await coefs({ randomState: 4 }))
  setSeed(5)
  const first = await coefs({})
  t.notSame(await coefs({}), first, 'drawn anew')
  setSeed(5)
  t.same(await coefs({}), first)
})

t.test('early stopping keeps the best weights, of each class its share', async (t) => {
  const data = digits()
  const rows = Array.from({ length: 500 }, (_, i) =>
    Float32Array.from(data.inputs.subarray(64 * i, 64 * i + 64), (pixel) => pixel * data.scale),
  )
  const labels = [...data.targets.subarray(0, 500)]
  const classifier = new MLPClassifier({ earlyStopping: true, randomState: 1, batchSize: 25 })
  await classifier.fit(rows, labels)
  const { validationScores, bestValidationScore, nIter, bestLoss } = classifier
  t.equal(validationScores!.length, nIter)
  t.equal(bestValidationScore, Math.max(...validationScores!))
  t.equal(bestLoss, undefined)
  t.ok(nIter < 200)
  t.equal(classifier.t, 450 * nIter)
  t.ok(classifier.score(rows, labels) > 0.9)
})

t.test('partialFit and warmStart go on', async (t) => {
  const y = ['a', 'b', 'b', 'a']
  const once = new MLPClassifier({ randomState: 1, batchSize: 2, shuffle: false, maxIter: 3 })
  await once.fit(X, y)
  const partial = new MLPClassifier({ randomState: 1, batchSize: 2, shuffle: false })
  await t.rejects(partial.partialFit(X, y), { message: /expected classes at the first call/ })
  for (let i = 0; i < 3; i++) await partial.partialFit(X, y, ['b', 'a'])
  t.same(partial.coefs, once.coefs, 'optimizer included')
  t.same(partial.lossCurve, once.lossCurve)
  await partial.partialFit([[2, 2]], ['a'])
  await t.rejects(partial.partialFit([[2, 2]], ['c']), {
    message: /expected the classes a, b, got c/,
  })
  await t.rejects(partial.partialFit(X, y, ['a', 'c']), { message: /classes of the first call/ })

  const warm = new MLPRegressor({ randomState: 1, maxIter: 2, warmStart: true })
  await warm.fit(X, [0, 1, 1, 0])
  await warm.fit(X, [0, 1, 1, 0])
  t.equal(warm.lossCurve.length, 4)
  t.equal(warm.nIter, 2)
  t.ok(warnings.some(({ name }) => name === 'ConvergenceWarning'))
})

t.test('a refused fit leaves the last one, and two at once are refused', async (t) => {
  const classifier = new MLPClassifier({ hiddenLayerSizes: [4], maxIter: 3, randomState: 1 })
  const [X, y] = [
    [[0], [1], [2], [3]],
    ['a', 'a', 'b', 'b'],
  ]
  await classifier.fit(X, y)
  const before = classifier.predictProba(X)
  await t.rejects(classifier.fit([[Number.NaN]], ['a']), { name: 'ArgumentError' })
  await t.rejects(classifier.fit([[0], [1]], ['c', 'c']), { name: 'ArgumentError' })
  t.strictSame(classifier.predictProba(X), before)
  t.strictSame(classifier.classes, ['a', 'b'])
  const first = classifier.fit(X, y)
  const message = /MLPClassifier: expected to be fitted once at a time; await fit first/
  await t.rejects(classifier.fit(X, y), { name: 'ArgumentError', message })
  await first
  t.strictSame(classifier.predictProba(X), before)
  const again = classifier.partialFit(X, y, ['b', 1 as never])
  await t.rejects(again, { name: 'ArgumentError' })
})

t.test('values, one or several', async (t) => {
  const inputs = Array.from({ length: 80 }, (_, i) => [i / 40 - 1])
  const y = inputs.map(([x]) => [Math.sin(3 * x), x * x])
  const regressor = new MLPRegressor({
    activation: 'tanh',
    randomState: 1,
    maxIter: 1000,
    nIterNoChange: 1000,
    tol: 0,
    learningRateInit: 0.01,
  })
  await regressor.fit(inputs, y)
  t.ok(regressor.score(inputs, y) > 0.98, `${regressor.score(inputs, y)}`)
  t.equal((regressor.predict(inputs) as number[][])[0].length, 2)
  await regressor.fit(
    inputs,
    Float32Array.from(y, ([first]) => first),
  )
  t.equal(typeof regressor.predict(inputs)[0], 'number')
  t.equal(regressor.score([[0], [1]], [5, 5]), 0, 'of a constant that is missed')
})

t.test('what cannot be is refused', async (t) => {
  const bad: [object, RegExp][] = [
    [{ solver: 'lbfgs' }, /solver to be one of sgd, adam, got 'lbfgs'/],
    [{ alpha: -1 }, /alpha to be a number >= 0, got -1/],
    [{ hiddenLayerSizes: [3, 0] }, /hiddenLayerSizes to be whole numbers >= 1, got \[3, 0\]/],
    [{ maxFun: 100 }, /got maxFun/],
    [{ learning_rate: 'constant' }, /unknown option learning_rate; did you mean learningRate\?/],
    [{ momentum: 1 }, /momentum to be a number from 0 to below 1/],
    [{ shuffle: 1 }, /shuffle to be true or false/],
    [{ validationFraction: '0.1' }, /validationFraction/],
    [{ randomState: -1 }, /randomState/],
  ]
  for (const [params, message] of bad) {
    t.throws(() => new MLPClassifier(params), { name: 'ArgumentError', message })
  }
  const fit = (X: unknown, y: unknown, params: Partial<MLPParameters> = {}) =>
    new MLPClassifier({ maxIter: 1, ...params }).fit(X as never, y as never)
  const labels = [0, 1, 1, 0]
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => fit([[1], [2, 3]], [0, 1]), /expected 1 values in every row/],
    [() => fit([[1], [Number.NaN]], [0, 1]), /X: expected finite numbers, got NaN in example 1/],
    [() => fit([['a'], ['b']], [0, 1]), /X: expected numbers, got string/],
    [() => fit([1, 2], [0, 1]), /expected X of shape \[examples, features\], got \[2\]/],
    [() => fit([], []), /expected at least one example/],
    [() => fit(X, [0, 1]), /a label for each of 4 examples, got 2/],
    [() => fit(X, [0, 0, 0, 0]), /at least 2 classes, got 0/],
    [() => fit(X, [0, 'a', 1, 1]), /all strings, numbers or booleans, got string at 1/],
    [() => fit(X, [[0], [1], [1], [0]]), /all strings, numbers or booleans, got object/],
    [() => fit(X, labels, { earlyStopping: true }), /sets aside at least 2 of 4/],
    [
      () => fit(X, labels, { solver: 'sgd', learningRateInit: 1e30, maxIter: 9 }),
      /^MLPClassifier: the training is no longer finite, .* in epoch \d, step 1 \(.*\); scale the features, or try a smaller learningRateInit \(it was 1e\+30\)$/,
    ],
    [
      () => new MLPClassifier().fit(X, labels, [1, 1, 1, 1] as never),
      /sample weights are not supported: .*, got object/,
    ],
    [
      () => new MLPClassifier({ earlyStopping: true }).partialFit(X, labels, labels),
      /earlyStopping/,
    ],
    [() => new MLPRegressor().fit(X, [[[1]], [[1]], [[1]], [[1]]]), /expected y of shape \[4\]/],
  ]
  for (const [run, message] of cases) await t.rejects(run(), { message }, `${message}`)
  const fitted = await fit(X, labels)
  t.throws(() => fitted.predict([[1, 2, 3]]), { message: /expected 2 features, got 3/ })
})

t.test(
  'a training that explodes in its last step is told, and its weights predict nothing',
  async (t) => {
    const X = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(i)])
    const y = X.map(([a]) => Number(a > 0))
    const explosive = {
      solver: 'sgd',
      learningRateInit: 1e38,
      maxIter: 1,
      randomState: 1,
      hiddenLayerSizes: [8],
    } as const
    for (const estimator of [new MLPRegressor(explosive), new MLPClassifier(explosive)]) {
      const name = estimator.constructor.name
      await t.rejects(estimator.fit(X, y) as Promise<unknown>, {
        name: 'DivergenceError',
        message: new RegExp(`^${name}: the training is no longer finite, .* in epoch 1, step 1 `),
      })
      t.throws(() => estimator.predict(X), {
        name: 'DivergenceError',
        message: new RegExp(`^${name}: expected finite outputs, got .*; its training diverged`),
      })
    }
    const classifier = new MLPClassifier(explosive)
    await t.rejects(classifier.fit(X, y))
    t.throws(() => classifier.predictProba(X), { name: 'DivergenceError' })
    t.throws(() => classifier.predictLogProba(X), { name: 'DivergenceError' })
  },
)

t.test('dispose gives the network back, the collector what its optimizer keeps', async (t) => {
  const run = async () => {
    const classifier = new MLPClassifier({ maxIter: 2, batchSize: 2 })
    await classifier.fit(X, ['a', 'b', 'c', 'a'])
    classifier.predictProba(X)
    const { buffers } = memory()
    classifier.dispose()
    t.equal(memory().buffers, buffers - 5, 'weights and biases of two layers, and a sum')
    t.throws(() => classifier.predict(X), { name: 'NotFittedError' })
  }
  await run()
  const before = await settledMemory()
  await run()
  t.strictSame(await settledMemory(), before)
})
