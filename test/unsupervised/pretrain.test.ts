/** Greedy pre-training: that it pays, that it can be repeated, and what it refuses. */
import t from 'tap'
import {
  type ActivationName,
  ArgumentError,
  DataError,
  DivergenceError,
  dataset,
  digits,
  evaluate,
  fit,
  Generator,
  Linear,
  mlp,
  type PretrainOptions,
  type PretrainReport,
  pretrain,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
  Sigmoid,
  setBackend,
  setNumThreads,
  setSeed,
  softmaxCrossEntropy,
  split,
  subset,
  tensor,
} from '../../lib/index.js'
import {
  bits,
  identical,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  settledMemory,
} from '../support/engine.js'
import { wrong } from '../support/reference.js'

const few = subset(
  digits(),
  Int32Array.from({ length: 200 }, (_, i) => i),
)
const UNITS = [64, 30, 20, 10]
const sigmoids = (seed = 1) => network(UNITS, seed, 'sigmoid')
const RBM: PretrainOptions = { method: 'rbm', epochs: 2, batchSize: 20, seed: 3 }

t.test('at equal supervised budget, a deep sigmoid network errs less after it', async (t) => {
  setBackend('native')
  const { train, test } = split(digits(), 0.3, 1)
  const error = async (options: PretrainOptions | undefined) => {
    const model = network([64, 100, 100, 100, 100, 10], 1, 'sigmoid')
    if (options) await pretrain(model, train, options)
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
    await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 15, batchSize: 50 })
    return 1 - (await evaluate(model, test, { loss: softmaxCrossEntropy })).accuracy!
  }
  const without = await error(undefined)
  t.ok(without > 0.5, `${without} without`)
  const common = { epochs: 15, batchSize: 50 }
  const methods: PretrainOptions[] = [
    { method: 'rbm', ...common },
    { method: 'autoencoder', noise: { masking: 0.25 }, ...common },
  ]
  for (const options of methods) {
    const after = await error(options)
    t.ok(after < 0.1, `${after} after ${options.method}`)
  }
})

onBothBackendsLater('the seed decides, and nothing else', async (t, backend) => {
  for (const options of [
    RBM,
    { ...RBM, method: 'autoencoder', noise: { gaussian: 0.2 }, tied: false } as const,
  ]) {
    const train = async (model = sigmoids(), changes: Partial<PretrainOptions> = {}) => {
      await pretrain(model, few, { ...options, ...changes } as PretrainOptions)
      return model.layers
        .filter((layer) => layer instanceof Linear)
        .slice(0, -1)
        .flatMap((layer) => [...layer.weight.data()])
    }
    const wanted = await train()
    identical(t, await train(), wanted, 'again')
    identical(t, await train(sigmoids(2)), wanted, 'from other weights')
    if (backend === 'native') {
      setNumThreads(3)
      identical(t, await train(), wanted, 'on three threads')
      setNumThreads(1)
    }
    t.notSame(await train(sigmoids(), { seed: 4 }), wanted, 'another seed')
  }
})

onBothBackendsLater('without a seed, each call has another, which setSeed repeats', async (t) => {
  const options = { ...RBM, seed: undefined }
  const train = async (changes: Partial<PretrainOptions> = {}) => {
    const model = sigmoids()
    await pretrain(model, few, { ...options, ...changes } as PretrainOptions)
    return model.parameters().flatMap((parameter) => [...parameter.data()])
  }
  setSeed(3)
  const [first, second] = [await train(), await train()]
  t.notSame(second, first)
  setSeed(3)
  t.strictSame([await train(), await train()], [first, second])
  setSeed(3)
  const checkpoint = `${t.testdir()}/unseeded`
  await train({ checkpoint, epochs: 1 })
  t.strictSame(await train({ checkpoint }), first, 'interrupted, it goes on with its own')
})

onBothBackendsLater('interrupted, it goes on to the same bits', async (t) => {
  for (const options of [
    { ...RBM, epochs: 7 },
    { ...RBM, epochs: 7, method: 'autoencoder', noise: { masking: 0.2 } } as const,
  ]) {
    const whole = sigmoids()
    const { layers } = await pretrain(whole, few, options)
    const checkpoint = `${t.testdir()}/${options.method}`
    // In the first layer before and after the momentum changes, and in the second.
    for (const [layer, epoch] of [
      [1, 2],
      [1, 6],
      [2, 3],
    ]) {
      const abort = new AbortController()
      const { ended } = await pretrain(sigmoids(2), few, {
        ...options,
        checkpoint,
        signal: abort.signal,
        onEpoch: (report) => {
          if (report.layer === layer && report.epoch === epoch) abort.abort()
        },
      })
      t.equal(ended, 'aborted')
    }
    const resumed = sigmoids()
    const last = await pretrain(resumed, few, { ...options, checkpoint })
    sameParameters(t, resumed, whole, options.method)
    t.strictSame(
      last.layers.map(({ epochs }) => epochs.map(({ loss }) => loss)),
      layers.map(({ epochs }) => epochs.map(({ loss }) => loss)),
    )
    const others = network([64, 31, 20, 10], 1, 'sigmoid')
    await rejects(t, pretrain(others, few, { ...options, checkpoint }), DataError, /layer1/)
    const faster = { ...options, checkpoint, lr: 0.2 }
    await rejects(
      t,
      pretrain(sigmoids(), few, faster),
      DataError,
      /layer1.* lr \(was 0\.1, is 0\.2\)/,
    )
    await pretrain(sigmoids(), few, { ...faster, resumeWith: ['lr'] })
  }
})

