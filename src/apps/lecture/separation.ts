/** Item 3: what a single neuron can separate, and what it cannot. */
import {
  binaryCrossEntropyWithLogits,
  type Dataset,
  evaluate,
  fit,
  Linear,
  l2,
  SGD,
  setSeed,
} from 'neuroblas'
import { decisionBoundary } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { percent } from './numbers.js'
import { corners } from './points.js'

// lecture:begin
/** A single neuron, trained from the weights that a seed gives. */
async function trainNeuron(data: Dataset, seed: number, signal?: AbortSignal) {
  setSeed(seed)
  const neuron = new Linear(2, 1) // its output a is a logit: p = sigmoid(a)
  await fit(neuron, data, {
    loss: binaryCrossEntropyWithLogits,
    optimizer: new SGD(neuron.parameters(), { lr: 0.5, regularizer: l2(1e-4) }),
    epochs: 30,
    batchSize: 10,
    seed: 0,
    signal,
  })
  const { accuracy = 0 } = await evaluate(neuron, data, { loss: binaryCrossEntropyWithLogits })
  return { neuron, accuracy }
}
// lecture:end

/** The largest share of the points that a line can have on their right sides, one degree apart. */
function bestOfLines({ inputs, targets, size }: Dataset): number {
  let best = 0
  for (let degree = 0; degree < 180; degree++) {
    const angle = (degree * Math.PI) / 180
    const along = Array.from(targets, (target, i) => ({
      distance: Math.cos(angle) * inputs[2 * i] + Math.sin(angle) * inputs[2 * i + 1],
      target,
    })).sort((a, b) => a.distance - b.distance)
    // What lies before the line counts as class 0 and what lies behind it as class 1, or conversely.
    let right = targets.filter((target) => target === 1).length
    for (const { target } of along) {
      right += target === 0 ? 1 : -1
      best = Math.max(best, right, size - right)
    }
  }
  return best / size
}

/** How far the points scatter around their corners, so that no line has to pass between two of them. */
const STD = 0.15

const tables = [
  { name: 'OR', file: 'or', table: [0, 1, 1, 1] },
  { name: 'AND (not x₁, x₂)', file: 'and', table: [0, 1, 0, 0] },
  { name: 'XOR', file: 'xor', table: [0, 1, 1, 0] },
]

export const separation: Experiment = {
  name: 'separation',
  items: [3],
  title: 'The capacity of a single neuron',
  formula: String.raw`p(y = 1 \mid x) = \frac{1}{1 + e^{-(b + w^\top x)}}, \qquad \hat y = [\,p > \tfrac12\,]`,
  symbols: `p: the probability of class 1; ŷ: the class that it is taken for`,
  text: `A sigmoid neuron is trained on points around the corners of a square that are labelled by OR,
by AND (not x₁, x₂) and by XOR. Its output is the probability of class 1; the boundary, where it is
one half, is a straight line. On XOR it starts ten times from different weights.`,

  async run({ signal, progress, seed }: Context): Promise<Outcome> {
    const claims = []
    const figures: Outcome['figures'] = []
    for (const { name, file, table } of tables) {
      // lecture:begin
      const data = corners(table, 50, STD, 1 + seed) // lecture:as const data = corners([0, 1, 1, 1], 50, 0.15) // OR
      // lecture:end
      const isXor = name === 'XOR'
      const accuracies: number[] = []
      for (let start = 1; start <= (isXor ? 10 : 1); start++) {
        // lecture:begin
        const { neuron, accuracy } = await trainNeuron(data, start + 100 * seed, signal) // lecture:as const { neuron, accuracy } = await trainNeuron(data, 1)
        // lecture:end
        accuracies.push(accuracy)
        if (start === 1) {
          figures.push({
            name: file,
            caption: `${name}: probability of class 1, and the boundary where it is one half.`,
            svg: await decisionBoundary(neuron, data),
          })
        }
        neuron.dispose()
        progress(claims.length + (isXor ? start / 10 : 1), 3, name)
      }
      const best = Math.max(...accuracies)
      claims.push({
        claim: isXor
          ? 'XOR: at most 75 % right, whatever it starts from (best of ten)'
          : `${name}: every point is on its side of the line`,
        measured: percent(best),
        ok: isXor ? best <= 0.75 : best === 1,
      })
    }
    const line = bestOfLines(corners(tables[2].table, 50, STD, 1 + seed))
    claims.push({
      claim: 'XOR: no line does better, tried in steps of one degree through every point',
      measured: percent(line),
      ok: line <= 0.75,
    })
    return { claims, figures }
  },
}
