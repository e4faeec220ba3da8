/** What changes while `fit` trains: it counts from the next epoch on, or is refused. */
import t from 'tap'
import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  dataset,
  evaluate,
  fit,
  Generator,
  Linear,
  type Module,
  Monitor,
  Sequential,
  SGD,
  Sigmoid,
  Softmax,
  setBackend,
  sigmoidFocal,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  type Tensor,
} from '../../lib/index.js'
import {
  bits,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  warningsOf,
} from '../support/engine.js'
import { wrong } from '../support/reference.js'

const size = 48
const examples = (scale = 1) =>
  dataset({
    inputs: new Generator(1).normal([size, 6]).mul(scale).data(),
    inputShape: [6],
    targets: Int32Array.from({ length: size }, (_, i) => i % 4),
  })
const data = examples()
const loss = softmaxCrossEntropy

/** Computes the same as the network inside, but cannot be captured. */
class Reading extends Sequential {
  override forward(x: Tensor): Tensor {
    x.data()
    return super.forward(x)
  }
}

const train = (model: Module, onEpoch: (epoch: number, model: Module) => void) => {
  // With momentum nothing is fused, so that both ways agree to the bit.
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const options = { loss, optimizer, epochs: 4, batchSize: 8, validation: 0.25, seed: 1 }
  return fit(model, data, { ...options, onEpoch: ({ epoch }) => onEpoch(epoch, model) })
}

onBothBackendsLater('weights that onEpoch freezes, and lets go again', async (t) => {
  const weights: Uint32Array[] = []
  const freeze = (epoch: number, model: Module) => {
    const [first] = model.parameters()
    weights.push(bits(first))
    first.requiresGrad = epoch !== 1 && epoch !== 2
  }
  const model = network([6, 9, 4])
  const found = await warningsOf(() => train(model, freeze))
  t.strictSame(found, [], 'captured all the time')
  const [one, two, three, four] = weights
  t.strictSame([two, three], [one, one], 'as they were when they were frozen')
  t.notSame(four, one)
  const eager = new Reading(...network([6, 9, 4]).layers)
  await warningsOf(() => train(eager, freeze))
  sameParameters(t, model, eager, 'as step by step')
})

onBothBackendsLater('a model that onEpoch switches to inference', async (t) => {
  /** Trains its second layer in inference only. */
  class Switching extends Sequential {
    override forward(x: Tensor): Tensor {
      return this.training ? this.layers[0].forward(x) : this.layers[1].forward(x)
    }
  }
  const model = new Switching(new Linear(6, 4), new Linear(6, 4))
  const weights: number[][] = []
  await train(model, (epoch) => {
    weights.push(model.parameters().map((parameter) => parameter.data()[0]))
    model.train(epoch !== 2)
  })
  const moved = weights.slice(1).map((now, i) => [0, 2].map((k) => now[k] !== weights[i][k]))
  t.strictSame(moved, [
    [true, false],
    [false, true],
    [true, false],
  ])
})

onBothBackendsLater('a monitor of a network that is frozen in part', async (t) => {
  const model = network([6, 9, 4])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const monitor = new Monitor({ every: 3 })
  const onEpoch = () => {
    model.parameters()[0].requiresGrad = false
    model.parameters()[1].requiresGrad = false
  }
  await fit(model, data, { loss, optimizer, epochs: 2, batchSize: 8, monitor, onEpoch })
  // Steps 1 and 4 are of the first epoch, 7 and 10 of the second.
  const updates = monitor.series('updateNorm')
  const of = (layer: string) =>
    updates.filter((point) => point.layer === layer).map(({ value }) => value > 0)
  t.strictSame(of('layers.0'), [true, true, false, false])
  t.strictSame(of('layers.2'), [true, true, true, true])
})

onBothBackendsLater('a layer that onEpoch puts in place of another', async (t) => {
  const model = network([6, 9, 4])
  const replace = () => {
    wrong(model.layers)[2] = new Linear(9, 4)
  }
  const message =
    'fit: expected the model to keep its parameters, got another layers.2.weight, which the optimizer does not know; call fit anew with a new optimizer'
  await rejects(t, train(model, replace), ArgumentError, message)
})

t.test('a model all of whose weights are frozen', async (t) => {
  setBackend('native')
  const model = network([6, 9, 4])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  for (const parameter of model.parameters()) parameter.requiresGrad = false
  const message =
    'fit: expected a parameter to train in the optimizer, got requiresGrad false on all of them'
  await rejects(t, fit(model, data, { loss, optimizer, epochs: 1 }), ArgumentError, message)
})

t.test('a model that ends with the activation that its loss computes', async (t) => {
  const twice = [
    { last: new Softmax(), loss: softmaxCrossEntropy },
    { last: new Sigmoid(), loss: binaryCrossEntropyWithLogits },
    { last: new Softmax(), loss: binaryCrossEntropyWithLogits },
    { last: new Softmax(), loss: softmaxCrossEntropyLoss({ labelSmoothing: 0.1 }) },
    { last: new Sigmoid(), loss: sigmoidFocal },
  ]
  for (const { last, loss } of twice) {
    const model = new Sequential(network([6, 4]), new Sequential(last))
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const message = `expected a model that ends with logits, got ${last.constructor.name} before a loss that computes it itself; leave it out`
    await rejects(
      t,
      fit(model, data, { loss, optimizer, epochs: 1 }),
      ArgumentError,
      `fit: ${message}`,
    )
    await rejects(t, evaluate(model, data, { loss }), ArgumentError, `evaluate: ${message}`)
  }
})

t.test('inputs that are not scaled', async (t) => {
  const model = network([6, 4])
  const optimizer = new SGD(model.parameters(), { lr: 1e-9 })
  const warnings = (data: Parameters<typeof fit>[1]) =>
    warningsOf(() => fit(model, data, { loss, optimizer, epochs: 2 }))
  const { inputs } = examples(1000)
  const [min, max] = [Math.min(...inputs), Math.max(...inputs)]
  t.strictSame(await warnings(examples(1000)), [
    `fit: the inputs range from ${min} to ${max}; networks train badly on inputs that are not scaled: preprocess(data, fitPreprocessing(data)) standardizes them`,
  ])
  t.strictSame(await warnings(data), [], 'standardized')
  const bytes = Uint8Array.from({ length: size * 6 }, (_, i) => i % 256)
  const ofBytes = (scale: number) => ({ ...data, inputs: bytes, scale })
  t.strictSame(await warnings(ofBytes(1 / 255)), [], 'bytes as 0 to 1')
  t.match(await warnings(ofBytes(1)), [/^fit: the inputs range from 0 to 255; /])
  const limits = (largest: number) => ({
    ...data,
    inputs: data.inputs.map((_, i) => (i === 7 ? largest : -50)),
  })
  t.strictSame(await warnings(limits(50)), [])
  t.match(await warnings(limits(50.5)), [/^fit: the inputs range from -50 to 50.5; /])
})