t.test('layers begin again when one below them is trained further', async (t) => {
  setBackend('native')
  const wanted = sigmoids()
  await pretrain(wanted, few, { ...RBM, epochs: 4 })
  const checkpoint = `${t.testdir()}/further`
  await pretrain(sigmoids(), few, { ...RBM, checkpoint })
  const further = sigmoids()
  await pretrain(further, few, { ...RBM, epochs: 4, checkpoint })
  sameParameters(t, further, wanted, 'as in one go')
})

t.test('what lies below decides on the visible units', async (t) => {
  setBackend('native')
  const real = dataset({ ...few, inputs: new Generator(1).normal([200, 64]).data(), scale: 1 })
  const options = { method: 'autoencoder', epochs: 3, batchSize: 20 } as const
  const dropping = mlp([64, 9, 10], { activation: 'sigmoid', inputDropout: 0.2 })
  const range = /expected inputs from 0 to 1, got /
  await rejects(t, pretrain(dropping, real, options), ArgumentError, range)
  // Nothing says that the outputs of a layer without an activation are probabilities.
  const linear = new Sequential(new Linear(64, 9), new Linear(9, 8), new Sigmoid())
  const { layers } = await pretrain(linear, few, options)
  for (const { loss } of layers[0].epochs) t.ok(loss > 0, `${loss}`)
})

onBothBackendsLater(
  'reports, layer by layer, and an output layer that is left alone',
  async (t) => {
    const reports: PretrainReport[] = []
    const [model, untouched] = [sigmoids(), sigmoids()]
    const { layers, ended } = await pretrain(model, few, {
      ...RBM,
      epochs: 3,
      onEpoch: (report) => void reports.push(report),
    })
    t.equal(ended, 'epochs')
    t.strictSame(
      reports.map(({ layer, layers, epoch }) => [layer, layers, epoch]),
      [1, 2].flatMap((layer) => [1, 2, 3].map((epoch) => [layer, 2, epoch])),
    )
    t.strictSame(
      layers.map(({ epochs }) => epochs.map(({ loss }) => loss)),
      [reports.slice(0, 3).map(({ loss }) => loss), reports.slice(3).map(({ loss }) => loss)],
    )
    for (const [first, , last] of [reports.slice(0, 3), reports.slice(3)]) {
      t.ok(last.loss < first.loss, `${first.loss}, then ${last.loss}`)
      t.ok(last.regularizationLoss > 0)
    }
    const output = (of: Sequential) => bits((of.layers.at(-1) as Linear).weight)
    t.strictSame(output(model), output(untouched))
    t.equal(model.training, false)
  },
)

t.test('layers in nested sequences, and other units with autoencoders', async (t) => {
  setBackend('native')
  const nested = new Sequential(
    new Sequential(new Linear(64, 9), new Sigmoid()),
    new Sequential(new Sequential(new Linear(9, 8)), new Sigmoid()),
  )
  t.equal((await pretrain(nested, few, RBM)).layers.length, 2, 'the last one has an activation')
  for (const activation of ['relu', 'tanh'] as ActivationName[]) {
    const model = network([64, 30, 20, 10], 1, activation)
    const { layers } = await pretrain(model, few, {
      method: 'autoencoder',
      epochs: 4,
      batchSize: 20,
    })
    for (const { epochs } of layers) t.ok(epochs.at(-1)!.loss < epochs[0].loss, activation)
  }
  const real = dataset({ ...few, inputs: new Generator(1).normal([200, 64]).data(), scale: 1 })
  for (const method of ['rbm', 'autoencoder'] as const) {
    const options = { method, visible: 'gaussian', epochs: 2, batchSize: 20 } as const
    const { layers } = await pretrain(sigmoids(), real, options)
    t.ok(layers[0].epochs[1].loss < layers[0].epochs[0].loss, method)
    await rejects(
      t,
      pretrain(sigmoids(), real, { ...options, visible: 'binary' }),
      ArgumentError,
      /expected inputs from 0 to 1, got -?\d/,
    )
  }
})

