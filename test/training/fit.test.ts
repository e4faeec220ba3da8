/** What `fit` and `evaluate` refuse, and what a training begins with. */
import t from 'tap'
import {
  Adam,
  ArgumentError,
  type Dataset,
  dataset,
  distortion,
  evaluate,
  type FitOptions,
  fit,
  getBackend,
  Linear,
  Module,
  memory,
  mlp,
  mse,
  pretrain,
  Sequential,
  SGD,
  ShapeError,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  type Tensor,
} from '../../lib/index.js'
import {
  hasOneOrder,
  nearParameters,
  network,
  onBothBackendsLater,
  rejects,
  rounding,
  sameParameters,
  settledMemory,
} from '../support/engine.js'

const data = dataset({
  inputs: Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i), i / 40]),
  targets: Array.from({ length: 40 }, (_, i) => i % 2),
})
const loss = softmaxCrossEntropy
const start = (model = network([3, 8, 2])) => ({
  model,
  options: {
    loss,
    optimizer: new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
    epochs: 3,
    batchSize: 16,
    seed: 0,
  },
})

t.test('options that no training can be made of', async (t) => {
  setBackend('native')
  const { model, options } = start()
  const stranger = new SGD(network([3, 8, 2]).parameters(), { lr: 0.1 })
  const [live, buffers] = await settledMemory()
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ loss: undefined }, /^fit: expected a loss such as softmaxCrossEntropy, got undefined$/],
    [{ loss: 'mse' }, /^fit: expected a loss such as softmaxCrossEntropy, got mse$/],
    [{ optimizer: 'sgd' }, /^fit: expected an optimizer such as .*, got sgd$/],
    [
      { optimizer: stranger },
      /^fit: expected an optimizer of the model's parameters, got another's$/,
    ],
    [{ batchSize: 0 }, /^fit: expected batchSize >= 1, got 0$/],
    [{ seed: 0.5 }, /^fit: expected a seed from 0 to 2\^53 - 1, got 0.5$/],
    [{ epochs: -1 }, /^fit: expected epochs >= 0, got -1$/],
  ]
  for (const [changes, message] of refused) {
    const all = { ...options, ...changes } as FitOptions
    await rejects(t, fit(model, data, all), ArgumentError, message)
  }
  t.strictSame([memory().live, memory().buffers], [live, buffers], 'nothing was copied')
})

t.test('data that are none', async (t) => {
  setBackend('native')
  const { model, options } = start()
  const empty = { ...data, size: 0, inputs: new Float32Array(0), targets: new Int32Array(0) }
  const message = /^(fit|evaluate): expected a data set, as dataset\(\) makes it, got /
  for (const wrong of [empty, [[1, 2, 3]], undefined] as Dataset[]) {
    await rejects(t, fit(model, wrong, options), ArgumentError, message)
    await rejects(t, evaluate(model, wrong, { loss }), ArgumentError, message)
  }
})

onBothBackendsLater('evaluate refuses what has no mean', async (t) => {
  const model = mlp([3, 4, 2])
  const values = dataset({ inputs: [[1, 2, 3]], targets: [[1, 2]] })
  const perElement = (y: Tensor, targets: Tensor) => mse(y, targets, 'none')
  const none = undefined as unknown as Parameters<typeof evaluate>[2]
  await rejects(t, evaluate(model, data, none), ArgumentError, /expected a loss such as/)
  await rejects(t, evaluate(model, data, { loss, batchSize: 0 }), ArgumentError, /batchSize >= 1/)
  await rejects(
    t,
    evaluate(model, values, { loss: perElement as typeof mse }),
    ShapeError,
    'evaluate: expected a loss that gives a scalar, the mean of the batch, got shape [1, 2]',
  )
})

onBothBackendsLater('gradients that another loop left behind have no part in it', async (t) => {
  const clean = start()
  await fit(clean.model, data, clean.options)
  const { model, options } = start()
  loss(model.forward(new Linear(3, 3).weight), clean.model.forward(new Linear(3, 3).weight))
    .mul(100)
    .backward()
  t.ok(model.parameters().every(({ grad }) => grad))
  await fit(model, data, options)
  sameParameters(t, model, clean.model, 'as without them')
})

