/** `neuroblas/keras`: the names and habits of Keras, held against the library's own ways. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  type CallbackLike,
  type CompileOptions,
  callbacks,
  type DenseOptions,
  type Logs,
  layers,
  losses,
  optimizers,
  Sequential,
} from '../../lib/frontends/keras/index.js'
import {
  Accuracy,
  digits,
  evaluate,
  fit,
  type Linear,
  l2,
  Monitor,
  memory,
  mlp,
  Sequential as Plain,
  Precision,
  Recall,
  RocAuc,
  SGD,
  Sigmoid,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  tensor,
} from '../../lib/index.js'
import { settledMemory, warningsOf } from '../support/engine.js'

const data = digits()
const count = 300
const x = Array.from({ length: count }, (_, i) =>
  Float32Array.from(data.inputs.subarray(64 * i, 64 * i + 64), (pixel) => pixel * data.scale),
)
const y = [...data.targets.subarray(0, count)]
const oneHot = y.map((label) => Array.from({ length: 10 }, (_, k) => +(k === label)))
const subset = {
  ...data,
  size: count,
  inputs: data.inputs.subarray(0, 64 * count),
  targets: data.targets.subarray(0, count),
}

const small = (...rest: DenseOptions[]) =>
  new Sequential([
    new layers.Dense({ units: 20, activation: 'relu', inputShape: [64] }),
    ...rest.map((options) => new layers.Dense(options)),
  ])
const quiet = { verbose: 0 } as const

for (const backend of ['native', 'js'] as const) {
  t.test(`${backend}: the same numbers as fit gives`, async (t) => {
    setBackend(backend)
    t.teardown(() => setBackend('native'))
    setSeed(1)
    const model = small({ units: 10, activation: 'softmax', kernelRegularizer: l2(0.01) })
    const optimizer = new optimizers.SGD({ learningRate: 0.1, momentum: 0.9 })
    model.compile({ optimizer, loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] })
    const { history, epoch } = await model.fit(x, y, {
      ...quiet,
      epochs: 3,
      validationData: [x, y],
    })

    setSeed(1)
    const plain = mlp([64, 20, 10])
    const [hidden, , last] = plain.layers as Linear[]
    const groups = [
      { parameters: hidden.parameters() },
      { parameters: last.parameters(), regularizer: l2(0.01) },
    ]
    const sgd = new SGD(groups, { lr: 0.1, momentum: 0.9 })
    const loss = softmaxCrossEntropy
    const expected = await fit(plain, subset, {
      loss,
      optimizer: sgd,
      epochs: 3,
      validation: subset,
    })
    t.same(model.module.stateDict(), plain.stateDict())
    t.same(epoch, [0, 1, 2])
    // The penalty of each batch before its step, not the last one's.
    for (const [i, { loss, totalLoss }] of expected.epochs.entries()) {
      t.ok(history.loss[i] > loss && history.loss[i] !== totalLoss)
    }
    t.same(
      history.val_accuracy,
      expected.epochs.map(({ validationAccuracy }) => validationAccuracy),
    )
    for (const [
      i,
      { validationLoss: validationRisk, regularizationLoss: penalty },
    ] of expected.epochs.entries()) {
      t.equal(history.val_loss[i], validationRisk! + penalty)
    }
    // Each batch before its step: worse than after the epoch, and growing.
    t.ok(history.accuracy[0] < history.val_accuracy[0])
    t.ok(history.accuracy[2] > history.accuracy[0])
    t.same(await model.evaluate(x, y), {
      loss: history.val_loss[2],
      accuracy: (await evaluate(plain, subset, { loss })).accuracy,
    })
  })
}

t.test('predict activates what training does not', async (t) => {
  const model = small({ units: 10, activation: 'softmax' })
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['acc', 'mse'] })
  const { history } = await model.fit(x, oneHot, { ...quiet, epochs: 80 })
  t.same(Object.keys(history), ['loss', 'acc', 'mse'])
  t.ok(history.acc.at(-1)! > 0.9)
  t.ok(history.mse.at(-1)! < 0.03, 'of probabilities, not of logits')
  const p = model.predict(tensor(x.map((row) => [...row])))
  t.same(p.shape, [count, 10])
  for (const row of p.toArray() as number[][]) {
    t.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-5)
  }
  const hits = [...p.argmax(-1).data()].filter((label, i) => label === y[i]).length
  const { acc } = await model.evaluate(x, oneHot)
  t.ok(Math.abs(acc - hits / count) < 1e-6)
})

t.test('predict leaves the training as it was', async (t) => {
  const train = async (asking: boolean) => {
    setSeed(1)
    const model = new Sequential([
      new layers.Dense({ units: 20, activation: 'relu', inputShape: [64] }),
      new layers.Dropout({ rate: 0.5 }),
      new layers.Dense({ units: 10, activation: 'softmax' }),
    ])
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    const onTrainBatchEnd = () => {
      if (asking) model.predict(x.slice(0, 2))
    }
    const options = { ...quiet, epochs: 2, callbacks: [{ onTrainBatchEnd }] }
    return (await model.fit(x, y, options)).history.loss
  }
  t.strictSame(await train(true), await train(false))
  const model = small()
  for (const batchSize of [0, -1, 1.5, Number.NaN]) {
    const message = `predict: expected batchSize >= 1, got ${batchSize}`
    t.throws(() => model.predict(x, { batchSize }), { name: 'ArgumentError', message })
  }
})

t.test('every loss learns its task', async (t) => {
  const inputs = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  const positive = inputs.map(([a, b]) => +(a + b > 0))
  const cases: [
    CompileOptions['loss'],
    'sigmoid' | 'linear',
    number[] | number[][],
    CompileOptions['metrics'] & {},
  ][] = [
    ['binaryCrossentropy', 'sigmoid', positive, ['accuracy']],
    ['binary_crossentropy', 'sigmoid', positive.map((value) => [value]), ['accuracy']],
    [new losses.BinaryCrossentropy({ fromLogits: true }), 'linear', positive, ['accuracy']],
    ['mse', 'sigmoid', positive, ['accuracy', 'mae']],
    ['mae', 'linear', inputs.map(([a]) => 2 * a), []],
    ['huber', 'linear', inputs.map(([a]) => 2 * a), []],
    ['hinge', 'linear', positive.map((value) => 2 * value - 1), []],
  ]
  for (const [loss, activation, targets, metrics] of cases) {
    setSeed(1)
    const model = new Sequential()
    model.add(new layers.Dense({ units: 8, activation: 'tanh' }))
    model.add(new layers.Dense({ units: 1, activation }))
    const adam = new optimizers.Adam({ learningRate: 0.02 })
    model.compile({ optimizer: adam, loss, metrics })
    const { history } = await model.fit(inputs, targets, { ...quiet, epochs: 80 })
    t.ok(
      history.loss.at(-1)! < history.loss[0] / 3,
      `${JSON.stringify(loss)}: ${history.loss.at(-1)}`,
    )
    if (metrics.includes('accuracy'))
      t.ok(history.accuracy.at(-1)! > 0.9, `${JSON.stringify(loss)}`)
    if (metrics.includes('mae')) t.ok(history.mae.at(-1)! < 0.3)
  }
})

t.test('validationSplit takes the last examples', async (t) => {
  const model = small({ units: 10, activation: 'softmax' })
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
  const { history } = await model.fit(x, y, { ...quiet, validationSplit: 0.2 })
  const { loss } = await model.evaluate(x.slice(240), y.slice(240))
  t.equal(history.val_loss[0], loss)
})

t.test('callbacks: order, stopping, schedules', async (t) => {
  const model = small({ units: 10, activation: 'softmax' })
  const compile = () =>
    model.compile({
      optimizer: 'adam',
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    })
  compile()
  const calls: string[] = []
  const note: CallbackLike = {
    onTrainBegin: () => void calls.push('begin'),
    onEpochBegin: async (epoch) => void calls.push(`epoch ${epoch}`),
    onTrainBatchEnd: (batch, { loss }) => void calls.push(`batch ${batch}${loss > 0 ? '' : '?'}`),
    onEpochEnd: (epoch, { loss, accuracy }) => {
      calls.push(`${epoch} ended${loss > 0 && accuracy >= 0 ? '' : '?'}`)
      if (epoch === 1) model.stopTraining = true
    },
    onTrainEnd: () => void calls.push('end'),
  }
  const { epoch } = await model.fit(x, y, {
    ...quiet,
    epochs: 9,
    batchSize: 150,
    callbacks: [note],
  })
  t.same(epoch, [0, 1])
  const each = ['batch 0', 'batch 1']
  t.same(calls, ['begin', 'epoch 0', ...each, '0 ended', 'epoch 1', ...each, '1 ended', 'end'])

  const rates: number[] = []
  const watch: CallbackLike = { onEpochBegin: () => void rates.push(model.optimizer.learningRate) }
  const halve = new callbacks.LearningRateScheduler((epoch, lr) => (epoch > 0 ? lr / 2 : lr))
  await model.fit(x, y, { ...quiet, epochs: 3, callbacks: [halve, watch] })
  t.same(rates, [0.001, 0.0005, 0.00025])

  // A figure that gets worse from its third epoch on.
  const figures = [5, 3, 4, 4, 4, 4, 4, 4]
  const fake: CallbackLike = { onEpochEnd: (epoch, logs) => void (logs.fake = figures[epoch]) }
  const states: unknown[] = []
  const keep: CallbackLike = { onEpochEnd: () => void states.push(model.module.stateDict()) }
  const stop = new callbacks.EarlyStopping({
    monitor: 'fake',
    patience: 2,
    restoreBestWeights: true,
  })
  const stopped = await model.fit(x, y, { ...quiet, epochs: 8, callbacks: [fake, keep, stop] })
  t.equal(stopped.epoch.length, 4)
  t.equal(stop.stoppedEpoch, 3)
  t.same(model.module.stateDict(), states[1])

  compile()
  rates.length = 0
  const plateau = new callbacks.ReduceLROnPlateau({
    monitor: 'fake',
    factor: 0.5,
    patience: 2,
    minLr: 4e-4,
  })
  await model.fit(x, y, { ...quiet, epochs: 8, callbacks: [fake, plateau, watch] })
  t.same(rates, [0.001, 0.001, 0.001, 0.001, 0.0005, 0.0005, 0.0004, 0.0004])
})

t.test('a training that throws is ended, too', async (t) => {
  const model = small({ units: 10, activation: 'softmax' })
  const optimizer = new optimizers.SGD({ learningRate: 0.1 })
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  t.equal(model.history, undefined)
  const states: unknown[] = []
  const ended: unknown[] = []
  const fails: CallbackLike = {
    onTrainEnd: () => {
      throw new Error('mine')
    },
  }
  const watch: CallbackLike = {
    onEpochEnd: (epoch) => {
      states.push(model.module.stateDict())
      if (epoch === 2) optimizer.learningRate = 1e38
    },
    onTrainEnd: ({ loss }) => void ended.push(loss),
  }
  const stop = new callbacks.EarlyStopping({ patience: 9, restoreBestWeights: true })
  const warnings = await warningsOf(() =>
    t.rejects(
      model.fit(x, y, {
        ...quiet,
        epochs: 6,
        validationData: [x, y],
        callbacks: [fails, watch, stop],
      }),
      {
        name: 'DivergenceError',
        message: /^fit: .* in epoch 4, step \d+ \(.*lr \(it was 1e\+38\)/,
      },
    ),
  )
  t.same(warnings, ['onTrainEnd: mine'])
  t.same(model.history!.epoch, [0, 1, 2])
  const { loss, val_loss } = model.history!.history
  t.equal(loss.length, 3)
  t.ok(val_loss[2] < val_loss[1] && val_loss[1] < val_loss[0])
  t.same(ended, [loss[2]], 'onTrainEnd has the last figures')
  t.same(model.module.stateDict(), states[2], 'the weights of the best epoch')
})

t.test('figures that decide are finite', async (t) => {
  const model = small({ units: 10, activation: 'softmax' })
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  const options = { ...quiet, epochs: 2 }
  const spoil: CallbackLike = { onEpochEnd: (_, logs) => void (logs.mine = Number.NaN) }
  const { EarlyStopping, ModelCheckpoint, ReduceLROnPlateau } = callbacks
  const monitor = 'mine'
  for (const callback of [
    new EarlyStopping({ monitor }),
    new ReduceLROnPlateau({ monitor }),
    new ModelCheckpoint(`${t.testdir()}/file.safetensors`, { monitor, saveBestOnly: true }),
  ]) {
    await t.rejects(model.fit(x, y, { ...options, callbacks: [spoil, callback] }), {
      name: 'DivergenceError',
      message: `${callback.constructor.name}: expected a finite mine, got NaN`,
    })
  }
  const [weight] = model.module.parameters()
  weight.assign(new Float32Array(weight.size).fill(Number.NaN))
  await t.rejects(model.evaluate(x, y), { name: 'DivergenceError', message: /NaN in layers\.0/ })
})

t.test('metrics are those of the epoch, however large the weights', async (t) => {
  const model = new Sequential([
    new layers.Dense({ units: 4, activation: 'relu', inputShape: [64] }),
    new layers.Dense({ units: 10, activation: 'softmax' }),
  ])
  const optimizer = new optimizers.SGD({ learningRate: 0 })
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  // A dead layer of weights that call for a look at the loss after the epoch.
  const [weight, bias] = model.module.parameters()
  weight.assign(new Float32Array(weight.size).fill(-1e20))
  bias.assign([0, 0, 0, 0])
  const { history } = await model.fit(x, y, { ...quiet, epochs: 1 })
  // Of equal outputs the first is the largest.
  t.equal(history.accuracy[0], y.filter((label) => label === 0).length / count)
})

t.test('ModelCheckpoint writes what loadWeights reads', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keras-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const model = small({ units: 10, activation: 'softmax' })
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  const every = new callbacks.ModelCheckpoint(
    join(folder, 'e{epoch:02d}-{accuracy:.1f}.safetensors'),
  )
  const best = new callbacks.ModelCheckpoint(join(folder, 'best'), {
    monitor: 'accuracy',
    saveBestOnly: true,
  })
  const { history } = await model.fit(x, y, { ...quiet, epochs: 2, callbacks: [every, best] })
  const names = history.accuracy.map((value, i) => `e0${i + 1}-${value.toFixed(1)}.safetensors`)
  t.same(readdirSync(folder).sort(), ['best', ...names])
  const other = small({ units: 10, activation: 'softmax' })
  other.loadWeights(join(folder, names[1]))
  t.same(other.predict(x).data(), model.predict(x).data())
  other.saveWeights(join(folder, 'again'))
  const turned = () => other.loadWeights(join(folder, 'again'), { layout: 'outputInput' })
  t.throws(turned, { name: 'ArgumentError', message: /expected layout inputOutput, as .* says/ })
  t.ok(existsSync(join(folder, 'again')))
  for (const name of ['model.weights.h5', 'model.keras', 'model.CKPT', 'model.hdf5']) {
    const path = join(folder, name)
    const message = /expected the path of a \.safetensors file.*, got .*model\./
    t.throws(() => other.saveWeights(path), { name: 'ArgumentError', message })
    t.throws(() => other.loadWeights(path), { name: 'ArgumentError', message })
    t.throws(() => new callbacks.ModelCheckpoint(path), { name: 'ArgumentError', message })
    t.notOk(existsSync(path))
  }
  const nowhere = new callbacks.ModelCheckpoint(join(folder, 'none', '{epoch}'))
  let epochs = 0
  const training = model.fit(x, y, {
    ...quiet,
    epochs: 2,
    callbacks: [nowhere, { onEpochBegin: () => void epochs++ }],
  })
  await t.rejects(training, { name: 'ArgumentError', message: /got no folder .*none$/ })
  t.equal(epochs, 0, 'before the first epoch')
})

t.test('each fit draws a new order, which setSeed repeats', async (t) => {
  const losses = async (seed?: number) => {
    setSeed(6)
    const model = small({ units: 10, activation: 'softmax' })
    model.compile({ optimizer: new optimizers.SGD({ learningRate: 0 }), loss: 'mse' })
    const options = { ...quiet, batchSize: 299, seed }
    // With a rate of 0 only the sum's order changes: the last example goes alone.
    const seen: number[] = []
    const callbacks = [{ onTrainBatchEnd: (_: number, { loss }: Logs) => void seen.push(loss) }]
    for (let i = 0; i < 3; i++) await model.fit(x, oneHot, { ...options, callbacks })
    return seen.filter((_, i) => i % 2 === 0)
  }
  const first = await losses()
  t.equal(new Set(first).size, 3)
  t.strictSame(await losses(), first)
  t.equal(new Set(await losses(4)).size, 1, 'but the same for the same seed')
})

t.test(
  'normal weights are cut off at two standard deviations, with the variance of their names',
  async (t) => {
    // Keras 3.15.1: keras.initializers.get(name)((400, 300)) has the standard deviation and the largest value
    // in proportion to it of 0.0707 and 2.27, 0.0534 and 2.28, 0.0499 and 2.28.
    const variances = { heNormal: 2 / 400, glorotNormal: 2 / 700, lecunNormal: 1 / 400 } as const
    for (const [name, variance] of Object.entries(variances)) {
      setSeed(1)
      const kernelInitializer = name as keyof typeof variances
      const model = new Sequential([
        new layers.Dense({ units: 300, inputShape: [400], kernelInitializer }),
      ])
      const values = model.module.parameters()[0].data()
      const std = Math.sqrt(values.reduce((sum, w) => sum + w * w, 0) / values.length)
      const most = values.reduce((a, w) => Math.max(a, Math.abs(w)), 0)
      t.ok(Math.abs(std / Math.sqrt(variance) - 1) < 0.01, `${name}: ${std}`)
      t.ok(most <= (2 / 0.8796256) * Math.sqrt(variance) && most > 2.2 * std, `${name}: ${most}`)
    }
  },
)

t.test('summary, flatten, dropout, activation layers', async (t) => {
  const model = new Sequential([
    new layers.Flatten({ inputShape: [8, 8] }),
    new layers.Dense({ units: 20, useBias: false, kernelInitializer: 'he_normal' }),
    new layers.Activation('sigmoid'),
    new layers.Dropout({ rate: 0.5 }),
    new layers.Dense({ units: 10, name: 'logits', trainable: false }),
    new layers.Activation('softmax'),
  ])
  const lines: string[] = []
  model.summary((line) => lines.push(...line.split('\n')))
  t.same(
    lines.map((line) => line.trim().split(/\s{2,}/)).filter(([first]) => !/^-/.test(first)),
    [
      ['Layer (type)', 'Output shape', 'Params'],
      ['Flatten', '(null, 64)', '0'],
      ['Dense', '(null, 20)', '1,280'],
      ['Activation', '(null, 20)', '0'],
      ['Dropout', '(null, 20)', '0'],
      ['logits (Dense)', '(null, 10)', '210'],
      ['Activation', '(null, 10)', '0'],
      ['Total params: 1,490'],
      ['Trainable params: 1,280'],
      ['Non-trainable params: 210'],
    ],
  )
  t.equal(model.countParams(), 1490)
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
  const images = x.map((row) => Array.from({ length: 8 }, (_, i) => row.subarray(8 * i, 8 * i + 8)))
  const monitor = new Monitor({ every: 5 })
  const { history } = await model.fit(images, y, { ...quiet, epochs: 5, monitor })
  t.ok(history.loss[4] < history.loss[0])
  t.ok(monitor.series('saturatedShare').length > 0)
  t.same(model.predict(images).data(), model.predict(images).data(), 'nothing is dropped')
})

t.test('types know the names', async (t) => {
  const dense: layers.Dense = new layers.Dense({ units: 1, kernelInitializer: 'glorot_uniform' })
  const adam: optimizers.Adam = new optimizers.Adam()
  const loss: losses.Loss = new losses.BinaryCrossentropy({ fromLogits: true })
  const known: CompileOptions[] = [
    { optimizer: 'adam', loss: 'mean_squared_error', metrics: ['mean_absolute_error', 'acc'] },
    { optimizer: adam, loss },
  ]
  for (const options of known) new Sequential([dense]).compile(options)
  const unknown = [
    // @ts-expect-error: the name is mistyped
    (): CompileOptions => ({ optimizer: 'adamm', loss: 'mse' }),
    // @ts-expect-error: the name is mistyped
    (): CompileOptions => ({ optimizer: 'adam', loss: 'msee' }),
    // @ts-expect-error: the name is mistyped
    (): CompileOptions => ({ optimizer: 'adam', loss: 'mse', metrics: ['accurracy'] }),
  ]
  for (const options of unknown) {
    t.throws(() => new Sequential([dense]).compile(options()), { name: 'ArgumentError' })
  }
})

t.test('what cannot be is refused', async (t) => {
  const compiled = () => {
    const model = small({ units: 10, activation: 'softmax' })
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    return model
  }
  const compile = (activation: 'softmax' | 'linear', options: object) => () =>
    small({ units: 10, activation }).compile({ optimizer: 'sgd', loss: 'mse', ...options } as never)
  const sync: [() => unknown, RegExp][] = [
    [() => new layers.Dense({ units: 0 }), /expected units >= 1/],
    [
      () => new layers.Dense({ units: 1, activation: 'glu' as never }),
      /activation: expected one of/,
    ],
    [() => new layers.Dense({ units: 1, biasRegularizer: 'l2' } as never), /got biasRegularizer/],
    [
      () => small({ units: 1, kernelInitializer: 'ones' as never }).countParams(),
      /kernelInitializer: expected/,
    ],
    [() => new layers.Dropout({ rate: 1 }), /Dropout: expected a rate from 0 to below 1, got 1/],
    [() => new layers.Dropout({} as never), /a rate from 0 to below 1, got undefined/],
    [() => new layers.Dropout(0.1 as never), /Dropout: expected one object .*rate.*, got 0\.1/],
    [() => new layers.Dense(3 as never), /Dense: expected one object .*units.*, got 3/],
    [() => new (layers.Dense as never as { new (): unknown })(), /got undefined/],
    [() => new layers.Flatten([8, 8] as never), /Flatten: expected one object .*, got an array/],
    [() => new layers.Activation('relu', 'hidden' as never), /one object .*, got hidden/],
    [() => new Sequential([layers.Flatten as never]), /expected a layer.*, got \[class Flatten/],
    [() => new optimizers.SGD(0.1 as never), /SGD: expected one object .*, got 0\.1/],
    [() => new optimizers.Adam(null as never), /Adam: expected one object .*, got null/],
    [() => new callbacks.EarlyStopping(3 as never), /EarlyStopping: expected one object.*, got 3/],
    [() => new callbacks.ReduceLROnPlateau('loss' as never), /expected one object .*, got loss/],
    [() => new callbacks.LearningRateScheduler(0.1 as never), /expected a function.*, got 0.1/],
    [() => new callbacks.ModelCheckpoint({} as never), /expected the path of a \.safetensors/],
    [() => new losses.BinaryCrossentropy(true as never), /one object of options .*, got true/],
    [
      () => new losses.BinaryCrossentropy({ from_logits: true } as never),
      /unknown option from_logits; did you mean fromLogits\?/,
    ],
    [
      () => new layers.Dense({ units: 1, input_shape: [1] } as never),
      /Dense: unknown option input_shape; did you mean inputShape\?/,
    ],
    [() => new layers.Dense({ unit: 1 } as never), /unknown option unit; did you mean units\?/],
    [() => new Sequential().countParams(), /countParams: expected layers, got none/],
    [
      () => new Sequential([new layers.Dense({ units: 1 })]).countParams(),
      /expected an inputShape/,
    ],
    [compile('softmax', { loss: 'logCosh' }), /loss: expected one of/],
    [compile('softmax', { optimizer: 'ftrl' }), /optimizer: expected one of sgd, rmsprop, adam/],
    [compile('softmax', { metrics: ['cosine'] }), /metrics: expected one of accuracy/],
    [compile('softmax', { runEagerly: true }), /got runEagerly/],
    [() => new optimizers.SGD({ learningRate: -1 }), /learningRate >= 0/],
    [() => new optimizers.SGD({ clipnorm: 1 } as never), /got clipnorm/],
    [() => small().predict([[1, 2]]), /expected x of shape \[examples, 64\], got \[1, 2\]/],
    [() => new callbacks.EarlyStopping({ baseline: 1 } as never), /got baseline/],
    [() => new callbacks.EarlyStopping({ patience: Number.NaN }), /patience >= 0, got NaN/],
    [() => new callbacks.ReduceLROnPlateau({ factor: 2 }), /a factor between 0 and 1/],
  ]
  for (const [run, message] of sync) t.throws(run, { message }, `${message}`)
  const wrong = new callbacks.EarlyStopping()
  const fitAs = (activation: 'softmax' | 'linear', loss: CompileOptions['loss']) => {
    const model = small({ units: 10, activation })
    model.compile({ optimizer: 'sgd', loss })
    return model.fit(x, y, quiet)
  }
  const async: [() => Promise<unknown>, RegExp][] = [
    [() => small().fit(x, y), /expected a compiled model/],
    [() => small().evaluate(x, y), /expected a compiled model/],
    [
      () => compiled().fit(x, undefined as never, quiet),
      /fit: y: expected arrays .*, got undefined/,
    ],
    [
      () => fitAs('linear', 'sparseCategoricalCrossentropy'),
      /^fit: expected a last layer with softmax for .* fromLogits: true }, got linear/,
    ],
    [
      () => fitAs('softmax', new losses.CategoricalCrossentropy({ fromLogits: true })),
      /^fit: expected a last layer without activation for categorical.*, got softmax/,
    ],
    [
      () => compiled().fit(x, y, { classWeight: {} } as never),
      /fit: expected options among epochs, .*, monitor, got classWeight/,
    ],
    [
      () => compiled().fit(x, y, { batch_size: 8 } as never),
      /fit: unknown option batch_size; did you mean batchSize\?/,
    ],
    [() => compiled().fit(x, y, 5 as never), /fit: expected one object of options .*, got 5/],
    [() => compiled().fit(x, y.slice(1), quiet), /expected y of shape \[300\], got \[299\]/],
    [() => compiled().fit(x, oneHot, quiet), /expected y of shape \[300\], got \[300, 10\]/],
    [
      () =>
        compiled().fit(
          x,
          y.map((label) => label + 0.5),
          quiet,
        ),
      /expected class labels in y, got/,
    ],
    [
      () =>
        compiled().fit(
          x,
          y.map((label) => label + 5),
          quiet,
        ),
      /labels in 0..9/,
    ],
    [() => compiled().fit(x, y, { ...quiet, validationSplit: 1 }), /validationSplit/],
    [
      () => compiled().fit(x, y, { ...quiet, callbacks: [wrong] }),
      /monitor to be one of loss, got val_loss/,
    ],
  ]
  for (const [run, message] of async) await t.rejects(run(), { message }, `${message}`)
  const built = compiled()
  await built.fit(x, y, quiet)
  built.add(new layers.Activation('linear'))
  await t.rejects(built.fit(x, y, quiet), { message: /expected a compiled model/ })
})

t.test('layers that are not trainable', async (t) => {
  const frozen = new layers.Dense({
    units: 20,
    activation: 'relu',
    inputShape: [64],
    kernelRegularizer: l2(1),
    trainable: false,
  })
  const head = new layers.Dense({ units: 10, activation: 'softmax' })
  const model = new Sequential([frozen, head])
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
  const steps: (() => void)[] = [
    () => {},
    () => {
      frozen.trainable = true
    },
    () => {
      head.trainable = false
    },
  ]
  const moved: boolean[][] = []
  let before: Float32Array[] | undefined
  const read = () => model.module.parameters().map((parameter) => parameter.data())
  const onEpochEnd = (epoch: number) => {
    const now = read()
    if (before) moved.push([0, 2].map((i) => `${now[i]}` !== `${before![i]}`))
    before = now
    steps[epoch]?.()
  }
  const { history } = await model.fit(x, y, { ...quiet, epochs: 4, callbacks: [{ onEpochEnd }] })
  // [first layer, second layer] in the epochs from the second on.
  t.strictSame(moved, [
    [false, true],
    [true, true],
    [true, false],
  ])
  // As Keras has it, which sums the penalties of trainable weights: that of these is above 10.
  t.ok(history.loss[0] < 4 && history.loss[2] > 10, `${history.loss}`)
  t.equal(model.trainable, true)
  model.trainable = false
  t.strictSame([frozen.trainable, head.trainable, model.trainable], [false, false, false])
  await t.rejects(model.fit(x, y, quiet), { name: 'ArgumentError', message: /requiresGrad false/ })
  t.throws(() => Object.assign(head, { trainable: 'no' }), {
    message: 'trainable: expected true or false, got no',
  })
  t.throws(() => Object.assign(head, { trainable: Object.create(null) }), { name: 'ArgumentError' })
})

t.test('an activation that the loss computes itself', async (t) => {
  const model = new Sequential([
    new layers.Dense({ units: 10, activation: 'softmax', inputShape: [64] }),
    new layers.Activation('softmax'),
  ])
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
  await t.rejects(model.fit(x, y, quiet), {
    name: 'ArgumentError',
    message: /: expected .*logits, got .*oftmax.*; leave it out$/,
  })
})

t.test('dispose gives back the network and what its optimizer keeps', async (t) => {
  const run = async () => {
    const model = small({ units: 10, activation: 'softmax' })
    model.compile({
      optimizer: 'adam',
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    })
    await model.fit(x, y, { ...quiet, validationSplit: 0.1 })
    const { buffers } = memory()
    model.dispose()
    // Two moments for each of 2 weights and 2 biases, and settings for those of two layers.
    const kept = 8 + 4
    t.equal(
      memory().buffers,
      buffers - 6 - kept,
      'also weights, biases and the sums of training and evaluation',
    )
  }
  await run()
  const before = await settledMemory()
  await run()
  t.strictSame(await settledMemory(), before)
})

t.test('a sigmoid layer that is not the last is a layer like any other', async (t) => {
  const model = new Sequential([
    new layers.Dense({ units: 2, activation: 'sigmoid', inputShape: [1] }),
  ])
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const [linear] = model.module.layers as [Linear]
  const plain = new Plain(linear, new Sigmoid())
  t.same(model.predict([[1], [2]]).data(), plain.forward(tensor([[1], [2]])).data())
})

t.test('SparseCategoricalCrossentropy is the loss of its name, also from logits', async (t) => {
  const train = async (activation: 'softmax' | 'linear', loss: CompileOptions['loss']) => {
    setSeed(1)
    const model = small({ units: 10, activation })
    model.compile({ optimizer: 'sgd', loss })
    return (await model.fit(x, y, { ...quiet, epochs: 2 })).history.loss
  }
  const expected = await train('softmax', 'sparse_categorical_crossentropy')
  const { SparseCategoricalCrossentropy } = losses
  t.same(await train('softmax', new SparseCategoricalCrossentropy()), expected)
  const fromLogits = new SparseCategoricalCrossentropy({ fromLogits: true })
  t.same(await train('linear', fromLogits), expected)
  t.ok(expected[1] < expected[0])
})

t.test('a Callback of one’s own sees its model and can stop it', async (t) => {
  const seen: unknown[] = []
  class Watch extends callbacks.Callback {
    override onTrainBegin() {
      seen.push('begin')
    }
    override onEpochBegin(epoch: number) {
      seen.push(epoch)
    }
    override onEpochEnd(epoch: number, logs: Record<string, number>) {
      seen.push(logs.loss)
      if (epoch === 1) this.model.stopTraining = true
    }
    override onTrainEnd(logs: Record<string, number>) {
      seen.push('end', logs.loss)
    }
  }
  const model = small({ units: 10, activation: 'softmax' })
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
  const watch = new Watch()
  const { history } = await model.fit(x, y, { ...quiet, epochs: 5, callbacks: [watch] })
  const [first, second] = history.loss
  t.same(seen, ['begin', 0, first, 1, second, 'end', second])
  t.equal(watch.model.module, model.module)
})

t.test('metrics of epochs: precision, recall and auc of one output', async (t) => {
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  const y = x.map(([a, b]) => Number(a + b / 2 > 0.3))
  const metrics: CompileOptions['metrics'] = ['binaryAccuracy', 'precision', 'recall', 'auc']
  for (const [activation, loss] of [
    ['sigmoid', 'binaryCrossentropy'],
    ['sigmoid', 'mse'],
  ] as const) {
    const model = new Sequential([new layers.Dense({ units: 1, activation, inputShape: [2] })])
    model.compile({ optimizer: 'sgd', loss, metrics })
    const best = new callbacks.EarlyStopping({ monitor: 'val_auc', patience: 9 })
    const options = { epochs: 3, verbose: 0, validationData: [x, y], callbacks: [best] } as const
    const { history } = await model.fit(x, y, options)
    const scores = model.predict(x)
    for (const [name, metric] of Object.entries({
      binaryAccuracy: new Accuracy({ fromLogits: false }),
      precision: new Precision({ fromLogits: false }),
      recall: new Recall({ fromLogits: false }),
      auc: new RocAuc(),
    })) {
      metric.update(scores, y)
      const value = metric.compute() as number
      t.ok(Math.abs((await model.evaluate(x, y))[name] - value) < 1e-6, `${name} by ${loss}`)
      t.ok(Math.abs(history[`val_${name}`][2] - value) < 1e-6, `val_${name}`)
      t.equal(history[name].length, 3, 'of training, too')
    }
  }
  const several = new Sequential([new layers.Dense({ units: 2, inputShape: [2] })])
  several.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['auc'] })
  await t.rejects(several.fit(x, x, { verbose: 0 }), {
    message: 'fit: expected a model with one output for the metric auc, got 2 outputs',
  })
})
