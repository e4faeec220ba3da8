/** Item 9: every ingredient of gradient descent replaced by one of the user's own. */
import {
  type Dataset,
  dataset,
  fit,
  Generator,
  init,
  type Loss,
  mlp,
  mse,
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
import { format, formatList } from './numbers.js'

// lecture:begin
const lambda = 1e-4
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

/** A wave with noise, and with every tenth value far off. */
function wave(seed: number): Dataset {
  const random = new Generator(seed)
  const x = random.uniform([200, 1], -1, 1).data()
  const noise = random.normal([200], 0, 0.1).data()
  const value = (i: number) => Math.sin(4 * x[i]) + noise[i] + (i % 10 === 0 ? 3 : 0)
  return dataset({ inputs: x, inputShape: [1], targets: Float32Array.from(x, (_, i) => value(i)) })
}
// lecture:end

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

// lecture:begin
/** A network from these weights, trained with weight elimination. */
async function train(data: Dataset, loss: Loss, seed = 1, signal?: AbortSignal) {
  setSeed(seed)
  const network = mlp([1, 32, 1], { activation: 'tanh', init: signs })
  const weights = network.parameters().filter(({ shape }) => shape.length === 2)
  const started = weights.flatMap((w) => [...w.abs().mul(Math.sqrt(w.shape[0])).data()])
  const optimizer = new SGD(network.parameters(), { lr: 0.1, regularizer: weightElimination })
  const { epochs } = await fit(network, data, {
    loss,
    optimizer,
    epochs: 300,
    batchSize: 20,
    signal,
  })
  return { network, started, epochs }
}
// lecture:end

/** Thirty steps on all examples, with the gradient of back-propagation or another one. */
function descend(data: Dataset, byDifferences: boolean, seed: number): Float32Array {
  setSeed(seed)
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
  formula: String.raw`l = \log\cosh r, \qquad \Omega = \sum_{w} \frac{w^2}{1 + w^2}`,
  symbols: `r = y − t: how far the output is from the target; w: a weight; fanIn: how many inputs a unit has`,
  text: `A loss, a regularizer and an initialization that the library does not have are written in a few
lines and handed to the same training call. The gradient of each is found by automatic
differentiation; in a loop of one’s own it can come from anywhere, here from central differences.`,

  async run({ seed, signal, progress }: Context): Promise<Outcome> {
    // lecture:begin
    // lecture:as const data = wave(2)
    // lecture:as const { network, epochs } = await train(data, logCosh)
    // lecture:end
    const data = wave(2 + seed)
    const { network, started, epochs } = await train(data, logCosh, 1 + seed, signal)
    const squared = await train(data, mse, 1 + seed, signal)
    progress(1, 2)
    const last = epochs[epochs.length - 1]
    const penalty = eliminated(network)

    const r = tensor([-30, -2, -0.1, 0, 0.5, 3, 30])
    r.requiresGrad = true
    logCosh(r, tensor([0, 0, 0, 0, 0, 0, 0])).backward()
    const slopes = r.data().map((value) => Math.tanh(value) / 7)
    const slopeError = largestDifference(r.grad!.data(), slopes)
    const gradientError = largestDifference(
      descend(data, true, 1 + seed),
      descend(data, false, 1 + seed),
    )

    const x = Float32Array.from({ length: 101 }, (_, i) => i / 50 - 1)
    const truth = x.map((value) => Math.sin(4 * value))
    const [y, ofSquares] = [network, squared.network].map((model) =>
      noGrad(() => model.forward(tensor(x, [x.length, 1]))).data(),
    )
    const distances = [y, ofSquares].map((values) =>
      Math.sqrt(values.reduce((sum, v, i) => sum + (v - truth[i]) ** 2, 0) / x.length),
    )
    return {
      claims: [
        {
          claim: 'Initialization: the weights start at ±1 / √fanIn (their sizes times √fanIn)',
          measured: `${format(Math.min(...started))} to ${format(Math.max(...started))}`,
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
            'Values far off, a tenth of all, draw it less from the wave than squared errors (root mean squared distance with both)',
          measured: formatList(distances),
          ok: distances[0] < 0.4 && distances[0] < 0.8 * distances[1],
        },
      ],
      figures: [
        {
          name: 'wave',
          caption:
            'What the network learned, by log cosh and by squared errors, and the wave that the values were made from.',
          svg: await lines(
            { 'log cosh': { x, y }, 'squared error': { x, y: ofSquares }, wave: { x, y: truth } },
            { x: 'x', y: 'y' },
          ),
        },
      ],
    }
  },
}
