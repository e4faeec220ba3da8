/**
 * One model, used from several places at once: those who ask it share it, and a training has it alone but
 * for its callbacks.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import * as keras from '../../lib/frontends/keras/index.js'
import {
  Autoencoder,
  BusyError,
  capture,
  Dropout,
  dataset,
  evaluate,
  exportOnnx,
  fit,
  Generator,
  Linear,
  loadModel,
  Module,
  mlp,
  noGrad,
  predict,
  pretrain,
  RBM,
  Sequential,
  SGD,
  saveModel,
  softmaxCrossEntropy,
  type Tensor,
} from '../../lib/index.js'
import {
  batch,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  stepOf,
} from '../support/engine.js'
import { refuses } from '../support/reference.js'

const UNITS = [6, 9, 4]
const loss = softmaxCrossEntropy

const data = dataset({
  inputs: new Generator(1).uniform([100, UNITS[0]]).data(),
  inputShape: [UNITS[0]],
  targets: Int32Array.from({ length: 100 }, (_, i) => i % 4),
})

const optimizerOf = (model: Module) => new SGD(model.parameters(), { lr: 0.1 })

/** A training that goes on until `end` is called. */
function endless(model: Module, options = {}) {
  const stop = new AbortController()
  const done = fit(model, data, {
    loss,
    optimizer: optimizerOf(model),
    epochs: 1e6,
    seed: 1,
    signal: stop.signal,
    ...options,
  })
  return {
    end: () => {
      stop.abort()
      return done
    },
  }
}

const trained = (op: string, by = 'fit') =>
  `${op}: this model is being trained by ${by}(); await that first, use the model in its callbacks, or ask a copy that they bring up to date`

onBothBackendsLater('evaluations at once, beside other questions', async (t) => {
  const model = new Sequential(new Linear(6, 9), new Dropout(0.5), new Linear(9, 4))
  const [first, dropout] = model.layers
  const classifier = {
    model,
    inputs: 6,
    classes: ['a', 'b', 'c', 'd'],
    loss: 'cross-entropy',
  } as const
  const rows = [[1, 2, 3, 4, 5, 6]]
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  const x = batch(1, [8, 6, 4])[0]
  const alone = [await evaluate(model, data, { loss }), predict(classifier, rows).scores]
  // In another mode than the rest; both are left as they were.
  first.training = false
  const others = [evaluate(model, data, { loss, batchSize: 30 }), evaluate(model, data, { loss })]
  t.equal(dropout.training, true)
  t.equal(model.forward(x).data().length, 32, 'forward')
  t.strictSame(predict(classifier, rows).scores, alone[1], 'predict')
  t.equal((await infer.run(x)).size, 32, 'a captured forward')
  const [inParts, whole] = await Promise.all(others)
  t.strictSame(whole, alone[0])
  t.equal(inParts.accuracy, whole.accuracy)
  t.ok(Math.abs(inParts.loss - whole.loss) < 1e-6)
  t.strictSame(
    [model, first, dropout].map(({ training }) => training),
    [true, false, true],
  )
})

onBothBackendsLater('a step waits for an evaluation, and fit for both', async (t) => {
  const [model, reference] = [network(UNITS), network(UNITS)]
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const step = capture(stepOf(model, optimizerOf(model)))
  const before = await evaluate(model, data, { loss, batchSize: 30 })
  const options = { loss, epochs: 2, seed: 1 }
  const evaluation = evaluate(model, data, { loss, batchSize: 30 })
  const sentence = 'evaluate() uses the same memory and is not done; await it first'
  const optimizer = optimizerOf(model)
  const writing: [op: string, () => unknown, advice?: string][] = [
    ['capture', () => step(x, labels), ', or call run(), which waits for its turn'],
    ['assign', () => model.parameters()[0].assign(model.parameters()[0].data())],
    ['loadStateDict', () => model.loadStateDict(model.stateDict())],
    [
      'step',
      () => {
        softmaxCrossEntropy(model.forward(x), labels).backward()
        optimizer.step()
      },
    ],
  ]
  for (const [op, write, advice = ''] of writing) {
    refuses(t, write, BusyError, `${op}: ${sentence}${advice}`)
  }
  model.zeroGrad()
  const running = step.run(x, labels)
  const training = fit(model, data, { ...options, optimizer: optimizerOf(model) })
  await rejects(t, evaluate(model, data, { loss }), BusyError, trained('evaluate'))
  t.strictSame(await evaluation, before, 'of the weights when it was asked for')
  await running
  await training
  await capture(stepOf(reference, optimizerOf(reference))).run(x, labels)
  await fit(reference, data, { ...options, optimizer: optimizerOf(reference) })
  sameParameters(t, model, reference, 'one after the other')
})

