/** `neuroblas/keras` gives Keras's numbers (fixtures/keras.json; the script is beside it). */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  callbacks,
  type Logs,
  layers,
  losses,
  optimizers,
  Sequential,
} from '../../lib/frontends/keras/index.js'
import {
  type BackendName,
  full,
  l1,
  l2,
  type Parameter,
  type Regularizer,
  type Shape,
  setBackend,
  tensor,
} from '../../lib/index.js'

type Nested = number | readonly Nested[]
type Figures = Record<string, number[]>

const fixture = JSON.parse(readFileSync(new URL('../fixtures/keras.json', import.meta.url), 'utf8'))
const { x, y } = fixture as { x: number[][]; y: number[] }
const quiet = { verbose: 0, shuffle: false } as const
const { Callback, LearningRateScheduler, ReduceLROnPlateau } = callbacks
const { Adam, SGD } = optimizers

interface Options {
  bias?: number
  activation?: 'tanh' | 'sigmoid' | 'softmax'
  kernelRegularizer?: Regularizer
}

/** A dense layer for two inputs with constant weights. */
class Constant extends layers.Dense {
  readonly #bias: number

  constructor(units: number, kernel: number | number[][], { bias = 0, ...options }: Options = {}) {
    const kernelInitializer = (shape: Shape) =>
      typeof kernel === 'number' ? full(shape, kernel) : tensor(kernel)
    super({ units, kernelInitializer, inputShape: [2], ...options })
    this.#bias = bias
  }

  override build(inputShape: Shape) {
    const built = super.build(inputShape)
    const [, bias] = built.modules[0].parameters()
    bias.assign(full(bias.shape, this.#bias))
    return built
  }
}

const single = (kernel: number, options?: Options) =>
  new Sequential([new Constant(1, kernel, options)])
const weights = (model: Sequential) =>
  model.module.parameters().map((parameter: Parameter) => parameter.toArray() as Nested)

const flat = (value: Nested): number[] =>
  typeof value === 'number' ? [value] : value.flatMap(flat)

/** Both compute in float32, in another order. */
function close(t: Test, found: Nested, wanted: Nested, message: string): void {
  const [a, b] = [flat(found), flat(wanted)]
  t.equal(a.length, b.length, message)
  const wrong = a.findIndex((value, i) => !(Math.abs(value - b[i]) <= 2e-6 * (1 + Math.abs(b[i]))))
  if (wrong >= 0) t.equal(a[wrong], b[wrong], `${message}, at ${wrong}`)
}

function closeFigures(
  t: Test,
  found: Figures | Logs,
  wanted: Figures | Logs,
  message: string,
): void {
  t.strictSame(Object.keys(found).sort(), Object.keys(wanted).sort(), message)
  for (const [name, values] of Object.entries(wanted)) {
    close(t, found[name], values, `${message}: ${name}`)
  }
}

function test(name: string, run: (t: Test, backend: BackendName) => Promise<void>): void {
  for (const backend of ['native', 'js'] as const) {
    t.test(`${name} (${backend})`, async (t) => {
      setBackend(backend)
      t.teardown(() => setBackend('native'))
      await run(t, backend)
    })
  }
}

test('momentum while the learning rate changes, also to 0 and back', async (t) => {
  for (const nesterov of [false, true]) {
    const expected = fixture[nesterov ? 'nesterov' : 'momentum']
    const model = single(1)
    model.compile({
      optimizer: new SGD({ learningRate: 0.1, momentum: 0.9, nesterov }),
      loss: 'mse',
    })
    const after: Nested[] = []
    const note = { onEpochEnd: () => void after.push(weights(model)) }
    const schedule = new LearningRateScheduler((epoch) => expected.rates[epoch])
    const options = { ...quiet, batchSize: 2, epochs: 5, callbacks: [schedule, note] }
    const { history } = await model.fit(x, y, options)
    close(t, after, expected.weights, `weights, nesterov ${nesterov}`)
    closeFigures(t, history, expected.history, `history, nesterov ${nesterov}`)
  }
})

test('penalties: of each batch before its step, in the epoch and in its batches', async (t) => {
  const model = new Sequential([
    new Constant(1, 1, { kernelRegularizer: l2(0.25) }),
    new Constant(1, 0.5, { kernelRegularizer: l1(0.125) }),
  ])
  model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'mse', metrics: ['mse'] })
  const expected = fixture.penalties
  closeFigures(t, await model.evaluate(x, y, { batchSize: 2 }), expected.before, 'before any fit')
  for (const perBatch of [true, false]) {
    const batches: Logs[] = []
    const note = { onTrainBatchEnd: (_: number, logs: Logs) => void batches.push(logs) }
    const options = { ...quiet, batchSize: 2, epochs: 3, validationData: [x, y] as const }
    const fresh = new Sequential([
      new Constant(1, 1, { kernelRegularizer: l2(0.25) }),
      new Constant(1, 0.5, { kernelRegularizer: l1(0.125) }),
    ])
    fresh.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'mse', metrics: ['mse'] })
    const { history } = await fresh.fit(x, y, { ...options, callbacks: perBatch ? [note] : [] })
    closeFigures(t, history, expected.history, `history, step by step ${perBatch}`)
    closeFigures(t, await fresh.evaluate(x, y, { batchSize: 2 }), expected.after, 'after')
    for (const [i, logs] of batches.entries())
      closeFigures(t, logs, expected.batches[i], `batch ${i}`)
    t.equal(batches.length, perBatch ? expected.batches.length : 0)
  }
})

