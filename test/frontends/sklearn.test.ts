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
  await t.rejects(classifier.fit([[0], [1]], ['c']), { name: 'ShapeError' })
  classifier.params.earlyStopping = true
  await t.rejects(classifier.fit(X, ['c', 'd', 'c', 'd']), { message: /sets aside at least 2/ })
  classifier.params.earlyStopping = false
  t.strictSame(classifier.predictProba(X), before)
  t.strictSame(classifier.classes, ['a', 'b'])
  const first = classifier.fit(X, y)
  const message = /^MLPClassifier: this model is being trained by fit\(\); await that first/
  const busy = { name: 'BusyError', message }
  await t.rejects(classifier.fit(X, y), busy)
  await t.rejects(classifier.partialFit(X, y, ['c', 'd']), busy)
  for (const use of ['predict', 'predictProba', 'predictLogProba'] as const) {
    t.throws(() => classifier[use](X), busy, use)
  }
  t.throws(() => classifier.score(X, y), busy)
  await first
  t.strictSame(classifier.predictProba(X), before)
  const again = classifier.partialFit(X, y, ['b', 1 as never])
  await t.rejects(again, { name: 'ArgumentError' })
})

t.test('a single class is learned, and always predicted', async (t) => {
  const classifier = new MLPClassifier({ maxIter: 2, randomState: 1 })
  await classifier.fit(X, [5, 5, 5, 5])
  t.strictSame(
    [classifier.classes, classifier.outActivation, classifier.nOutputs],
    [[5], 'logistic', 1],
  )
  t.strictSame(classifier.predict([[-9, 9], ...X]), [5, 5, 5, 5, 5])
  t.equal(classifier.score(X, [5, 5, 5, 6]), 0.75)
  await classifier.partialFit(X, [5, 5, 5, 5])
})

// The values and refusals of scikit-learn 1.9.1 for the same calls.
t.test('score counts labels that were not there in training as missed', async (t) => {
  const classifier = new MLPClassifier({ maxIter: 200, learningRateInit: 0.1, randomState: 1 })
  await classifier.fit(X, ['a', 'b', 'b', 'a'])
  t.strictSame(classifier.predict(X), ['a', 'b', 'b', 'a'])
  t.equal(classifier.score(X, ['a', 'c', 'b', 'a']), 0.75)
  t.equal(classifier.score(X, ['c', 'c', 'c', 'c']), 0)
  const kinds = /expected labels that are strings as in training, got 1/
  t.throws(() => classifier.score(X, [1, 2, 3, 4] as never), {
    name: 'ArgumentError',
    message: kinds,
  })
  t.throws(() => (classifier as MLPClassifier).score(X, [0.5, 1, 1, 1]), {
    message: /values are for/,
  })
  t.throws(() => classifier.score(X, undefined as never), { message: /expected y, / })
  const three = new MLPClassifier({ maxIter: 2, randomState: 1 })
  await three.fit(X, [0, 1, 2, 0])
  const right = three.score(X, [0, 1, 2, 0])
  t.equal(three.score([...X, [0, 0]], [0, 1, 2, 0, 7]), (4 * right) / 5)
})

t.test('a column of labels or values is read as one axis, and told of', async (t) => {
  const params = { maxIter: 2, randomState: 1 }
  const column = [[0], [1], [1], [0]]
  const flat = await new MLPClassifier(params).fit(X, [0, 1, 1, 0])
  const rows = [
    column,
    column.map((row) => Int32Array.from(row)),
    tensor(Int32Array.of(0, 1, 1, 0), [4, 1]),
  ]
  for (const y of rows) {
    warnings.length = 0
    const classifier = await new MLPClassifier<number>(params).fit(X, y)
    t.strictSame(classifier.classes, [0, 1])
    t.strictSame(classifier.coefs, flat.coefs)
    t.ok(warnings.some(({ name }) => name === 'DataConversionWarning'))
    warnings.length = 0
    t.equal(classifier.score(X, y), flat.score(X, [0, 1, 1, 0]))
    t.strictSame(warnings, [])
  }
  warnings.length = 0
  const regressor = await new MLPRegressor(params).fit(X, column)
  t.equal(regressor.nOutputs, 1)
  t.equal(typeof regressor.predict(X)[0], 'number')
  t.ok(warnings.some(({ name }) => name === 'DataConversionWarning'))
})

