/** Modules that training leaves as they are. */
import t from 'tap'
import {
  ArgumentError,
  BatchNorm1d,
  capture,
  dataset,
  fit,
  Linear,
  type Module,
  mse,
  ReLU,
  Sequential,
  SGD,
  scope,
  setSeed,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { onBothBackends, refuses, same, wrong } from '../support/reference.js'

const net = () => {
  setSeed(1)
  return new Sequential(new Linear(2, 3), new BatchNorm1d(3), new ReLU(), new Linear(3, 1))
}
const rows = () => tensor([[1, 2], [3, -1], [0.5, 4], [-2, 1]]) // biome-ignore format: rows
const valuesOf = (model: Module) => [...model.stateDict().values()].map(({ data }) => [...data])

onBothBackends('trainable reaches all modules inside, and their parameters', (t) => {
  const model = net()
  t.equal(model.trainable, true)
  t.equal(model.freeze(), model)
  t.ok([...model.namedModules().values()].every(({ trainable }) => !trainable))
  t.ok(model.parameters().every(({ requiresGrad }) => !requiresGrad))
  model.layers[3].unfreeze()
  t.strictSame(
    [...model.namedParameters()].flatMap(([path, { requiresGrad }]) =>
      requiresGrad ? [path] : [],
    ),
    ['layers.3.weight', 'layers.3.bias'],
  )
  t.equal(model.trainable, false, 'the whole stays frozen')
  model.trainable = true
  t.ok(model.parameters().every(({ requiresGrad }) => requiresGrad))
  refuses(
    t,
    () => Object.assign(model, { trainable: wrong(1) }),
    ArgumentError,
    /trainable to be true or false/,
  )
})

onBothBackends('a frozen batch norm normalizes by its running moments', (t) => {
  const norm = new BatchNorm1d(2)
  const frozen = new BatchNorm1d(2).freeze()
  const partly = new BatchNorm1d(2)
  for (const parameter of partly.parameters()) parameter.requiresGrad = false
  const x = rows()
  const y = norm.forward(x)
  same(
    t,
    frozen.forward(x),
    { shape: [4, 2], data: Array.from(x.data(), (v) => v / Math.sqrt(1 + 1e-5)) },
    'as in eval',
    1e-6,
  )
  t.strictSame([...frozen.runningMean.data()], [0, 0])
  t.strictSame(partly.forward(x).data(), y.data(), 'in PyTorch, requires_grad alone does not')
  t.strictSame(partly.runningMean.data(), norm.runningMean.data())
})

onBothBackends('captured steps notice', (t) => {
  const step = (model: ReturnType<typeof net>) => {
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    return (x: Tensor) => {
      const loss = model.forward(x).square().mean()
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
      return loss
    }
  }
  const [eager, captured] = [net(), net()]
  const [one, recorded] = [step(eager), step(captured)]
  const other = capture(recorded)
  const both = () => {
    scope(() => one(rows()))
    other(rows())
    t.strictSame(valuesOf(captured), valuesOf(eager))
  }
  both()
  const before = valuesOf(eager).slice(0, 6)
  for (const model of [eager, captured])
    for (const layer of model.layers.slice(0, 2)) layer.freeze()
  both()
  t.strictSame(valuesOf(eager).slice(0, 6), before, 'weights, biases and moments stay')
  for (const model of [eager, captured]) model.unfreeze()
  both()
  t.notSame(valuesOf(eager).slice(0, 6), before)
  other.dispose()
})

onBothBackends('momentum of a batch norm changes between captured steps', (t) => {
  const norm = new BatchNorm1d(2)
  const run = capture((x: Tensor) => norm.forward(x))
  const mean = () => [...norm.runningMean.data()]
  run(rows())
  norm.momentum = 1
  t.equal(norm.momentum, 1)
  run(rows())
  t.strictSame(mean(), [0.625, 1.5], 'the moments of the batch alone')
  norm.momentum = 0
  run(tensor([[9, 9], [8, 1]])) // biome-ignore format: rows
  t.strictSame(mean(), [0.625, 1.5])
  for (const momentum of [-0.1, 1.1, Number.NaN, wrong('1')]) {
    refuses(
      t,
      () => Object.assign(norm, { momentum }),
      ArgumentError,
      /^BatchNorm1d: expected momentum from 0 to 1/,
    )
  }
  t.equal(norm.momentum, 0)
})

t.test('fit leaves frozen layers as they are', async (t) => {
  const model = net()
  const data = dataset({
    inputs: rows().data(),
    inputShape: [2],
    targets: Float32Array.of(1, 2, 3, 4),
    task: 'regress',
  })
  for (const layer of model.layers.slice(0, 2)) layer.freeze()
  const before = valuesOf(model)
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await fit(model, data, { loss: mse, optimizer, epochs: 3, batchSize: 2 })
  t.strictSame(valuesOf(model).slice(0, 6), before.slice(0, 6))
  t.notSame(valuesOf(model)[6], before[6])
})