onBothBackendsLater('without a seed each call draws an order, which setSeed repeats', async (t) => {
  const train = async (options: Partial<FitOptions> = {}) => {
    const { model, options: given } = start()
    await fit(model, data, { ...given, seed: undefined, ...options })
    return model.parameters().flatMap((parameter) => [...parameter.data()])
  }
  for (const options of [{}, { shuffle: false, validation: 0.5 }]) {
    setSeed(3)
    const [first, second] = [await train(options), await train(options)]
    t.notSame(second, first, 'two calls differ')
    setSeed(3)
    t.strictSame([await train(options), await train(options)], [first, second], 'a program repeats')
  }
  t.strictSame(await train({ seed: 5 }), await train({ seed: 5 }))
})

onBothBackendsLater('a setting that is switched on counts from the next epoch', async (t) => {
  /** Runs eagerly from its first step on. */
  class Reading extends Sequential {
    override forward(x: Tensor): Tensor {
      x.data()
      return super.forward(x)
    }
  }
  const train = async (model: Module) => {
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const warnings: string[] = []
    const warn = ({ message }: Error) => void warnings.push(message)
    process.on('warning', warn)
    const onEpoch = () => {
      optimizer.groups[0].momentum = 0.9
    }
    await fit(model, data, { loss, optimizer, epochs: 3, batchSize: 16, seed: 0, onEpoch })
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warn)
    return warnings
  }
  const model = network([3, 8, 2])
  t.strictSame(await train(model), [], 'without a warning: it is captured anew')
  const wanted = new Reading(...network([3, 8, 2]).layers)
  await train(wanted)
  // Three epochs of three steps, whose batches have 16 examples at most.
  nearParameters(t, model, wanted, hasOneOrder(getBackend()) ? 0 : rounding(16, 9), 'as eagerly')
})

t.test('regularizers that are none', async (t) => {
  const parameters = mlp([2, 2]).parameters()
  for (const regularizer of ['l2', 1e-4, null]) {
    const settings = { lr: 0.1, regularizer: regularizer as never }
    t.throws(() => new Adam(parameters, settings), {
      message: `Adam: expected regularizers such as l2(1e-4), got ${regularizer}`,
    })
  }
})

onBothBackendsLater('parameters in arrays, objects and maps are trained', async (t) => {
  class Heads extends Module {
    readonly list = [new Linear(3, 2)]
    readonly named = { a: { b: new Linear(3, 2) } }
    readonly map = new Map([['c', new Linear(3, 2)]])

    forward(x: Tensor): Tensor {
      return this.list[0]
        .forward(x)
        .add(this.named.a.b.forward(x))
        .add(this.map.get('c')!.forward(x))
    }
  }
  const model = new Heads()
  const paths = ['list.0', 'named.a.b', 'map.c'].flatMap((path) => [
    `${path}.weight`,
    `${path}.bias`,
  ])
  t.strictSame([...model.namedParameters().keys()], paths)
  const before = model.stateDict()
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await fit(model, data, { loss, optimizer, epochs: 1 })
  for (const [path, { data }] of model.stateDict()) t.notSame(data, before.get(path)!.data, path)
  model.eval()
  t.equal(model.map.get('c')!.training, false)
})

t.test('options that do not exist', async (t) => {
  setBackend('native')
  const { model, options } = start()
  const extra = (given: object) => given as never
  const calls: [() => unknown, RegExp][] = [
    [
      () => mlp([2, 2], extra({ actvation: 'tanh' })),
      /^mlp: unknown option actvation; did you mean /,
    ],
    [() => mlp([2, 2], extra('relu' as never)), /^mlp: expected one object of options/],
    [
      () => new SGD(model.parameters(), extra({ lr: 0.1, weight_decay: 1 })),
      /^SGD: unknown option weight_decay; did you mean weightDecay\?$/,
    ],
    [
      () => new Adam([{ parameters: model.parameters(), beta: 1 } as never], { lr: 0.1 }),
      /^Adam: unknown option beta; did you mean beta1\?$/,
    ],
    [
      () => distortion(extra({ imageShape: [2, 2], rotaton: 1 })),
      /^distortion: unknown option rotaton; did you mean rotation\?$/,
    ],
  ]
  for (const [call, message] of calls) t.throws(call, { name: 'ArgumentError', message })
  await rejects(
    t,
    fit(model, data, extra({ ...options, batchsize: 8 })),
    ArgumentError,
    'fit: unknown option batchsize; did you mean batchSize?',
  )
  const noisy = extra({ method: 'rbm', epochs: 1, noise: { masking: 0.1 } })
  await rejects(
    t,
    pretrain(model, data, noisy),
    ArgumentError,
    /^pretrain by rbm: expected options/,
  )
})
