/** Restricted Boltzmann machines against sums over all states, and how their sampling behaves. */
import t, { type Test } from 'tap'
import {
  ArgumentError,
  capture,
  dataset,
  digits,
  Generator,
  init,
  noGrad,
  RBM,
  type RBMOptions,
  SGD,
  ShapeError,
  scope,
  setBackend,
  setNumThreads,
  tensor,
} from '../../lib/index.js'
import { bits, close, onBothBackendsLater, rejects, settledMemory } from '../support/engine.js'
import { ExactRBM, type Moments, states } from '../support/exactRBM.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const DATA = [
  [1, 1, 0, 0],
  [0, 1, 1, 0],
  [1, 0, 1, 1],
]

/** A machine of 4 × 3 units that is no special case. */
function small(options: RBMOptions = {}, std = 0.7): RBM {
  const generator = new Generator(1)
  const rbm = new RBM(4, 3, { init: init.normal(0, std), generator, ...options })
  rbm.encoder.bias!.assign([0.3, -0.2, 0.1])
  rbm.visibleBias.assign([-0.4, 0.2, 0.5, -0.1])
  return rbm
}

/** The gradient that the library leaves for each example, repeated so often: W, c, b as one list. */
function gradientOf(rbm: RBM, data: number[][], times: number): number[] {
  const v = tensor(Array.from({ length: times }, () => data).flat())
  rbm.zeroGrad()
  scope(() => rbm.reconstructionLoss(v).backward())
  const { weight, bias } = rbm.encoder
  return [weight, bias!, rbm.visibleBias].flatMap((parameter) => [...parameter.grad!.data()])
}

/** An average over `chains` chains is within five standard errors of its expectation. */
function expected(t: Test, found: number[], { mean, variance }: Moments, chains: number): void {
  t.equal(found.length, mean.length)
  for (const [i, value] of found.entries()) {
    const error = Math.sqrt(variance[i] / chains)
    t.ok(Math.abs(value - mean[i]) <= 5 * error, `element ${i}: ${value}, ${mean[i]} ± ${error}`)
  }
}