onBothBackendsLater('the signal stops it, and what was reached is kept', async (t) => {
  const controller = new AbortController()
  const [model, untouched] = [sigmoids(), sigmoids()]
  const { ended, layers } = await pretrain(model, few, {
    ...RBM,
    epochs: 1000,
    signal: controller.signal,
    onEpoch: ({ epoch }) => {
      if (epoch === 2) controller.abort()
    },
  })
  t.equal(ended, 'aborted')
  t.strictSame(
    layers.map(({ epochs }) => epochs.length),
    [2],
  )
  const weights = (of: Sequential, at: number) => bits((of.layers[at] as Linear).weight)
  t.notSame(weights(model, 0), weights(untouched, 0))
  t.strictSame(weights(model, 2), weights(untouched, 2))
  const again = sigmoids()
  await pretrain(again, few, { ...RBM, signal: AbortSignal.abort() })
  sameParameters(t, again, untouched, 'nothing was trained')
  await pretrain(again, few, { ...RBM, epochs: 0 })
  sameParameters(t, again, untouched, 'no epochs')
})

onBothBackendsLater('what goes wrong leaves the layer as it was', async (t) => {
  const [model, untouched] = [sigmoids(), sigmoids()]
  const diverging = { method: 'rbm', visible: 'gaussian', lr: 1e30, epochs: 3 } as const
  await rejects(
    t,
    pretrain(model, few, diverging),
    DivergenceError,
    /^pretrain: layer 1: fit: the loss became .* in epoch 1, step \d+ /,
  )
  sameParameters(t, model, untouched, 'after divergence')
  const failing = pretrain(model, few, {
    ...RBM,
    onEpoch: () => {
      throw new RangeError('mine')
    },
  })
  await rejects(t, failing, RangeError, 'mine')
  sameParameters(t, model, untouched, 'after an error of the callback')
})

onBothBackendsLater('bad input', async (t) => {
  const frozen = sigmoids()
  frozen.parameters()[0].requiresGrad = false
  const refused: [model: unknown, options: unknown, message: RegExp][] = [
    [
      sigmoids(),
      { method: 'pca', epochs: 1 },
      /^pretrain: expected method rbm or autoencoder, got pca/,
    ],
    [mlp([64, 10]), RBM, /^pretrain: expected a Sequential with Linear layers .* got Linear$/],
    [new ReLU(), RBM, /got ReLU$/],
    [mlp([64, 30, 10]), RBM, /^pretrain: rbm needs sigmoid units, got relu/],
    [
      mlp([64, 30, 10], { activation: 'sigmoid', bias: false }),
      RBM,
      /expected hidden layers with biases/,
    ],
    [frozen, RBM, /expected hidden layers to train, got one that is frozen/],
    [
      sigmoids(),
      { ...RBM, visible: 'real' },
      /expected visible units binary or gaussian, got real/,
    ],
    [
      sigmoids(),
      { ...RBM, method: 'autoencoder', visible: 'real' },
      /expected visible units binary or gaussian, got real/,
    ],
    [sigmoids(), { ...RBM, k: 0 }, /expected k >= 1/],
    [sigmoids(), { ...RBM, lr: -1 }, /expected lr >= 0/],
    [sigmoids(), { ...RBM, momentum: 1.1 }, /expected momentum/],
    [sigmoids(), { ...RBM, weightCost: -1 }, /expected lambda >= 0/],
    [sigmoids(), { ...RBM, epochs: 1.5 }, /expected epochs >= 0/],
    [sigmoids(), { ...RBM, batchSize: 0 }, /expected batchSize >= 1/],
    [sigmoids(), { ...RBM, seed: -1 }, /expected a seed/],
  ]
  for (const [model, options, message] of refused) {
    await rejects(t, pretrain(wrong(model), few, wrong(options)), ArgumentError, message)
  }
  const narrow = network([63, 30, 10], 1, 'sigmoid')
  await rejects(
    t,
    pretrain(narrow, few, RBM),
    ShapeError,
    'RBM: expected inputs of shape [63], got [64]',
  )
})

onBothBackendsLater('memory goes back to where it was', async (t) => {
  const model = sigmoids()
  const round = async (lr: number) => {
    await pretrain(model, few, { ...RBM, lr }).catch(() => {})
    await pretrain(model, few, { ...RBM, method: 'autoencoder', noise: { masking: 0.2 } })
  }
  await round(0.1)
  const before = await settledMemory()
  await round(0.1)
  await round(1e38)
  t.strictSame(await settledMemory(), before)
  t.equal(
    tensor(model.stateDict().get('layers.0.weight')!.data).mul(0).sum().item(),
    0,
    'still finite',
  )
})