t.test('warmStart needs the classes of the last fit', async (t) => {
  const classifier = new MLPClassifier({ maxIter: 2, randomState: 1, warmStart: true })
  await classifier.fit(X, ['a', 'b', 'c', 'a'])
  const { coefs } = classifier
  await t.rejects(classifier.fit(X, ['a', 'b', 'b', 'a']), {
    name: 'ArgumentError',
    message: 'MLPClassifier: warmStart expected all the classes of the last fit, a, b, c, got a, b',
  })
  await t.rejects(classifier.fit(X, ['a', 'b', 'c', 'd']), { message: /classes a, b, c, got d/ })
  t.strictSame(classifier.coefs, coefs)
  await classifier.partialFit(X, ['a', 'b', 'b', 'a'])
})

t.test('params are checked when they are written, and count from the next fit on', async (t) => {
  const sizes = [3]
  const classifier = new MLPClassifier({ maxIter: 2, randomState: 1, hiddenLayerSizes: sizes })
  sizes[0] = -1
  t.strictSame(classifier.params.hiddenLayerSizes, [3])
  const { params } = classifier
  const refused: [() => unknown, RegExp][] = [
    [() => Object.assign(params, { momentum: 3 }), /momentum to be a number from 0 to 1, got 3/],
    [() => Object.assign(params, { maxIter: -1 }), /maxIter to be a whole number >= 1, got -1/],
    [
      () => Object.assign(params, { max_iter: 3 }),
      /unknown option max_iter; did you mean maxIter\?/,
    ],
    [() => Object.defineProperty(params, 'maxIter', { value: -1 }), /changed by assigning to them/],
    [() => delete (params as Partial<MLPParameters>).maxIter, /changed by assigning to them/],
  ]
  for (const [write, message] of refused) t.throws(write, { name: 'ArgumentError', message })
  t.throws(() => (params.hiddenLayerSizes as number[]).push(-1), TypeError)
  t.equal(params.maxIter, 2)
  await classifier.fit(X, [0, 1, 1, 0])
  params.maxIter = 3
  params.hiddenLayerSizes = [4]
  await classifier.fit(X, [0, 1, 1, 0])
  t.equal(classifier.nIter, 3)
  t.strictSame(classifier.coefs[0][0].length, 4)
  // The penalty, too, where the network stays.
  params.warmStart = true
  params.maxIter = 1
  const [first] = (await classifier.fit(X, [0, 1, 1, 0])).lossCurve.slice(-1)
  params.alpha = 1e3
  const [second] = (await classifier.fit(X, [0, 1, 1, 0])).lossCurve.slice(-1)
  t.ok(second > 10 * first, `${first}, ${second}`)
})

t.test('what goes on in another way than asked is told', async (t) => {
  warnings.length = 0
  const log: unknown[] = []
  const { log: print } = console
  console.log = (line) => log.push(line)
  const params = { maxIter: 1, verbose: 10, batchSize: 1000, randomState: 1 }
  const regressor = await new MLPRegressor(params).fit(X, [0, 1, 1, 0]).finally(() => {
    console.log = print
  })
  t.match(log, [/^Iteration 1, loss = /])
  t.ok(warnings.some(({ message }) => /batchSize 1000 is more than the 4 examples/.test(message)))
  t.ok(
    warnings.some(({ name }) => name === 'ConvergenceWarning'),
    'also after a single epoch',
  )
  await new Promise(setImmediate)
  warnings.length = 0
  t.ok(Number.isNaN(regressor.score([[0, 0]], [1])))
  await new Promise(setImmediate)
  t.match(warnings, [{ message: /the score R² is NaN for fewer than 2 examples/ }])
})

