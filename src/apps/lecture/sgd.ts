/** Item 8: stochastic gradient descent, one example at a time, against the formula by hand. */
import {
  DataLoader,
  type Dataset,
  evaluate,
  fit,
  iris,
  Linear,
  l2,
  Sequential,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  split,
  Tanh,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { formatList, percent } from './numbers.js'

// lecture:begin
const alpha = 0.02
const lambda = 1e-3
// lecture:end

/** What is learned: h = tanh(b1 + W1ᵀx), y = softmax(b2 + W2ᵀh), weights stored [inputs, outputs]. */
interface Theta {
  W1: number[][]
  b1: number[]
  W2: number[][]
  b2: number[]
}

/** θ ← θ + αΔ with Δ = -∇l - λ∇Ω for one example, every derivative written out. */
function updateByHand({ W1, b1, W2, b2 }: Theta, x: number[], target: number): void {
  const h = b1.map((b, j) => Math.tanh(x.reduce((sum, x_i, i) => sum + W1[i][j] * x_i, b)))
  const a = b2.map((b, k) => h.reduce((sum, h_j, j) => sum + W2[j][k] * h_j, b))
  const total = a.reduce((sum, a_k) => sum + Math.exp(a_k), 0)
  const da = a.map((a_k, k) => Math.exp(a_k) / total - (k === target ? 1 : 0))
  const dh = h.map((h_j, j) => (1 - h_j ** 2) * da.reduce((sum, d, k) => sum + W2[j][k] * d, 0))
  for (const [W, b, input, d] of [
    [W2, b2, h, da],
    [W1, b1, x, dh],
  ] as const) {
    d.forEach((d_k, k) => {
      input.forEach((h_j, j) => {
        W[j][k] += alpha * (-d_k * h_j - lambda * 2 * W[j][k])
      })
      b[k] -= alpha * d_k
    })
  }
}

// lecture:begin
function makeNetwork(seed: number) {
  setSeed(seed)
  const first = new Linear(4, 8)
  const second = new Linear(8, 3)
  return { first, second, network: new Sequential(first, new Tanh(), second) }
}

type Network = ReturnType<typeof makeNetwork>
// lecture:end

const thetaOf = ({ first, second }: Network): Theta => ({
  W1: first.weight.toArray() as number[][],
  b1: [...(first.bias?.data() ?? [])],
  W2: second.weight.toArray() as number[][],
  b2: [...(second.bias?.data() ?? [])],
})

/** Two epochs by the library and by hand, from the same weights in the same order. */
async function compareWithFormula(data: Dataset, seed: number, signal: AbortSignal) {
  const model = makeNetwork(seed)
  const theta = thetaOf(model)
  const loader = new DataLoader(data, { batchSize: 1, shuffle: true, seed: 5 })
  let updates = 0
  for (let epoch = 0; epoch < 2; epoch++) {
    for (const { inputs, targets } of loader) {
      updateByHand(theta, [...inputs.data()], targets.data()[0])
      updates++
    }
  }
  loader.dispose()
  await train(model, data, { batchSize: 1, epochs: 2, signal })
  const found = thetaOf(model)
  const flat = (values: Theta) => Object.values(values).flat(2)
  const expected = flat(theta)
  const error = Math.max(...flat(found).map((value, i) => Math.abs(value - expected[i])))
  return { error, updates }
}

// lecture:begin
interface Run {
  batchSize: number
  epochs: number
  signal?: AbortSignal
}

function train({ network }: Network, data: Dataset, { batchSize, epochs, signal }: Run) {
  return fit(network, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(network.parameters(), { lr: alpha, regularizer: l2(lambda) }),
    epochs,
    batchSize, // 1: after each example; data.size: full batch
    seed: 5, // of the order, a new one in each epoch
    signal,
  })
}
// lecture:end

export const sgd: Experiment = {
  name: 'sgd',
  items: [8],
  title: 'Stochastic gradient descent',
  formula: String.raw`\Delta = -\nabla_\theta\, l\bigl(y(x^{(t)}; \theta), y^{(t)}\bigr) - \lambda \nabla_\theta \Omega(\theta), \qquad \theta \leftarrow \theta + \alpha \Delta`,
  symbols: `∇: the gradient; α: the learning rate; Δ: the direction of the step; N: the number of epochs, passes
over all examples`,
  text: `The steps are: initialize θ; N times, for each training example (x⁽ᵗ⁾, y⁽ᵗ⁾): compute Δ, then move θ by
αΔ. Only θ is optimized: α, λ, N, the batch size and the sizes of the layers are meta parameters, which
somebody chooses. A network of 4, 8 and 3 units learns the irises one example at a time, in an order
shuffled by seed. The same updates are made in plain JavaScript with every derivative written out. Then the same
call trains with batches of 1, of 32, and of all examples.`,

  async run({ seed, signal, progress }: Context): Promise<Outcome> {
    // lecture:begin
    // lecture:as const { train: data } = split(iris(), 0.2, 1)
    // lecture:as const { epochs } = await train(makeNetwork(1), data, { batchSize: 1, epochs: 60 })
    // lecture:end
    const { train: data, test } = split(iris(), 0.2, 1 + seed)
    const { error, updates } = await compareWithFormula(data, 1 + seed, signal)
    const runs = []
    for (const batchSize of [1, 32, data.size]) {
      progress(runs.length, 3, `batches of ${batchSize}`)
      const model = makeNetwork(1 + seed)
      const { epochs } = await train(model, data, { batchSize, epochs: 60, signal })
      const { accuracy = 0 } = await evaluate(model.network, test, { loss: softmaxCrossEntropy })
      runs.push({ batchSize, risks: epochs.map(({ risk }) => risk), accuracy })
    }
    const [single, small, full] = runs.map(({ risks }) => risks[risks.length - 1])
    return {
      claims: [
        {
          claim: `After ${updates} updates, one per example, all weights are those of the formula by hand (largest difference)`,
          measured: error,
          ok: error < 1e-5,
        },
        {
          claim:
            'At the same rate, the more often the weights move, the lower the risk after 60 epochs (batches of 1, 32, all)',
          measured: formatList([single, small, full]),
          ok: single < small && small < full,
        },
        {
          claim: 'One example at a time, at least 80 % of 30 held-out flowers are right',
          measured: percent(runs[0].accuracy),
          ok: runs[0].accuracy >= 0.8,
        },
      ],
      figures: [
        {
          name: 'batch-sizes',
          caption: `The risk during 60 epochs with the learning rate ${alpha}, from the same weights.`,
          svg: await lines(
            Object.fromEntries(
              runs.map(({ batchSize, risks }) => [`batches of ${batchSize}`, risks]),
            ),
            { x: 'epoch', y: 'risk' },
          ),
        },
      ],
    }
  },
}