const all = ['accuracy', 'mse', 'mae'] as const

test('hinge: targets of 0 and 1 become signs batch by batch, metrics see them as they are', async (t) => {
  for (const { y, ...expected } of fixture.hinge) {
    const model = single(0.5)
    model.compile({ optimizer: 'sgd', loss: 'hinge', metrics: all })
    closeFigures(t, await model.evaluate(x.slice(0, 4), y, { batchSize: 2 }), expected, `${y}`)
  }
})

test('accuracy: thresholds, logits, several outputs', async (t) => {
  const several = [
    [1, 0.5, 0.25],
    [0.5, -1, 2],
  ]
  const severalY = [
    [1, 0, 1],
    [0, 0, 1],
    [1, 1, 1],
    [0, 1, 0],
  ]
  const logits = new losses.BinaryCrossentropy({ fromLogits: true })
  const one = (activation?: 'sigmoid') => new Constant(1, 0.5, { bias: -0.25, activation })
  const three = (activation?: 'sigmoid') => new Constant(3, several, { bias: -0.5, activation })
  const cases = {
    logits: [one(), logits, [0, 1, 0, 1]],
    values: [one(), 'mse', [0, 1, 0, 1]],
    'soft targets': [one('sigmoid'), 'binary_crossentropy', [0, 0.875, 0.25, 1]],
    several: [three('sigmoid'), 'binary_crossentropy', severalY],
    'several logits': [three(), logits, severalY],
    'several values': [three('sigmoid'), 'mse', severalY],
  } as const
  t.strictSame(Object.keys(cases), Object.keys(fixture.accuracy))
  for (const [name, [layer, loss, targets]] of Object.entries(cases)) {
    const model = new Sequential([layer])
    model.compile({ optimizer: 'sgd', loss, metrics: all })
    const figures = await model.evaluate(x.slice(0, 4), targets, { batchSize: 2 })
    closeFigures(t, figures, fixture.accuracy[name], name)
  }
})