t.test('after a divergence scores are NaN, and nothing is predicted', async (t) => {
  const far = X.map((row) => row.map((x) => 1e20 * x))
  const params = { solver: 'sgd', learningRateInit: 1e20, randomState: 1, maxIter: 9 } as const
  for (const [model, y] of [
    [new MLPClassifier(params), ['a', 'b', 'b', 'a']],
    [new MLPRegressor(params), [0, 1, 1, 0]],
  ] as const) {
    await t.rejects(model.fit(far, y as never) as Promise<unknown>, { name: 'DivergenceError' })
    warnings.length = 0
    t.ok(Number.isNaN(model.score(far, y as never)))
    await new Promise(setImmediate)
    t.match(warnings, [
      { message: /the score is NaN, for the outputs are not finite; its training div/ },
    ])
    t.throws(() => model.predict(far), { name: 'DivergenceError' })
  }
  // Finite weights whose outputs overflow on the examples set aside.
  const many = Array.from({ length: 40 }, (_, i) => [i % 4 === 3 ? 3e38 : i])
  const early = new MLPRegressor({
    earlyStopping: true,
    maxIter: 2,
    randomState: 1,
    shuffle: false,
  })
  await t.rejects(
    early.fit(
      many,
      many.map(([x]) => +(x > 9)),
    ),
    { name: 'DivergenceError' },
  )
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
    [{ momentum: 1.1 }, /momentum to be a number from 0 to 1, got 1.1/],
    [{ verbose: -1 }, /verbose to be true, false or a whole number >= 0, got -1/],
    [{ verbose: 1.5 }, /verbose to be true/],
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
    [() => fit([[1], [2, 3]], [0, 1]), /of shape \[2, 1\], got 2 elements/],
    [() => fit([[1], [Number.NaN]], [0, 1]), /X: expected finite numbers, got NaN in example 1/],
    [() => fit([['a'], ['b']], [0, 1]), /X: expected numbers, got 'a' at \[0, 0\]/],
    [() => fit([1, 2], [0, 1]), /expected X of shape \[examples, features\], got \[2\]/],
    [() => fit([], []), /expected at least one example/],
    [() => fit(X, [0, 1]), /a label for each of 4 examples, got 2/],
    [
      () => fit(X, undefined),
      /^MLPClassifier: expected y, an array with a label or value .*, got undefined/,
    ],
    [() => fit(X, null), /expected y, .*, got null/],
    [() => fit(X, 'abab'), /expected y, .*, got 'abab'/],
    [() => new MLPRegressor().fit(X, undefined as never), /^MLPRegressor: expected y, /],
    [() => fit(X, [0, 'a', 1, 1]), /all strings, whole numbers or booleans, got 'a' at 1/],
    [
      () => fit(X, [0.5, 1.5, 1.5, 0.5]),
      /whole numbers .*got 0.5 at 0; values are for MLPRegressor/,
    ],
    [() => fit(X, [0, Number.NaN, 1, 1]), /got NaN at 1/],
    [() => fit(X, [0, Infinity, 1, 1]), /got Infinity at 1/],
    [() => fit(X, [null, 1, 1, null]), /got null at 0/],
    [() => fit(X, [undefined, undefined, undefined, undefined]), /got undefined at 0/],
    [() => fit(X, [1n, 2n, 1n, 2n]), /got 1n at 0/],
    [() => fit(X, [{}, {}, {}, {}]), /got \{\} at 0/],
    [
      () =>
        fit(X, [
          [1, 0],
          [0, 1],
          [1, 0],
          [0, 1],
        ]),
      /got \[1, 0\] at 0/,
    ],
    [
      () => fit(X, tensor(Int32Array.of(1, 0, 0, 1), [2, 2])),
      /expected labels \[examples\], got \[2, 2\]/,
    ],
    [() => fit(X, labels, { earlyStopping: true }), /sets aside at least 2 of 4/],
    [
      () => fit(X, labels, { solver: 'sgd', learningRateInit: 1e30, maxIter: 9 }),
      /^MLPClassifier: the training is no longer finite, .* in epoch \d, step 1 \(.*\); scale the features, or try a smaller learningRateInit \(it was 1e\+30\)$/,
    ],
    [
      () => new MLPClassifier().fit(X, labels, [1, 1, 1, 1] as never),
      /sample weights are not supported: .*, got \[1, 1, 1, 1\]/,
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

t.test('a network whose first layer is frozen', async (t) => {
  const labels = [0, 1, 1, 0]
  const classifier = new MLPClassifier({ hiddenLayerSizes: [3] })
  await classifier.partialFit(X, labels, labels)
  const [frozen] = classifier.model.parameters()
  frozen.requiresGrad = false
  const before = classifier.coefs
  await classifier.partialFit(X, labels)
  t.strictSame(classifier.coefs[0], before[0])
  t.notSame(classifier.coefs[1], before[1])
  classifier.dispose()
})

t.test('dispose gives back the network and what its optimizer keeps', async (t) => {
  const run = async () => {
    const classifier = new MLPClassifier({ maxIter: 2, batchSize: 2 })
    await classifier.fit(X, ['a', 'b', 'c', 'a'])
    classifier.predictProba(X)
    const { buffers } = memory()
    classifier.dispose()
    // Two moments for each of 2 weights and 2 biases, and settings for those.
    const kept = 8 + 2
    t.equal(memory().buffers, buffers - 5 - kept, 'also weights, biases and a sum')
    t.throws(() => classifier.predict(X), { name: 'NotFittedError' })
  }
  await run()
  const before = await settledMemory()
  await run()
  t.strictSame(await settledMemory(), before)
})
