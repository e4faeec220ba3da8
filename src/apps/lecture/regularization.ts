/** Item 13: L2 and L1, what they leave of the weights, and the priors they stand for. */
import {
  type Dataset,
  evaluate,
  fit,
  l1,
  l2,
  mlp,
  mnist,
  type Regularizer,
  type Sequential,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  subset,
  tensor,
} from 'neuroblas'
import { histograms, weightImages } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, formatList, percent, percents } from './numbers.js'

// lecture:begin
type Penalized = { regularizer?: Regularizer; weightDecay?: number }

/** A network with 100 hidden units, trained with a regularizer or with PyTorch's weight decay. */
async function train(data: Dataset, penalized: Penalized, seed = 1, signal?: AbortSignal) {
  const { regularizer, weightDecay } = penalized
  setSeed(seed)
  const network = mlp([784, 100, 10], { activation: 'tanh' })
  const isWeight = ({ shape }: { shape: readonly number[] }) => shape.length === 2
  const parameters = network.parameters()
  const groups = [
    { parameters: parameters.filter(isWeight), weightDecay },
    { parameters: parameters.filter((parameter) => !isWeight(parameter)) },
  ]
  await fit(network, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(groups, { lr: 0.1, regularizer }),
    epochs: 15,
    seed: 0,
    signal,
  })
  return network
}
// lecture:end

/** What is compared: accuracies, the weights of the first layer, the biases of the last. */
async function measure(network: Sequential, data: Dataset, test: Dataset) {
  const loss = softmaxCrossEntropy
  const { accuracy = 0 } = await evaluate(network, data, { loss })
  const { accuracy: testAccuracy = 0 } = await evaluate(network, test, { loss })
  const [weights, , , b2] = network.parameters()
  return { accuracy, testAccuracy, weights, w: weights.data(), b2: b2.data() }
}

const shareOfZeros = (w: Float32Array) => w.filter((value) => value === 0).length / w.length
const mean = (w: Float32Array, of: (value: number) => number) =>
  w.reduce((sum, value) => sum + of(value), 0) / w.length

/** Mean log density of numbers under the prior N(0, σ²) that L2 of strength λ stands for. */
const logGaussian = (w: Float32Array, lambda: number, T: number) => {
  const variance = 1 / (2 * lambda * T)
  return -Math.log(2 * Math.PI * variance) / 2 - mean(w, (value) => value ** 2) / (2 * variance)
}

/** The same under the Laplacian of scale b that L1 stands for. */
const logLaplacian = (w: Float32Array, lambda: number, T: number) => {
  const b = 1 / (lambda * T)
  return -Math.log(2 * b) - mean(w, Math.abs) / b
}

const LAMBDA = { l1: 3e-4, l2: 1e-3 }