test('stopTraining after a batch ends the epoch there', async (t) => {
  const { calls, history, weights: wanted } = fixture.stopping
  const model = single(1)
  model.compile({ optimizer: new SGD({ learningRate: 0.125 }), loss: 'mse', metrics: ['mae'] })
  const found: [string, ...(number | Logs)[]][] = []
  let current = 0
  const stop = {
    onEpochBegin: (epoch: number) => void (current = epoch),
    onTrainBatchEnd: (batch: number, logs: Logs) => {
      found.push(['batch', batch, { ...logs }])
      model.stopTraining = current === 1 && batch === 3
    },
    onEpochEnd: (epoch: number, logs: Logs) => void found.push(['epoch', epoch, { ...logs }]),
    onTrainEnd: (logs: Logs) => void found.push(['end', { ...logs }]),
  }
  const options = { ...quiet, batchSize: 1, epochs: 9, callbacks: [stop] }
  const result = await model.fit(x, y, options)
  closeFigures(t, result.history, history, 'history')
  t.strictSame(result.epoch, [0, 1])
  close(t, weights(model), wanted, 'weights')
  t.equal(found.length, calls.length)
  for (const [i, call] of found.entries()) {
    t.strictSame(call.slice(0, -1), calls[i].slice(0, -1))
    closeFigures(t, call.at(-1) as Logs, calls[i].at(-1), `call ${i}`)
  }
})

test('asked to stop before an epoch begins, one batch is trained', async (t) => {
  const model = single(0.5)
  model.compile({ optimizer: new SGD({ learningRate: 0.125 }), loss: 'mse' })
  class Stop extends Callback {
    override onEpochBegin() {
      this.model.stopTraining = true
    }
  }
  const options = { ...quiet, batchSize: 2, epochs: 9, callbacks: [new Stop()] }
  const { history } = await model.fit(x, y, options)
  closeFigures(t, history, fixture.stoppingEarly.history, 'history')
  close(t, weights(model), fixture.stoppingEarly.weights, 'weights')
})

test('the learning rate is in the history where a callback changes it', async (t) => {
  const model = single(1)
  model.compile({ optimizer: new Adam({ learningRate: 0.125 }), loss: 'mse' })
  const halve = new LearningRateScheduler((_, rate) => rate / 2)
  const plateau = new ReduceLROnPlateau({
    monitor: 'loss',
    patience: 1,
    minDelta: 100,
    factor: 0.5,
  })
  for (const [name, epochs, used] of [
    ['scheduled', 2, [halve]],
    ['plain', 2, []],
    ['lowered', 3, [plateau]],
  ] as const) {
    const { history } = await model.fit(x, y, { ...quiet, epochs, callbacks: used })
    closeFigures(t, history, fixture.rates[name], name)
  }
})

test('a layer that comes twice, and in two models, has the same weights', async (t) => {
  const kernel = [
    [0.5, 0.25],
    [-0.25, 1],
  ]
  const layer = new Constant(2, kernel, {
    bias: 0.125,
    activation: 'tanh',
    kernelRegularizer: l2(0.25),
  })
  const twice = new Sequential([layer, layer, new Constant(1, 0.5)])
  twice.compile({ optimizer: new SGD({ learningRate: 0.125 }), loss: 'mse' })
  const once = new Sequential([layer])
  const { history } = await twice.fit(x, y, { ...quiet, batchSize: 5, epochs: 3 })
  closeFigures(t, history, fixture.shared.history, 'history')
  close(t, weights(twice), fixture.shared.weights, 'weights')
  close(t, once.predict(x).toArray() as Nested, fixture.shared.predict, 'the other model')
  t.equal(twice.countParams(), fixture.shared.params)
  let table = ''
  twice.summary((text) => {
    table = text
  })
  t.match(table, /Total params: 9\n/)
  const wider = new Sequential([new layers.Dense({ units: 3, inputShape: [2] }), layer])
  t.throws(() => wider.countParams(), {
    name: 'ShapeError',
    message: 'Constant: expected inputs [2] in every place, got [3]',
  })
  // Freed with one, it begins anew in the next.
  twice.dispose()
  t.throws(() => once.predict(x), { name: 'ReleasedTensorError' })
  close(t, weights(new Sequential([layer])), [kernel, [0.125, 0.125]], 'new weights')
})