function cosine(a: number[], b: number[]): number {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

onBothBackends('the free energy is the sum over all hidden states', (t) => {
  for (const visible of ['binary', 'gaussian'] as const) {
    const rbm = small({ visible })
    const exact = new ExactRBM(rbm)
    const inputs = visible === 'binary' ? states(4) : [...DATA, [-1.5, 0.3, 2, 0.25]]
    const wanted = inputs.map((v) => exact.freeEnergy(v))
    close(t, rbm.freeEnergy(tensor(inputs)).data(), wanted, 1e-6, visible)
    const hidden = rbm.encode(tensor(inputs)).data()
    close(
      t,
      hidden,
      inputs.flatMap((v) => exact.hidden(v)),
      1e-6,
      `${visible}: p(h | v)`,
    )
    const means = rbm.decode(tensor(states(3))).data()
    close(
      t,
      means,
      states(3).flatMap((h) => exact.visible(h)),
      1e-6,
      `${visible}: E[v | h]`,
    )
  }
})

for (const reconstruction of ['means', 'samples'] as const) {
  onBothBackends(`CD-1 from ${reconstruction} has the gradient of all its chains`, (t) => {
    const rbm = small({ reconstruction })
    const exact = new ExactRBM(rbm)
    const times = 10_000
    const found = gradientOf(rbm, DATA, times)
    const cd1 = exact.cd1Gradient(DATA, reconstruction)
    expected(t, found, cd1, DATA.length * times)
    const direction = cosine(found, exact.likelihoodGradient(DATA).mean)
    t.ok(direction > 0.9, `it points along the likelihood's gradient: ${direction}`)
  })
}

for (const visible of ['binary', 'gaussian'] as const) {
  onBothBackends(`CD-k of ${visible} units comes to the gradient of the likelihood`, (t) => {
    // Weights of such a size that the chain has forgotten its start long before its end.
    const options = { visible, reconstruction: 'samples', k: 40 } as const
    const rbm = small(options, 0.5)
    const data = visible === 'binary' ? DATA : [...DATA, [-1.5, 0.3, 2, 0.25]]
    const exact = new ExactRBM(rbm).likelihoodGradient(data)
    const times = 5000
    const gradient = gradientOf(rbm, data, times)
    expected(t, gradient, exact, data.length * times)
    const far = gradientOf(small({ ...options, k: 1 }, 0.5), data, times)
    const distance = (found: number[]) => Math.hypot(...found.map((g, i) => g - exact.mean[i]))
    t.ok(distance(gradient) < distance(far) / 2, 'CD-1 is further away')
  })
}

onBothBackends('samples have the probabilities they are drawn with', (t) => {
  const times = 20_000
  const rbm = small({ visible: 'gaussian' })
  const exact = new ExactRBM(rbm)
  const v = [-1.5, 0.3, 2, 0.25]
  const hidden = rbm.sampleHidden(tensor(Array.from({ length: times }, () => v)))
  t.ok(hidden.data().every((value) => value === 0 || value === 1))
  const p = exact.hidden(v)
  expected(t, [...hidden.mean(0).data()], { mean: p, variance: p.map((q) => q * (1 - q)) }, times)
  const h = [1, 0, 1]
  const drawn = rbm.sampleVisible(tensor(Array.from({ length: times }, () => h)))
  const mean = exact.visible(h)
  expected(t, [...drawn.mean(0).data()], { mean, variance: [1, 1, 1, 1] }, times)
  const squares = drawn.sub(tensor(mean)).square().mean(0)
  // A squared normal number has the variance 2.
  expected(t, [...squares.data()], { mean: [1, 1, 1, 1], variance: [2, 2, 2, 2] }, times)
  t.ok(
    [
      ...small()
        .sampleVisible(tensor([h]))
        .data(),
    ].every((value) => value === 0 || value === 1),
  )
})

onBothBackendsLater(
  'a captured step draws new numbers every time, the same for the same seed',
  async (t, backend) => {
    const train = async (captured: boolean, threads = 1) => {
      if (backend === 'native') setNumThreads(threads)
      const rbm = new RBM(70, 50, { k: 2, reconstruction: 'samples', generator: new Generator(3) })
      const optimizer = new SGD(rbm.parameters(), { lr: 0.1, momentum: 0.9 })
      const v = new Generator(4).bernoulli([33, 70], 0.3)
      const step = () => {
        const risk = rbm.reconstructionLoss(v)
        risk.backward()
        optimizer.step()
        optimizer.zeroGrad()
        return risk
      }
      const replay = capture(step)
      const errors: number[] = []
      for (let i = 0; i < 4; i++)
        errors.push(captured ? (await replay.run()).item() : scope(step).item())
      replay.dispose()
      return { errors, weights: bits(rbm.encoder.weight) }
    }
    const eager = await train(false)
    t.equal(new Set(eager.errors).size, 4)
    t.strictSame(await train(true), eager, 'captured')
    if (backend === 'native') t.strictSame(await train(true, 2), eager, 'on two threads')
  },
)

t.test('replays on the same weights differ by what they draw', async (t) => {
  setBackend('native')
  const rbm = small()
  const error = capture((v) => noGrad(() => rbm.reconstructionLoss(v)))
  const errors = Array.from({ length: 5 }, () => error(tensor(DATA)).item())
  t.equal(new Set(errors).size, 5)
  t.equal(rbm.reconstructionLoss(tensor(DATA)).requiresGrad, true)
  t.equal(noGrad(() => rbm.reconstructionLoss(tensor(DATA))).requiresGrad, false)
})

onBothBackendsLater('fit lowers the reconstruction error and looks at no targets', async (t) => {
  const data = digits()
  const train = async (targets: Int32Array | Float32Array) => {
    const rbm = new RBM(64, 40, { generator: new Generator(1) })
    const optimizer = new SGD(rbm.parameters(), { lr: 0.1, momentum: 0.5 })
    const options = { optimizer, epochs: 5, batchSize: 20, validation: 0.1, seed: 0 }
    const labelled = dataset({ ...data, targets, classes: undefined })
    const { epochs } = await rbm.fit(labelled, options)
    return { epochs, weights: bits(rbm.encoder.weight) }
  }
  const { epochs, weights } = await train(data.targets)
  // The best that can be said of all examples alike is their mean.
  const x = tensor(
    Float32Array.from(data.inputs, (v) => v * data.scale),
    [data.size, 64],
  )
  const ofMeans = x.sub(x.mean(0)).square().sum().item() / data.size
  const [first] = epochs
  const last = epochs.at(-1)!
  t.ok(last.loss < first.loss && last.loss < 0.7 * ofMeans, `${last.loss}, means ${ofMeans}`)
  t.ok(last.validationLoss! < 0.7 * ofMeans)
  t.equal(last.validationAccuracy, undefined)
  t.strictSame((await train(new Float32Array(data.size))).weights, weights)
})

onBothBackendsLater('bad input', async (t) => {
  const data = digits()
  const rbm = new RBM(64, 5)
  const options = { optimizer: new SGD(rbm.parameters(), { lr: 0.1 }), epochs: 1 }
  await rejects(
    t,
    new RBM(63, 5).fit(data, options),
    ShapeError,
    'RBM: expected inputs of shape [63], got [64]',
  )
  for (const value of [-0.25, 1.5]) {
    const inputs = new Float32Array(128)
    inputs[70] = value
    const outside = dataset({ inputs, inputShape: [64], targets: [0, 1] })
    await rejects(
      t,
      rbm.fit(outside, options),
      ArgumentError,
      new RegExp(`from 0 to 1, got ${value} at position 70`),
    )
    const real = new RBM(64, 5, { visible: 'gaussian' })
    const optimizer = new SGD(real.parameters(), { lr: 0.001 })
    t.equal((await real.fit(outside, { optimizer, epochs: 1 })).ended, 'epochs')
  }
  refuses(t, () => new RBM(0, 5), ShapeError)
  refuses(t, () => new RBM(5, 1.5), ShapeError)
  refuses(t, () => new RBM(4, 3, { k: 0 }), ArgumentError)
  refuses(t, () => new RBM(4, 3, { visible: wrong('relu') }), ArgumentError)
  refuses(t, () => new RBM(4, 3, { reconstruction: wrong('mean') }), ArgumentError)
  refuses(t, () => small().reconstructionLoss(tensor([[1, 2]])), ShapeError)
})

onBothBackendsLater('memory goes back to where it was', async (t) => {
  const data = digits()
  const round = async () => {
    const rbm = new RBM(64, 20, { k: 2, generator: new Generator(1) })
    const optimizer = new SGD(rbm.parameters(), { lr: 0.1 })
    await rbm.fit(data, { optimizer, epochs: 1, batchSize: 100 })
    rbm.dispose()
  }
  await round()
  const before = await settledMemory()
  await round()
  t.strictSame(await settledMemory(), before)
})