export const regularization: Experiment = {
  name: 'regularization',
  items: [13],
  needsMnist: true,
  title: 'L2 and L1 regularization',
  formula: String.raw`\Omega_{L2} = \sum_k \sum_{i,j} \bigl(W^{(k)}_{ij}\bigr)^2, \; \nabla\Omega = 2W; \qquad \Omega_{L1} = \sum_k \sum_{i,j} \bigl|W^{(k)}_{ij}\bigr|, \; \nabla\Omega = \operatorname{sign}(W); \qquad W_{ij} \sim N(0, \sigma^2): \lambda = \frac{1}{2\sigma^2 T}, \qquad W_{ij} \sim \mathrm{Laplace}(0, b): \lambda = \frac{1}{bT}`,
  symbols: `σ: the standard deviation of a Gaussian prior; b: the scale of a Laplacian one. The most probable weights
minimize −Σ log p(y⁽ᵗ⁾ | x⁽ᵗ⁾; W) − log p(W); divided by T, the first sum is the risk, and −log p(W) / T is
ΣW² / (2σ²T) or Σ|W| / (bT) but for a constant: that is λΩ`,
  text: `Networks with 100 hidden units learn 5,000 MNIST digits from the same weights: without a
regularizer, with L2 and with L1. L2 makes weights small; L1 makes many of them exactly zero, because
its step stops at zero. Biases are left alone by both. Either regularizer stands for a prior: what the
weights would be like if nothing were known of the data.`,

  async run({ seed, signal, progress }: Context): Promise<Outcome> {
    // lecture:begin
    const { train: all, test } = mnist() // lecture:as const { train: all } = mnist()
    const data = subset(
      all,
      Array.from({ length: 5000 }, (_, i) => i),
    )
    // lecture:as const network = await train(data, { regularizer: l1(3e-4) }) // or l2(1e-3), or both
    // lecture:end
    const settings: Record<string, Penalized> = {
      free: {},
      gaussian: { regularizer: l2(LAMBDA.l2) },
      decayed: { weightDecay: 2 * LAMBDA.l2 }, // PyTorch's, weights only
      laplacian: { regularizer: l1(LAMBDA.l1) },
      crushed: { regularizer: l1(1) },
    }
    const found: Record<string, Awaited<ReturnType<typeof measure>>> = {}
    for (const [i, [name, penalized]] of Object.entries(settings).entries()) {
      found[name] = await measure(await train(data, penalized, 1 + seed, signal), data, test)
      progress(i + 1, 5, name)
    }
    const { free, gaussian, decayed, laplacian, crushed } = found

    const counts = data.classes.map((_, k) => data.targets.filter((t) => t === k).length)
    const p = tensor([...crushed.b2])
      .softmax()
      .data()
    const distance = Math.max(...counts.map((count, k) => Math.abs(p[k] - count / data.size)))
    const size = (w: Float32Array) => mean(w, (value) => value ** 2)
    const sizes = [size(free.w), size(gaussian.w)]
    const zeros = [free, gaussian, laplacian].map(({ w }) => shareOfZeros(w))
    const decay = Math.max(...decayed.w.map((value, i) => Math.abs(value - gaussian.w[i])))
    const under = (of: typeof logGaussian, lambda: number) =>
      [free, gaussian, laplacian].map(({ w }) => of(w, lambda, data.size))
    const ofGaussian = under(logGaussian, LAMBDA.l2)
    const ofLaplacian = under(logLaplacian, LAMBDA.l1)
    const tested = [free, gaussian, laplacian].map(({ testAccuracy }) => testAccuracy)
    return {
      claims: [
        {
          claim: 'L2 decays the weights of the first layer (mean square without and with it)',
          measured: formatList(sizes),
          ok: sizes[1] < 0.7 * sizes[0],
        },
        {
          claim: 'Weights that are exactly zero: without regularizer, with L2, with L1',
          measured: percents(zeros),
          ok: zeros[0] === 0 && zeros[1] === 0 && zeros[2] > 0.2,
        },
        {
          claim:
            'What it costs here: test accuracy without regularizer, with L2, with L1 (all fit the training images at least to 93 %)',
          measured: percents(tested),
          ok:
            [free, gaussian, laplacian].every(({ accuracy }) => accuracy > 0.93) &&
            tested[2] < tested[0] &&
            tested[2] > tested[0] - 0.03,
        },
        {
          claim:
            'L1 with λ = 1: no weight is left, but the biases still learn how frequent each digit is (largest difference)',
          measured: `${percent(shareOfZeros(crushed.w))} zeros, ${format(distance)}`,
          ok: shareOfZeros(crushed.w) === 1 && distance < 0.02,
        },
        {
          claim: 'weightDecay 2λ on the weights is L2 with λ (largest difference of a weight)',
          measured: decay,
          ok: decay < 1e-6,
        },
        {
          claim: `Prior of L2, a Gaussian of σ = ${format(1 / Math.sqrt(2 * LAMBDA.l2 * data.size))}: mean log density of the weights without regularizer, with L2, with L1`,
          measured: formatList(ofGaussian, 4),
          ok: ofGaussian[1] > ofGaussian[0],
        },
        {
          claim: `Prior of L1, a Laplacian of b = ${format(1 / (LAMBDA.l1 * data.size))}: the same`,
          measured: formatList(ofLaplacian, 4),
          ok: ofLaplacian[2] > ofLaplacian[0] && ofLaplacian[2] > ofLaplacian[1],
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
