/** Monitors: exact definitions, layers of any model, and training that does not notice them. */
import t from 'tap'
import {
  Adam,
  capture,
  DataLoader,
  digits,
  fit,
  Generator,
  Linear,
  type Loss,
  l2,
  Module,
  Monitor,
  type MonitorMetric,
  type MonitorOptions,
  memory,
  mlp,
  mse,
  type Optimizer,
  Parameter,
  Sequential,
  SGD,
  scope,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  subset,
  Tanh,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'

const data = subset(
  digits(),
  Array.from({ length: 250 }, (_, row) => row),
)
const weights = (model: Module) => [...model.stateDict().values()].flatMap((x) => [...x.data])

const optimizers: Record<string, (model: Module) => Optimizer> = {
  'plain SGD': (model) => new SGD(model.parameters(), { lr: 0.1 }),
  'SGD with momentum and L2': (model) =>
    new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true, regularizer: l2(1e-3) }),
  Adam: (model) => new Adam(model.parameters(), { lr: (step) => 0.01 / (1 + step) }),
}

for (const backend of ['native', 'js'] as const) {
  for (const [name, make] of Object.entries(optimizers)) {
    for (const [batchSize, every] of [
      [32, 3],
      [7, 1],
      [1, 50],
    ]) {
      t.test(`${backend}, ${name}, batch ${batchSize}: same weights to the bit`, async (t) => {
        setBackend(backend)
        t.teardown(() => setBackend('native'))
        const train = async (monitor?: Monitor) => {
          setSeed(1)
          const model = mlp([64, 20, 15, 10], { activation: 'tanh' })
          const losses: number[] = []
          await fit(model, data, {
            loss: softmaxCrossEntropy,
            optimizer: make(model),
            epochs: 2,
            batchSize,
            monitor,
            onStep: ({ loss }) => losses.push(loss),
          })
          return { losses, weights: weights(model) }
        }
        const monitor = new Monitor({ every })
        t.same(await train(monitor), await train())
        const steps = 2 * Math.ceil(250 / batchSize)
        const sampled = Array.from({ length: Math.ceil(steps / every) }, (_, i) => 1 + i * every)
        t.same(
          monitor.series('gradientNorm').map(({ step }) => step),
          sampled.flatMap((step) => [step, step, step]),
        )
      })
    }
  }
}

t.test('the metrics are what they say', async (t) => {
  class ByHand extends Module {
    readonly hidden = new Linear(1, 2, { bias: false })
    readonly scale = new Parameter(tensor([[3], [3]]))
    forward(x: Tensor): Tensor {
      return this.hidden.forward(x).tanh().relu().matmul(this.scale)
    }
  }
  const model = new ByHand()
  model.hidden.weight.assign([1, 4])
  const optimizer = new SGD(model.parameters(), { lr: 0.5 })
  const [inputs, targets] = [tensor([[0.5], [2]]), zeros([2, 1])]
  const monitor = new Monitor({ every: 2, bins: 4 })
  const step = () =>
    scope(() => {
      const outputs = model.forward(inputs)
      const loss = mse(outputs, targets)
      optimizer.zeroGrad()
      monitor.observe(model, outputs, loss)
      t.same(
        optimizer.parameters().map(({ grad }) => grad),
        [null, null],
      )
      loss.backward()
      optimizer.step()
    })
  step()
  const h = [0.5, 2].map((x) => [Math.tanh(x), Math.tanh(4 * x)])
  const y = h.map(([a, b]) => 3 * (a + b))
  // risk = (y₁² + y₂²) / 2
  const gradScale = [0, 1].map((unit) => y[0] * h[0][unit] + y[1] * h[1][unit])
  const gradHidden = [0, 1].map((unit) =>
    [0.5, 2].reduce((sum, x, i) => sum + y[i] * 3 * (1 - h[i][unit] ** 2) * x, 0),
  )
  const expected: [layer: string, metric: MonitorMetric, value: number][] = [
    ['hidden', 'gradientNorm', Math.hypot(...gradHidden)],
    ['hidden', 'weightNorm', Math.hypot(1, 4)],
    ['scale', 'gradientNorm', Math.hypot(...gradScale)],
    ['scale', 'weightNorm', Math.hypot(3, 3)],
    // 1 - tanh² is 0.79 and 0.07 of the first unit, 0.07 and 4.5e-7 of the second.
    ['hidden', 'saturatedShare', 0.25],
    ['hidden#2', 'deadShare', 0],
    ['hidden', 'updateNorm', 0.5 * Math.hypot(...gradHidden)],
    ['hidden', 'updateRatio', (0.5 * Math.hypot(...gradHidden)) / Math.hypot(1, 4)],
    ['scale', 'updateNorm', 0.5 * Math.hypot(...gradScale)],
    ['scale', 'updateRatio', (0.5 * Math.hypot(...gradScale)) / Math.hypot(3, 3)],
  ]
  const { records } = monitor
  t.same(
    records.map(({ step, layer, metric }) => [step, layer, metric]),
    expected.map(([layer, metric]) => [1, layer, metric]),
  )
  for (const [i, [layer, metric, value]] of expected.entries()) {
    const error = Math.abs(records[i].value - value) / (value || 1)
    t.ok(error < 1e-5, `${layer}.${metric}: ${records[i].value}, expected ${value}`)
  }
  t.same(
    monitor.histograms.map(({ layer, counts }) => [layer, counts]),
    [
      ['hidden', [0, 0, 1, 3]],
      ['hidden#2', [0, 1, 0, 3]],
      ['scale', [1, 0, 0, 1]],
    ],
  )
  t.same(monitor.histograms[0].edges, [-1, -0.5, 0, 0.5, 1])
  step()
  t.equal(monitor.records.length, records.length, 'every second step')
})

