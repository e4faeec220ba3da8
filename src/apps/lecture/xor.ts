/** Item 4: XOR, solved by one hidden layer, drawn in input space and in the space of its units. */
import {
  Adam,
  binaryCrossEntropyWithLogits,
  type Dataset,
  dataset,
  evaluate,
  fit,
  Linear,
  l2,
  type Module,
  noGrad,
  Sequential,
  setSeed,
  Tanh,
  tensor,
} from 'neuroblas'
import { decisionBoundary, lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, percent, percents } from './numbers.js'
import { corners } from './points.js'

// lecture:begin
/** Trains by Adam, and says which share of the points is right in the end. */
async function train(model: Module, data: Dataset, lambda = 0, signal?: AbortSignal) {
  const loss = binaryCrossEntropyWithLogits
  const optimizer = new Adam(model.parameters(), { lr: 0.03, regularizer: l2(lambda) })
  await fit(model, data, { loss, optimizer, epochs: 60, batchSize: 10, signal })
  const { accuracy = 0 } = await evaluate(model, data, { loss })
  return accuracy
}

/** A hidden layer of so many tanh units below an output neuron, from the weights of one start. */
async function solve(data: Dataset, units: number, start: number, signal?: AbortSignal) {
  setSeed(start)
  const hidden = new Sequential(new Linear(2, units), new Tanh())
  const network = new Sequential(hidden, new Linear(units, 1))
  return { hidden, network, accuracy: await train(network, data, 2e-3, signal) }
}
// lecture:end

const UNITS = [2, 3, 4, 8]

export const xor: Experiment = {
  name: 'xor',
  items: [4],
  title: 'XOR with one hidden layer',
  formula: String.raw`p(y = 1 \mid x) = \mathrm{sigm}\bigl(b^{(2)} + w^{(2)\top} \tanh(b^{(1)} + W^{(1)} x)\bigr)`,
  symbols: `W⁽¹⁾, b⁽¹⁾: weights and biases of the hidden layer; w⁽²⁾, b⁽²⁾: those of the output neuron; sigm:
the sigmoid`,
  text: `Hidden tanh units and one output neuron are trained on XOR, from many starts: two units can solve
it, and more of them do so more often. One start with two units that did is drawn, in input space and
where the hidden layer puts the points: there a straight line separates them, which is proven by
training a fresh single neuron on the two hidden activations alone.`,

  async run({ quick, seed, signal, progress }: Context): Promise<Outcome> {
    const data = corners([0, 1, 1, 0], 50, 0.15, 1 + seed)
    const starts = quick ? 25 : 100
    const solved: number[] = []
    let chosen: { start: number; parts: Awaited<ReturnType<typeof solve>> } | undefined
    for (const units of UNITS) {
      let count = 0
      for (let start = 1; start <= starts; start++) {
        const parts = await solve(data, units, start + 1000 * seed, signal)
        if (parts.accuracy === 1) {
          count++
          chosen ??= { start, parts }
        }
        if (chosen?.parts !== parts) parts.network.dispose()
      }
      solved.push(count / starts)
      progress(solved.length, UNITS.length + 1, `${units} units`)
    }
    if (!chosen) throw new Error(`expected one of ${starts} starts to solve XOR, got none`)

    const { hidden, network, accuracy } = chosen.parts
    // lecture:begin
    // lecture:as const data = corners([0, 1, 1, 0], 50, 0.15)
    // lecture:as const { hidden } = await solve(data, 2, 1)
    const h = noGrad(() => hidden.forward(tensor(data.inputs as Float32Array, [data.size, 2])))
    const inHiddenSpace = dataset({ inputs: h.data(), inputShape: [2], targets: data.targets })
    const neuron = new Linear(2, 1)
    const separated = await train(neuron, inHiddenSpace)
    // lecture:end

    const inInputSpace = new Linear(2, 1)
    const failed = await train(inInputSpace, data, 0, signal)
    return {
      claims: [
        {
          claim: `Two hidden units and an output neuron can get every point right: start ${chosen.start} of ${starts} is the first that does`,
          measured: percent(accuracy),
          ok: accuracy === 1,
        },
        {
          claim: `More units solve it from more of ${starts} starts (with ${UNITS.join(', ')} units)`,
          measured: percents(solved, 0),
          ok: solved[0] < solved[2] && solved[0] < 0.8 && solved[3] > 0.9,
        },
        {
          claim:
            'A fresh single neuron on the hidden activations gets every point right: a line separates them',
          measured: percent(separated),
          ok: separated === 1,
        },
        {
          claim: 'The same neuron, trained likewise on the inputs, gets at most 75 %',
          measured: percent(failed),
          ok: failed <= 0.75,
        },
      ],
      figures: [
        {
          name: 'input-space',
          caption: `Input space: what the network with two hidden units makes of the plane, from start ${format(chosen.start)}.`,
          svg: await decisionBoundary(network, data),
        },
        {
          name: 'hidden-space',
          caption: `The space of the hidden units: the same points where the hidden layer puts them, and the
line that the fresh neuron found between them.`,
          svg: await decisionBoundary(neuron, inHiddenSpace, { x: 'h₁', y: 'h₂' }),
        },
        {
          name: 'alone',
          caption: 'For comparison: the single neuron that was trained on the inputs.',
          svg: await decisionBoundary(inInputSpace, data),
        },
        {
          name: 'starts',
          caption: `How many of ${starts} starts get every point right, against the number of hidden units.`,
          svg: await lines(
            { 'starts that solve XOR': { x: UNITS, y: solved.map((share) => 100 * share) } },
            { x: 'hidden units', y: 'solved (%)' },
          ),
        },
      ],
    }
  },
}