/** Everything that uses the model is refused. */
async function refusesAll(t: Test, model: Module, when: string) {
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const classifier = { model: model as Sequential, inputs: 6, classes: ['a', 'b', 'c', 'd'] }
  const path = `${t.testdir()}/model.safetensors`
  const [parameter] = model.parameters()
  const calls: Record<string, () => unknown> = {
    predict: () => predict({ ...classifier, loss: 'cross-entropy' }, [[1, 2, 3, 4, 5, 6]]),
    saveModel: () => saveModel(model, path),
    exportOnnx: () => exportOnnx(model, path, { input: [1, UNITS[0]] }),
    loadModel: () => loadModel(model, path),
    stateDict: () => model.stateDict(),
    loadStateDict: () => model.loadStateDict({} as never),
    assign: () => parameter.assign(new Float32Array(parameter.size)),
  }
  for (const [op, call] of Object.entries(calls)) {
    refuses(t, call, BusyError, trained(op))
  }
  const ops = [
    () => model.forward(x),
    () => parameter.data(),
    () => capture((x: Tensor) => model.forward(x))(x),
  ]
  for (const op of ops) refuses(t, op, BusyError, trained('tensor'))
  const runs: [op: string, run: Promise<unknown>][] = [
    ['evaluate', evaluate(model, data, { loss })],
    ['fit', fit(model, data, { loss, optimizer: optimizerOf(model), epochs: 1 })],
    ['tensor', capture(stepOf(model, optimizerOf(model))).run(x, labels)],
    ['pretrain', pretrain(model, data, { method: 'autoencoder', epochs: 1 })],
  ]
  for (const [op, run] of runs) await rejects(t, run, BusyError, trained(op))
  t.pass(when)
}

onBothBackendsLater('while fit trains', async (t) => {
  const [model, reference] = [network(UNITS), network(UNITS)]
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  const [x] = batch(1, [8, UNITS[0], UNITS[2]])
  infer(x)
  const training = endless(model)
  await refusesAll(t, model, 'as soon as it was called')
  for (let i = 0; i < 5; i++) {
    await turn()
    refuses(t, () => infer(x), BusyError, trained('capture'))
    await rejects(t, infer.run(x), BusyError, trained('run'))
    refuses(t, () => model.forward(x), BusyError, trained('tensor'))
  }
  await refusesAll(t, model, 'later')
  const { epochs } = await training.end()
  await fit(reference, data, {
    loss,
    optimizer: optimizerOf(reference),
    epochs: epochs.length,
    seed: 1,
  })
  if (epochs.at(-1)?.examples === 100) sameParameters(t, model, reference, 'undisturbed')
  t.equal(infer(x).size, 32, 'free again')
})

onBothBackendsLater('while fit trains step by step', async (t) => {
  class Reading extends Module {
    readonly inner = network(UNITS)
    forward(x: Tensor): Tensor {
      return this.inner.forward(x).mul(x.sum().item() > 0 ? 1 : 2)
    }
  }
  const model = new Reading()
  const training = endless(model)
  for (let i = 0; i < 5; i++) {
    await turn()
    refuses(t, () => model.inner.forward(batch(1, [8, 6, 4])[0]), BusyError, trained('tensor'))
  }
  await training.end()
})

