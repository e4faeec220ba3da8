/** Buffers of modules: what is saved, loaded and freed with parameters, but not trained. */
import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  ArgumentError,
  BatchNorm1d,
  dataset,
  evaluate,
  fit,
  Linear,
  loadModel,
  Module,
  ModuleBuffer,
  memory,
  ones,
  ReLU,
  Sequential,
  SGD,
  saveModel,
  setSeed,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackendsLater } from '../support/engine.js'

const EXAMPLES = 40

/** Two classes of points that are apart. */
const points = () => {
  const inputs = Float32Array.from({ length: EXAMPLES * 3 }, (_, i) =>
    Math.fround(Math.sin(i * 12.9898) * 4 + (Math.floor(i / 3) % 2)),
  )
  const targets = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 2)
  return dataset({ inputs, inputShape: [3], targets })
}

const net = (seed: number) => {
  setSeed(seed)
  return new Sequential(new Linear(3, 5), new BatchNorm1d(5), new ReLU(), new Linear(5, 2))
}

const bitsOf = (model: Module) =>
  [...model.stateDict()].map(([name, { data }]) => [name, [...data]] as const)

async function train(seed: number, options: object) {
  const model = net(seed)
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const history = await fit(model, points(), {
    loss: softmaxCrossEntropy,
    optimizer,
    batchSize: 8,
    epochs: 5,
    seed: 3,
    ...options,
  })
  optimizer.dispose()
  return { model, history }
}

class Counter extends Module {
  readonly #hidden = zeros([1])
  readonly seen = new ModuleBuffer(zeros([2]))
  readonly inner = { norm: new BatchNorm1d(2) }
  forward(x: Tensor): Tensor {
    return x.add(this.seen).add(this.#hidden)
  }
}

t.test('a module finds its buffers, and they are no parameters', async (t) => {
  const before = memory().buffers
  const values = ones([2])
  const buffer = new ModuleBuffer(values)
  t.throws(() => values.data(), { name: 'ReleasedTensorError' }, 'taken over')
  t.equal(buffer.requiresGrad, false)
  buffer.dispose()
  const model = new Counter()
  const names = ['seen', 'inner.norm.runningMean', 'inner.norm.runningVar']
  t.strictSame([...model.namedBuffers().keys()], names)
  t.equal(model.buffers().length, 3)
  t.strictSame([...model.namedParameters().keys()], ['inner.norm.weight', 'inner.norm.bias'])
  t.strictSame(
    [...model.stateDict().keys()].sort(),
    [...names, 'inner.norm.bias', 'inner.norm.weight'].sort(),
  )
  t.notMatch(model.summary(), /running/)
  const state = JSON.parse(JSON.stringify(model.stateDict()))
  state.seen.data = [3, 4]
  model.loadStateDict(state)
  t.strictSame([...model.seen.data()], [3, 4])
  delete state.seen
  t.throws(() => model.loadStateDict(state), {
    message: /missing: seen, unexpected: none$/,
    name: 'ArgumentError',
  })
  for (const wrong of [3, tensor(Int32Array.of(1))]) {
    t.throws(() => new ModuleBuffer(wrong as never), ArgumentError)
  }
  const proxied = { buffer: new Proxy(model.seen, {}) }
  class Holder extends Counter {
    readonly held = proxied
  }
  t.throws(() => new Holder().namedBuffers(), {
    message: /expected a ModuleBuffer at held\.buffer, got a Proxy/,
  })
  model.dispose()
  t.throws(() => model.seen.data(), { name: 'ReleasedTensorError' }, 'freed with the parameters')
  t.ok(memory().buffers >= before)
})

onBothBackendsLater('files hold them, also as PyTorch calls them', async (t: Test) => {
  const { model } = await train(1, {})
  const path = `${t.testdir()}/net.safetensors`
  saveModel(model, path)
  const other = net(2)
  loadModel(other, path)
  t.strictSame(bitsOf(other), bitsOf(model))
  const norm = model.layers[1]
  t.ok(
    norm.runningMean.data().some((value) => value !== 0),
    'it ran along',
  )
  const torch = `${t.testdir()}/torch.safetensors`
  saveModel(norm, torch, { layout: 'torch' })
  const single = new BatchNorm1d(5)
  loadModel(single, torch)
  t.strictSame([...single.runningMean.data()], [...norm.runningMean.data()])
  t.strictSame([...single.runningVar.data()], [...norm.runningVar.data()])
})

onBothBackendsLater('a checkpoint goes on to the same bits', async (t: Test) => {
  const checkpoint = `${t.testdir()}/run`
  const whole = await train(1, {})
  await train(1, { checkpoint, epochs: 2 })
  t.ok(existsSync(checkpoint))
  const resumed = await train(4, { checkpoint })
  t.strictSame(bitsOf(resumed.model), bitsOf(whole.model))
})

onBothBackendsLater('the best weights come with their buffers', async (t: Test) => {
  const validation = points()
  const run = await train(1, { validation, keepBest: true, epochs: 12 })
  const { bestEpoch, epochs } = run.history
  const again = await evaluate(run.model, validation, { loss: softmaxCrossEntropy })
  t.equal(again.loss, epochs[bestEpoch - 1].validationLoss, 'as it was measured')
})

onBothBackendsLater('a training that diverges goes back with its buffers', async (t: Test) => {
  const model = net(1)
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  let good = bitsOf(model)
  const history = await fit(model, points(), {
    loss: softmaxCrossEntropy,
    optimizer,
    batchSize: 8,
    epochs: 4,
    onDivergence: 'restore',
    onEpoch: ({ epoch }) => {
      if (epoch === 1) good = bitsOf(model)
      if (epoch === 1) optimizer.groups[0].lr = 1e38
    },
  })
  t.equal(history.ended, 'diverged')
  t.strictSame(bitsOf(model), good)
})

onBothBackendsLater('a buffer that is no finite number ends the training', async (t: Test) => {
  const model = net(1)
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const training = fit(model, points(), {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 2,
    onEpoch: () => model.layers[1].runningVar.assign(Array(5).fill(Number.NaN)),
  })
  await t.rejects(training, { name: 'DivergenceError', message: /layers\.1\.runningVar/ })
})

t.test('a buffer that is replaced while fit trains is refused', async (t) => {
  const model = net(1) as unknown as { layers: { runningMean: ModuleBuffer }[] } & Module
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const training = fit(model, points(), {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 2,
    onEpoch: () => {
      model.layers[1].runningMean = new ModuleBuffer(zeros([5]))
    },
  })
  await t.rejects(training, {
    name: 'ArgumentError',
    message:
      'fit: expected the model to keep its buffers, got another layers.1.runningMean; assign() gives one other values',
  })
})

t.test('while the model is trained, its buffers are busy', async (t) => {
  const model = net(1)
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const training = fit(model, points(), { loss: softmaxCrossEntropy, optimizer, epochs: 1 })
  t.throws(() => model.layers[1].runningMean.data(), { name: 'BusyError' })
  await training
  t.ok(model.layers[1].runningMean.data())
})