test('layers added after compile decide the form of the loss', async (t) => {
  const model = new Sequential()
  model.compile({
    optimizer: new SGD({ learningRate: 0.125 }),
    loss: 'sparseCategoricalCrossentropy',
  })
  model.add(
    new Constant(2, [
      [1, 0],
      [0, 1],
    ]),
  )
  t.equal(model.countParams(), 6)
  model.add(new layers.Activation('softmax'))
  const options = { ...quiet, batchSize: 2, epochs: 2 }
  const { history } = await model.fit(x.slice(0, 4), [1, 1, 0, 0], options)
  closeFigures(t, history, fixture.late.history, 'history')
  close(t, weights(model), fixture.late.weights, 'weights')
  model.add(new layers.Dense({ units: 1 }))
  close(t, weights(model).slice(0, 2), fixture.late.weights, 'the others keep their weights')
})

test('one optimizer: it goes on in the model that is compiled again, and has a state per model', async (t) => {
  const fit = async (model: Sequential, optimizer: optimizers.Optimizer) => {
    model.compile({ optimizer, loss: 'mse' })
    return (await model.fit(x, y, { ...quiet, epochs: 2 })).history.loss
  }
  const [model, adam] = [single(1), new Adam({ learningRate: 0.125 })]
  close(t, [await fit(model, adam), await fit(model, adam)], fixture.again, 'again')
  const other = await fit(single(1), adam)
  close(t, other, fixture.again.slice(0, 2), 'another model begins anew')
  // Both follow its learning rate.
  const sgd = new SGD({ learningRate: 0.125, momentum: 0.5 })
  const [first, second] = [single(1), single(1)]
  await fit(first, sgd)
  await fit(second, sgd)
  sgd.learningRate = 0
  const before = weights(first)
  await fit(first, sgd)
  await fit(second, sgd)
  t.notSame(weights(first), before, 'the velocity goes on')
  t.strictSame(weights(first), weights(second))
})

test('every optimizer, by its defaults and with other settings', async (t) => {
  const { Adadelta, Adagrad, AdamW, Lion, Nadam, RMSprop } = optimizers
  const [learningRate, epsilon] = [0.125, 0.125]
  const momentum = { learningRate, rho: 0.75, momentum: 0.5, epsilon }
  const moments = { learningRate, beta1: 0.5, beta2: 0.75 }
  const made = {
    'RMSprop {}': 'rmsprop',
    'RMSprop momentum': new RMSprop(momentum),
    'RMSprop centered': new RMSprop({ ...momentum, centered: true }),
    'Adam amsgrad': new Adam({ learningRate, amsgrad: true, epsilon }),
    'AdamW {}': 'adamw',
    'AdamW decay': new AdamW({ ...moments, weightDecay: 0.5, epsilon }),
    'Adadelta {}': 'adadelta',
    'Adadelta rate': new Adadelta({ learningRate: 1, rho: 0.75, epsilon }),
    'Adagrad {}': 'adagrad',
    'Adagrad rate': new Adagrad({ learningRate: 0.25, initialAccumulatorValue: 0.5, epsilon }),
    'Nadam {}': 'nadam',
    'Nadam rate': new Nadam({ ...moments, epsilon }),
    'Lion {}': 'lion',
    'Lion rate': new Lion(moments),
  } as const
  t.strictSame(Object.keys(made), Object.keys(fixture.others))
  for (const [name, optimizer] of Object.entries(made)) {
    const model = single(1)
    model.compile({ optimizer, loss: 'mse' })
    const halve = new LearningRateScheduler((epoch, rate) => (epoch > 0 ? rate / 2 : rate))
    const { history } = await model.fit(x, y, {
      batchSize: 2,
      epochs: 5,
      callbacks: [halve],
      ...quiet,
    })
    close(t, history.loss, fixture.others[name].loss, name)
    close(t, weights(model), fixture.others[name].weights, name)
  }
})