class ReluInline extends Module {
  forward(x: Tensor): Tensor {
    return x.relu()
  }
}

t.test('dead units, zero weights, diverged outputs', (t) => {
  const model = new Sequential(new Linear(2, 4), new ReluInline(), new Linear(4, 1))
  const [first, , last] = model.layers as [Linear, Module, Linear]
  // Unit 0 is dead, unit 1 alive for one example, units 2 and 3 for both.
  first.weight.assign([-1, 1, 1, 1, -1, 0, 1, 1])
  first.bias!.assign([0, -1.5, 0, 0])
  last.weight.assign([0, 0, 0, 0])
  const monitor = new Monitor({ every: 1 })
  const observe = (inputs: Tensor) => {
    const outputs = model.forward(inputs)
    monitor.observe(model, outputs, mse(outputs, zeros([2, 1])))
  }
  observe(
    tensor([
      [1, 1],
      [2, 0],
    ]),
  )
  const { records } = monitor
  t.equal(records.find(({ metric }) => metric === 'deadShare')?.value, 0.25)
  t.same(
    records.filter(({ metric }) => metric === 'updateRatio').map(({ layer }) => layer),
    ['layers.0'],
    'no ratio to weights that are all 0',
  )
  last.weight.assign([1, 1, 1, 1])
  observe(
    tensor([
      [Number.NaN, 0],
      [1, 0],
    ]),
  )
  t.ok(Number.isNaN(monitor.series('gradientNorm').at(-1)!.value), 'no NaN is hidden')
  t.equal(
    monitor.histograms.at(-1)!.counts.reduce((a, b) => a + b),
    1,
    'only finite values are counted',
  )
  t.end()
})

t.test('gradients that a float32 square would lose', (t) => {
  const model = new Sequential(new Linear(1, 1, { bias: false }))
  model.parameters()[0].assign([1])
  const outputs = model.forward(tensor([[1e-30]]))
  const monitor = new Monitor()
  monitor.observe(model, outputs, outputs.sum())
  t.ok(Math.abs(monitor.series('gradientNorm')[0].value / 1e-30 - 1) < 1e-6)
  t.end()
})

t.test('steps that cannot be captured, or draw random numbers, stay the same too', async (t) => {
  const uncapturable: Loss<'labels'> = (outputs, targets) => {
    const risk = softmaxCrossEntropy(outputs, targets)
    risk.item()
    return risk
  }
  const losses = { captured: softmaxCrossEntropy, eager: uncapturable }
  class Noisy extends Module {
    forward(x: Tensor): Tensor {
      return x.mul(new Tanh().forward(noise.bernoulli(x.shape, 0.5)))
    }
  }
  let noise: Generator
  process.removeAllListeners('warning')
  process.on('warning', () => {})
  for (const [name, loss] of Object.entries(losses)) {
    const train = async (monitor?: Monitor) => {
      setSeed(2)
      noise = new Generator(3)
      const model = new Sequential(new Linear(64, 20), new Noisy(), new Linear(20, 10))
      const optimizer = new SGD(model.parameters(), { lr: 0.1 })
      await fit(model, data, { loss, optimizer, epochs: 2, monitor })
      return weights(model)
    }
    const monitor = new Monitor({ every: 4 })
    t.same(await train(monitor), await train(), name)
    t.equal(monitor.series('weightNorm').length, 2 * 4, name)
  }
})

t.test('a loop of your own: nothing changes, nothing is kept', (t) => {
  const train = (monitor?: Monitor) => {
    setSeed(4)
    const model = mlp([64, 20, 10])
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
    const loader = new DataLoader(data, { shuffle: true })
    for (let epoch = 0; epoch < 2; epoch++) {
      for (const { inputs, targets } of loader) {
        scope(() => {
          const logits = model.forward(inputs)
          const loss = softmaxCrossEntropy(logits, targets)
          monitor?.observe(model, logits, loss)
          optimizer.zeroGrad()
          loss.backward()
          optimizer.step()
        })
      }
    }
    loader.dispose()
    const result = weights(model)
    model.dispose()
    return result
  }
  const buffers = () => memory().buffers
  const before = buffers()
  const expected = train()
  const kept = buffers() - before // by the optimizer
  const monitor = new Monitor({ every: 5 })
  t.same(train(monitor), expected)
  t.equal(
    monitor.series('updateNorm').length,
    2 * 3,
    'the model was gone before the last was measured',
  )
  t.equal(buffers(), before + 2 * kept)
  t.end()
})

t.test('refusals', (t) => {
  for (const options of [{ every: 0 }, { every: 1.5 }, { bins: 0 }, { bins: Number.NaN }]) {
    t.throws(() => new Monitor(options as MonitorOptions), {
      name: 'ArgumentError',
      message: /^Monitor: expected (every|bins) >= 1, got /,
    })
  }
  const model = mlp([2, 2])
  const monitor = new Monitor()
  const step = capture((x: Tensor) => {
    const outputs = model.forward(x)
    monitor.observe(model, outputs, outputs.sum())
    return outputs
  })
  t.throws(() => step(zeros([1, 2])), { name: 'CaptureError', message: /^Monitor: observe/ })
  t.end()
})
