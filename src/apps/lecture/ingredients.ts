/** Item 9: every ingredient of gradient descent replaced by one of the user's own. */
import {
  type Dataset,
  dataset,
  fit,
  Generator,
  init,
  type Loss,
  mlp,
  noGrad,
  type Parameter,
  type Regularizer,
  type Sequential,
  SGD,
  scope,
  setSeed,
  type Tensor,
  tensor,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

const lambda = 1e-4

// lecture:begin
/** log cosh r = r + log(1 + e^-2r) - log 2: squared near 0, absolute far away. */
const logCosh: Loss = (outputs, targets) => {
  const r = outputs.sub(targets as Tensor)
  return r.add(r.mul(-2).softplus()).sub(Math.LN2).mean()
}
/** Ω = Σ w² / (1 + w²), which spares weights that are large anyway. */
const weightElimination: Regularizer = {
  penalty: (w) => w.square().div(w.square().add(1)).sum().mul(lambda),
}
/** Weights of ±1 / √fanIn. */
const signs: init.Initializer = (shape, generator) =>
  init
    .normal(0, 1)(shape, generator)
    .sign()
    .div(Math.sqrt(init.fans(shape).fanIn))
// lecture:end

/** A wave with noise, and with every tenth value far off. */
function wave(): Dataset {
  const random = new Generator(2)
  const x = random.uniform([200, 1], -1, 1).data()
  const noise = random.normal([200], 0, 0.1).data()
  const value = (i: number) => Math.sin(4 * x[i]) + noise[i] + (i % 10 === 0 ? 3 : 0)
  return dataset({ inputs: x, inputShape: [1], targets: Float32Array.from(x, (_, i) => value(i)) })
}

/** The gradient of the objective by central differences, where back-propagation would leave it. */
function differentiate(objective: () => number, parameters: readonly Parameter[]): void {
  const step = 1e-2
  for (const parameter of parameters) {
    const values = parameter.data()
    const at = (i: number, value: number) => {
      parameter.assign(values.with(i, value))
      return objective()
    }
    const gradient = values.map((v, i) => (at(i, v + step) - at(i, v - step)) / (2 * step))
    parameter.assign(values)
    parameter.grad = tensor(gradient, parameter.shape)
  }
}

/** Thirty steps on all examples, with the gradient of back-propagation or another one. */
function descend(data: Dataset, byDifferences: boolean): Float32Array {
  setSeed(1)
  const network = mlp([1, 8, 1], { activation: 'tanh', init: signs })
  const optimizer = new SGD(network.parameters(), { lr: 0.1 })
  const x = tensor(data.inputs as Float32Array, [data.size, 1])
  const y = tensor(data.targets as Float32Array, [data.size, 1])
  const risk = () => logCosh(network.forward(x), y)
  for (let step = 0; step < 30; step++) {
    scope(() => {
      const value = () => noGrad(() => scope(() => risk().item()))
      if (byDifferences) differentiate(value, network.parameters())
      else risk().backward()
      optimizer.step()
      optimizer.zeroGrad()
    })
  }
  return Float32Array.from(network.parameters().flatMap((parameter) => [...parameter.data()]))
}

const largestDifference = (a: Float32Array, b: ArrayLike<number>) =>
  a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0)

/** The penalty by hand. */
const eliminated = (network: Sequential) =>
  [...network.namedParameters()]
    .filter(([path]) => path.endsWith('weight'))
    .flatMap(([, weight]) => [...weight.data()])
    .reduce((sum, w) => sum + (lambda * w * w) / (1 + w * w), 0)

export const ingredients: Experiment = {
  name: 'ingredients',
  items: [9],
  title: 'Ingredients of one’s own',
  formula: String.raw`l = \log\cosh(y - t), \qquad \Omega = \sum_{w} \frac{w^2}{1 + w^2}`,
  text: `A loss, a regularizer and an initialization that the library does not have are written in a few
lines and handed to the same training call. The gradient of each is found by automatic
differentiation; in a loop of one’s own it can come from anywhere, here from central differences.`,

  async run({ signal, progress }: Context): Promise<Outcome> {
    const data = wave()
    setSeed(1)
    const network = mlp([1, 32, 1], { activation: 'tanh', init: signs })
    const weights = network.parameters().filter(({ shape }) => shape.length === 2)
    const started = weights.flatMap((w) => [...w.abs().mul(Math.sqrt(w.shape[0])).data()])
    const optimizer = new SGD(network.parameters(), { lr: 0.1, regularizer: weightElimination })
    const { epochs } = await fit(network, data, {
      loss: logCosh,
      optimizer,
      epochs: 300,
      batchSize: 20,
      seed: 0,
      signal,
    })
    progress(1, 2)
    const last = epochs[epochs.length - 1]
    const penalty = eliminated(network)

    const r = tensor([-30, -2, -0.1, 0, 0.5, 3, 30])
    r.requiresGrad = true
    logCosh(r, tensor([0, 0, 0, 0, 0, 0, 0])).backward()
    const slopes = r.data().map((value) => Math.tanh(value) / 7)
    const slopeError = largestDifference(r.grad!.data(), slopes)
    const gradientError = largestDifference(descend(data, true), descend(data, false))

    const x = Float32Array.from({ length: 101 }, (_, i) => i / 50 - 1)
    const y = noGrad(() => network.forward(tensor(x, [x.length, 1]))).data()
    const truth = x.map((value) => Math.sin(4 * value))
    const distance = Math.sqrt(y.reduce((sum, v, i) => sum + (v - truth[i]) ** 2, 0) / y.length)
    return {
      claims: [
        {
          claim: 'Initialization: the weights start at ±1 / √fanIn (their sizes times √fanIn)',
          measured: `${Math.min(...started)} to ${Math.max(...started)}`,
          ok: started.every((size) => Math.abs(size - 1) < 1e-6),
        },
        {
          claim: 'Loss: its gradient by back-propagation is tanh r (largest difference)',
          measured: slopeError,
          ok: slopeError < 1e-7,
        },
        {
          claim:
            'Regularizer: the penalty that training reports is λΩ by hand (relative difference)',
          measured: Math.abs(last.regularizationLoss / penalty - 1),
          ok: Math.abs(last.regularizationLoss / penalty - 1) < 1e-5,
        },
        {
          claim:
            'Gradient: thirty steps with central differences lead where back-propagation leads (largest difference of a weight)',
          measured: gradientError,
          ok: gradientError < 1e-2,
        },
        {
          claim:
            'Together they learn the wave in spite of the values far off (root mean squared distance from it)',
          measured: distance,
          ok: distance < 0.25,
        },
      ],
      figures: [
        {
          name: 'wave',
          caption: 'What the network learned, and the wave that the values were made from.',
          svg: await lines({ learned: { x, y }, wave: { x, y: truth } }, { x: 'x', y: 'y' }),
        },
      ],
    }
  },
}
