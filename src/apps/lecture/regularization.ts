/** Item 13: L2 and L1, what they leave of the weights, and the priors they stand for. */
import {
  type Dataset,
  evaluate,
  fit,
  l1,
  l2,
  mlp,
  type Regularizer,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  subset,
  tensor,
} from 'neuroblas'
import { histograms, weightImages } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

type Penalized = { regularizer?: Regularizer; weightDecay?: number }

/** A network with 100 hidden units, trained with a regularizer or with PyTorch's weight decay. */
async function train(data: Dataset, { regularizer, weightDecay }: Penalized, signal: AbortSignal) {
  setSeed(1)
  // lecture:begin
  const network = mlp([784, 100, 10], { activation: 'tanh' })
  const isWeight = ({ shape }: { shape: readonly number[] }) => shape.length === 2
  const parameters = network.parameters()
  const groups = [
    { parameters: parameters.filter(isWeight), weightDecay },
    { parameters: parameters.filter((parameter) => !isWeight(parameter)) },
  ]
  await fit(network, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(groups, { lr: 0.1, regularizer }), // l1(lambda), l2(lambda), or both
    epochs: 15,
    seed: 0,
    signal,
  })
  // lecture:end
  const { accuracy = 0 } = await evaluate(network, data, { loss: softmaxCrossEntropy })
  const [weights, , , b2] = parameters
  return { accuracy, weights, w: weights.data(), b2: b2.data() }
}

const shareOfZeros = (w: Float32Array) => w.filter((value) => value === 0).length / w.length
const mean = (w: Float32Array, of: (value: number) => number) =>
  w.reduce((sum, value) => sum + of(value), 0) / w.length

/** Mean logarithm of the density of a Gaussian and of a Laplacian, each fitted to the numbers. */
function logDensities(w: Float32Array) {
  const variance = mean(w, (value) => value ** 2)
  const scale = mean(w, Math.abs)
  return {
    gaussian: -Math.log(2 * Math.PI * Math.E * variance) / 2,
    laplacian: -Math.log(2 * Math.E * scale),
  }
}

export const regularization: Experiment = {
  name: 'regularization',
  items: [13],
  needsMnist: true,
  title: 'L2 and L1 regularization',
  formula: String.raw`\Omega_{L2} = \sum W_{ij}^2, \quad \nabla\Omega = 2W; \qquad \Omega_{L1} = \sum |W_{ij}|, \quad \nabla\Omega = \operatorname{sign}(W)`,
  text: `Networks with 100 hidden units learn 5,000 MNIST digits from the same weights: without a
regularizer, with L2 and with L1. L2 makes weights small; L1 makes many of them exactly zero, because
its step stops at zero. Biases are left alone by both.`,

  async run({ signal, progress, mnist }: Context): Promise<Outcome> {
    const data = subset(
      mnist().train,
      Array.from({ length: 5000 }, (_, i) => i),
    )
    const lambda = 1e-3
    const free = await train(data, {}, signal)
    const gaussian = await train(data, { regularizer: l2(lambda) }, signal)
    const decayed = await train(data, { weightDecay: 2 * lambda }, signal) // PyTorch's, weights only
    const laplacian = await train(data, { regularizer: l1(3e-4) }, signal)
    const crushed = await train(data, { regularizer: l1(1) }, signal)
    progress(1, 1)

    const counts = data.classes.map((_, k) => data.targets.filter((t) => t === k).length)
    const p = tensor([...crushed.b2])
      .softmax()
      .data()
    const distance = Math.max(...counts.map((count, k) => Math.abs(p[k] - count / data.size)))
    const size = (w: Float32Array) => mean(w, (value) => value ** 2)
    const sizes = [size(free.w), size(gaussian.w)]
    const zeros = [free, gaussian, laplacian].map(({ w }) => shareOfZeros(w))
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    const decay = Math.max(...decayed.w.map((value, i) => Math.abs(value - gaussian.w[i])))
    const nonzero = laplacian.w.filter((value) => value !== 0)
    const [ofL2, ofL1] = [logDensities(gaussian.w), logDensities(nonzero)]
    const fits = ({ gaussian, laplacian }: typeof ofL2) =>
      `Gaussian ${gaussian.toFixed(2)}, Laplacian ${laplacian.toFixed(2)}`
    return {
      claims: [
        {
          claim: 'L2 decays the weights of the first layer (mean square without and with it)',
          measured: sizes.map((value) => value.toExponential(2)).join(', '),
          ok: sizes[1] < 0.7 * sizes[0],
        },
        {
          claim: 'Weights that are exactly zero: without regularizer, with L2, with L1',
          measured: zeros.map(percent).join(', '),
          ok: zeros[0] === 0 && zeros[1] === 0 && zeros[2] > 0.2,
        },
        {
          claim: 'L1 costs little: training accuracy without and with it',
          measured: [free, laplacian].map(({ accuracy }) => percent(accuracy)).join(', '),
          ok: laplacian.accuracy > 0.93,
        },
        {
          claim:
            'L1 with λ = 1: no weight is left, but the biases still learn how frequent each digit is (largest difference)',
          measured: `${percent(shareOfZeros(crushed.w))} zeros, ${distance.toFixed(4)}`,
          ok: shareOfZeros(crushed.w) === 1 && distance < 0.02,
        },
        {
          claim: 'weightDecay 2λ on the weights is L2 with λ (largest difference of a weight)',
          measured: decay,
          ok: decay < 1e-6,
        },
        {
          claim:
            'Prior of L2: its weights are more likely under a Gaussian (mean log density of each fitted)',
          measured: fits(ofL2),
          ok: ofL2.gaussian > ofL2.laplacian,
        },
        {
          claim: 'Prior of L1: those that are not zero are more likely under a Laplacian',
          measured: fits(ofL1),
          ok: ofL1.laplacian > ofL1.gaussian,
        },
      ],
      figures: [
        {
          name: 'weights',
          caption: `The 78,400 weights of the first layer. L1 piles them up at zero and leaves long tails;
the count is on a logarithmic axis.`,
          svg: await histograms(
            { 'no regularizer': free.w, L2: gaussian.w, L1: laplacian.w },
            { x: 'weight', y: 'count', logY: true, bins: 101, height: 480 },
          ),
        },
        {
          name: 'units-l2',
          caption: 'L2: the weights of 16 hidden units as images of 28 × 28 pixels.',
          svg: await weightImages(gaussian.weights.slice(undefined, [0, 16]), { columns: 8 }),
        },
        {
          name: 'units-l1',
          caption: 'L1: the same units; what is empty is exactly or nearly zero.',
          svg: await weightImages(laplacian.weights.slice(undefined, [0, 16]), { columns: 8 }),
        },
      ],
    }
  },
}