onBothBackendsLater('in the callbacks of fit', async (t) => {
  const [model, reference] = [network(UNITS), network(UNITS)]
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const step = capture(stepOf(model, optimizerOf(model)))
  const options = { loss, epochs: 3, seed: 1, validation: 0.2 }
  // Those who ask from elsewhere, while the callback waits for them.
  let open: () => void = () => {}
  let isOver = false
  const elsewhere = (async () => {
    await new Promise<void>((resolve) => {
      open = resolve
    })
    const reading = await Promise.all([evaluate(model, data, { loss }), infer.run(x)])
    await rejects(t, step.run(x, labels), BusyError, trained('run'))
    await rejects(
      t,
      fit(model, data, { loss, optimizer: optimizerOf(model), epochs: 1 }),
      BusyError,
      trained('fit'),
    )
    // Not awaited by the callback: the training waits for it.
    const last = evaluate(model, data, { loss, batchSize: 30 })
    return { reading, last }
  })()
  let steps = 0
  const history = await fit(model, data, {
    ...options,
    optimizer: optimizerOf(model),
    onStep: () => {
      if (steps++ === 1) t.equal(infer(x).size, 32, 'onStep')
    },
    onEpoch: async ({ epoch }) => {
      if (epoch !== 2) return
      const found = await evaluate(model, data, { loss })
      saveModel(model, `${t.testdir()}/model.safetensors`)
      exportOnnx(model, `${t.testdirName}/model.onnx`, { input: [1, UNITS[0]] })
      t.equal((await infer.run(x)).size, 32, 'onEpoch')
      t.equal(model.forward(x).size, 32)
      open()
      const { reading, last } = await elsewhere
      t.strictSame(reading[0], found, 'from elsewhere')
      last.then(({ accuracy }) => {
        isOver = true
        t.equal(accuracy, found.accuracy)
      })
    },
  })
  t.ok(isOver)
  const undisturbed = await fit(reference, data, { ...options, optimizer: optimizerOf(reference) })
  t.strictSame(
    history.epochs.map(({ loss }) => loss),
    undisturbed.epochs.map(({ loss }) => loss),
  )
  sameParameters(t, model, reference, 'undisturbed')
})

onBothBackendsLater('what fit leaves when it throws', async (t) => {
  const model = network(UNITS)
  const fail = () => {
    throw new RangeError('own')
  }
  for (const callback of ['onStep', 'onEpoch']) {
    const options = { loss, optimizer: optimizerOf(model), epochs: 2, [callback]: fail }
    await rejects(t, fit(model, data, options), RangeError, 'own')
    t.equal(model.stateDict().size, 4, 'the model is free')
  }
})

onBothBackendsLater('a model that another training only shares a generator with', async (t) => {
  const generator = new Generator(3)
  const models = [0, 1].map(() => mlp(UNITS, { dropout: 0.5, generator }))
  const histories = await Promise.all(
    models.map((model) => fit(model, data, { loss, optimizer: optimizerOf(model), epochs: 3 })),
  )
  t.strictSame(
    histories.map(({ epochs }) => epochs.length),
    [3, 3],
  )
})

onBothBackendsLater('unsupervised training', async (t) => {
  const [x] = batch(1, [8, 6, 4])
  for (const layer of [new RBM(6, 5), new Autoencoder(6, 5)]) {
    const done = layer.fit(data, { optimizer: optimizerOf(layer), epochs: 2 })
    refuses(t, () => layer.encode(x), BusyError, trained('tensor'))
    await rejects(
      t,
      layer.fit(data, { optimizer: optimizerOf(layer), epochs: 2 }),
      BusyError,
      trained('fit'),
    )
    await done
    t.equal(layer.encode(x).size, 40)
  }
  const model = mlp([6, 5, 4, 3], { activation: 'sigmoid' })
  let epochs = 0
  const done = pretrain(model, data, {
    method: 'rbm',
    epochs: 2,
    onEpoch: () => {
      t.equal(model.forward(x).size, 24, 'in its callback')
      epochs++
    },
  })
  refuses(t, () => model.forward(x), BusyError, trained('tensor', 'pretrain'))
  await rejects(
    t,
    pretrain(model, data, { method: 'rbm', epochs: 1 }),
    BusyError,
    trained('pretrain', 'pretrain'),
  )
  await done
  t.equal(epochs, 4)
})

