/** Autoencoders: gradients, noise, training, and what they refuse. */
import t from 'tap'
import {
  Adam,
  ArgumentError,
  Autoencoder,
  type AutoencoderOptions,
  binaryCrossEntropyWithLogits,
  capture,
  type Dataset,
  dataset,
  digits,
  Generator,
  gradCheck,
  mse,
  noGrad,
  SGD,
  ShapeError,
  scope,
  setBackend,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { close, identical, onBothBackendsLater, rejects, settledMemory } from '../support/engine.js'
import { leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

const INPUTS = [
  [0.1, 0.9, 0.5, 0],
  [1, 0.2, 0.7, 0.4],
]

/** Weights for 4 × 3 units that are no special case: W, c, b, W'. */
const values = (shape: number[], seed: number) => new Generator(seed).normal(shape).toArray()
const WEIGHTS = [values([4, 3], 1), values([3], 2), values([4], 3), values([3, 4], 4)] as const

/** The risk as a function of all parameters, which take the place of the autoencoder's own. */
function riskOf(options: AutoencoderOptions) {
  return (x: Tensor, weight: Tensor, bias: Tensor, visibleBias: Tensor, decoderWeight: Tensor) => {
    const autoencoder = new Autoencoder(4, 3, options)
    Object.assign(autoencoder.encoder, { weight, bias })
    Object.assign(autoencoder, { visibleBias })
    if (options.tied === false) Object.assign(autoencoder, { decoderWeight })
    return autoencoder.reconstructionLoss(x)
  }
}

t.test('gradients of every kind against central differences', async (t) => {
  for (const activation of ['sigmoid', 'relu', 'tanh'] as const) {
    for (const tied of [true, false]) {
      for (const [decoder, loss] of [
        ['sigmoid', 'crossEntropy'],
        ['sigmoid', 'squaredError'],
        ['linear', 'squaredError'],
      ] as const) {
        const options = { activation, tied, decoder, loss }
        const { ok, worst } = gradCheck(riskOf(options), [INPUTS, ...WEIGHTS])
        t.ok(ok, JSON.stringify({ ...options, worst }))
      }
    }
  }
})

onBothBackends('the risk is the loss of the reconstruction, summed over the units', (t) => {
  const x = tensor(INPUTS)
  for (const tied of [true, false]) {
    const sigmoid = new Autoencoder(4, 3, { tied, generator: new Generator(1) })
    const h = sigmoid.encode(x)
    const weight = tied ? sigmoid.encoder.weight.transpose() : sigmoid.decoderWeight!
    const logits = h.matmul(weight).add(sigmoid.visibleBias)
    close(t, sigmoid.forward(x).data(), logits.sigmoid().data(), 1e-6, 'reconstruction')
    const wanted = binaryCrossEntropyWithLogits(logits, x).item() * 4
    close(t, [sigmoid.reconstructionLoss(x).item()], [wanted], 1e-6, 'cross-entropy')
    const linear = new Autoencoder(4, 3, { tied, decoder: 'linear', activation: 'tanh' })
    close(
      t,
      [linear.reconstructionLoss(x).item()],
      [mse(linear.forward(x), x).item() * 4],
      1e-6,
      'squares',
    )
    t.equal(sigmoid.parameters().length, tied ? 3 : 4)
  }
})

onBothBackends('noise is there while training, and new each time', (t) => {
  const x = leaf(INPUTS)
  for (const noise of [{ masking: 0.5 }, { gaussian: 0.3 }]) {
    const autoencoder = new Autoencoder(4, 3, { noise, generator: new Generator(1) })
    const losses = Array.from({ length: 8 }, () => autoencoder.reconstructionLoss(x).item())
    t.ok(new Set(losses).size > 4, JSON.stringify(noise))
    const plain = new Autoencoder(4, 3, { generator: new Generator(1) })
    t.equal(
      autoencoder.eval().reconstructionLoss(x).item(),
      plain.reconstructionLoss(x).item(),
      'not otherwise',
    )
  }
  // With weights of its own for decoding, a masked input leaves those into it without a gradient.
  const options = { tied: false, noise: { masking: 0.3 }, generator: new Generator(2) }
  const untied = new Autoencoder(4, 3, options)
  const gradients = capture((v: Tensor) => {
    untied.reconstructionLoss(v).backward()
    return untied.encoder.weight.grad!.abs().sum(1)
  })
  const ones = tensor([[1, 1, 1, 1]])
  const rows = Array.from({ length: 400 }, () => [...gradients(ones).data()]).flat()
  const masked = rows.filter((value) => value === 0).length / rows.length
  t.ok(Math.abs(masked - 0.3) < 5 * Math.sqrt((0.3 * 0.7) / rows.length), `${masked} are masked`)
})

/** Mean squared error of reconstructing inputs of which this share is missing. */
function errorWithMissing(autoencoder: Autoencoder, data: Dataset, share: number): number {
  const x = tensor(
    Float32Array.from(data.inputs, (value) => value * data.scale),
    [data.size, 64],
  )
  const corrupted = x.mul(new Generator(9).bernoulli(x.shape, 1 - share))
  return noGrad(() => scope(() => mse(autoencoder.forward(corrupted), x).item()))
}

t.test('a denoising autoencoder fills in what is missing', async (t) => {
  setBackend('native')
  const data = digits()
  const train = async (options: AutoencoderOptions) => {
    const autoencoder = new Autoencoder(64, 100, { generator: new Generator(1), ...options })
    const optimizer = new Adam(autoencoder.parameters(), { lr: 0.003 })
    const { epochs } = await autoencoder.fit(data, { optimizer, epochs: 15, batchSize: 50 })
    t.ok(epochs.at(-1)!.loss < 0.8 * epochs[0].loss)
    return errorWithMissing(autoencoder, data, 0.4)
  }
  const plain = await train({})
  for (const options of [{}, { tied: false }, { activation: 'relu', decoder: 'linear' }] as const) {
    const denoising = await train({ noise: { masking: 0.4 }, ...options })
    t.ok(
      denoising < 0.9 * plain,
      `${JSON.stringify(options)}: ${denoising}, without noise ${plain}`,
    )
  }
})

onBothBackendsLater('captured and eager steps are the same', async (t) => {
  const train = async (captured: boolean) => {
    const generator = new Generator(3)
    const autoencoder = new Autoencoder(70, 50, { noise: { masking: 0.3 }, generator })
    const optimizer = new SGD(autoencoder.parameters(), { lr: 0.1, momentum: 0.9 })
    const x = new Generator(4).bernoulli([33, 70], 0.3)
    const step = () => {
      const risk = autoencoder.reconstructionLoss(x)
      risk.backward()
      optimizer.step()
      optimizer.zeroGrad()
      return risk
    }
    const replay = capture(step)
    for (let i = 0; i < 4; i++) await (captured ? replay.run() : scope(step).item())
    replay.dispose()
    return autoencoder.encoder.weight.data()
  }
  identical(t, await train(true), await train(false), 'weights')
})

onBothBackendsLater('bad input', async (t) => {
  const inputs = new Float32Array(128).fill(-0.5)
  const data = dataset({ inputs, inputShape: [64], targets: [0, 1] })
  const fit = (options: AutoencoderOptions) => {
    const autoencoder = new Autoencoder(64, 5, options)
    const optimizer = new SGD(autoencoder.parameters(), { lr: 0.01 })
    return autoencoder.fit(data, { optimizer, epochs: 1 })
  }
  await rejects(t, fit({}), ArgumentError, /^Autoencoder: expected inputs from 0 to 1, got -0.5/)
  t.equal((await fit({ decoder: 'linear' })).ended, 'epochs')
  const narrow = new Autoencoder(63, 5)
  const optimizer = new SGD(narrow.parameters(), { lr: 0.01 })
  await rejects(t, narrow.fit(digits(), { optimizer, epochs: 1 }), ShapeError, /\[63\], got \[64\]/)
  refuses(t, () => new Autoencoder(0, 5), ShapeError)
  const refused: AutoencoderOptions[] = [
    { activation: wrong('softmax') },
    { decoder: wrong('relu') },
    { loss: wrong('hinge') },
    { decoder: 'linear', loss: 'crossEntropy' },
    { noise: { masking: 1 } },
    { noise: { masking: -0.1 } },
    { noise: { gaussian: Number.NaN } },
    { noise: wrong({}) },
    { noise: wrong(0.3) },
    { noise: wrong({ masking: 0.1, gaussian: 0.1 }) },
  ]
  for (const options of refused) refuses(t, () => new Autoencoder(4, 3, options), ArgumentError)
})

t.test('memory goes back to where it was', async (t) => {
  setBackend('native')
  const data = digits()
  const round = async () => {
    const generator = new Generator(1)
    const autoencoder = new Autoencoder(64, 20, { tied: false, noise: { gaussian: 1 }, generator })
    const optimizer = new SGD(autoencoder.parameters(), { lr: 0.1, momentum: 0.5 })
    await autoencoder.fit(data, { optimizer, epochs: 1, batchSize: 100 })
    autoencoder.dispose()
  }
  await round()
  const before = await settledMemory()
  await round()
  t.strictSame(await settledMemory(), before)
})