onBothBackendsLater('a Keras model', async (t) => {
  const { layers } = keras
  const model = new keras.Sequential([
    new layers.Dense({ units: 9, activation: 'relu', inputShape: [6] }),
    new layers.Dense({ units: 4, activation: 'softmax' }),
  ])
  model.compile({
    optimizer: 'sgd',
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  })
  const x = Array.from({ length: 20 }, (_, i) => [i, 1, 2, 3, i % 4, 1].map((value) => value / 10))
  const y = x.map((_, i) => i % 4)
  const alone = [await model.evaluate(x, y), await model.evaluate(x.slice(10), y.slice(10))]
  const both = [model.evaluate(x, y), model.evaluate(x.slice(10), y.slice(10))]
  t.same(model.predict(x).shape, [20, 4], 'predict beside evaluate')
  t.strictSame(await Promise.all(both), alone, 'two evaluations at once')

  const twin = new keras.Sequential([
    new layers.Dense({ units: 9, activation: 'relu', inputShape: [6] }),
    new layers.Dense({ units: 4, activation: 'softmax' }),
  ])
  twin.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  twin.module.loadStateDict(model.module.stateDict())
  const options = { epochs: 3, verbose: 0, seed: 1 } as const
  const done = model.fit(x, y, {
    ...options,
    callbacks: [
      {
        async onTrainBegin() {
          await rejects(t, model.fit(x, y, options), BusyError, trained('fit'))
        },
        async onEpochBegin() {
          await model.evaluate(x.slice(5), y.slice(5))
          model.predict(x)
        },
      },
    ],
  })
  await turn()
  const { history } = await done
  const wanted = await twin.fit(x, y, options)
  t.strictSame(history, wanted.history, 'an evaluation in between does not count')

  const endlessly = model.fit(x, y, { ...options, epochs: 1e6 })
  for (let i = 0; i < 3; i++) await turn()
  refuses(t, () => model.predict(x), BusyError, trained('predict'))
  await rejects(t, model.evaluate(x, y), BusyError, trained('evaluate'))
  await rejects(t, model.fit(x, y, options), BusyError, trained('fit'))
  refuses(
    t,
    () => model.saveWeights(`${t.testdir()}/w.safetensors`),
    BusyError,
    trained('saveModel'),
  )
  model.stopTraining = true
  await endlessly
  t.same(model.predict(x).shape, [20, 4])
})

onBothBackendsLater('a copy that answers while the model is trained', async (t) => {
  const [model, answering] = [network(UNITS), network(UNITS)]
  const infer = capture((x: Tensor) => noGrad(() => answering.forward(x)))
  const update = capture(() => {
    const trained = model.parameters()
    for (const [i, parameter] of answering.parameters().entries()) parameter.assign(trained[i])
  })
  const [x] = batch(1, [8, UNITS[0], UNITS[2]])
  const wanted = [String(infer(x).data())]
  let isOver = false
  const training = fit(model, data, {
    loss,
    optimizer: optimizerOf(model),
    epochs: 5,
    onEpoch: async () => {
      wanted.push(String(noGrad(() => model.forward(x)).data()))
      await update.run()
    },
  }).finally(() => {
    isOver = true
  })
  const answers: Promise<Tensor>[] = []
  while (!isOver) {
    answers.push(infer.run(x), infer.run(x))
    await turn()
  }
  await training
  for (const answer of answers) {
    const found = String((await answer).data())
    if (!wanted.includes(found)) t.fail(`${found} is no answer of any epoch`)
  }
  t.equal(String(infer(x).data()), wanted.at(-1))
})
