/** Item 5: networks with any number of layers compute what the formula says. */
import { type ActivationName, Generator, Linear, mlp, noGrad, tensor } from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, formatList } from './numbers.js'

const g: Record<ActivationName, (a: number) => number> = {
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
  relu: (a) => Math.max(0, a),
}

/** b + Wh of one layer in plain JavaScript; the weights are stored [inputs, outputs]. */
function affine({ weight, bias }: Linear, h: number[]): number[] {
  const W = weight.toArray() as number[][]
  const b = bias?.toArray() as number[]
  return b.map((b_j, j) => h.reduce((sum, h_i, i) => sum + W[i][j] * h_i, b_j))
}

export const layers: Experiment = {
  name: 'depth',
  items: [5],
  title: 'A network with hidden layers',
  formula: String.raw`h^{(1)} = g(b^{(1)} + W^{(1)}x), \quad h^{(k)} = g(b^{(k)} + W^{(k)}h^{(k-1)}), \quad y = o(b^{(K)} + W^{(K)}h^{(K-1)})`,
  symbols: `K: the number of layers; W⁽ᵏ⁾, b⁽ᵏ⁾, h⁽ᵏ⁾: weights, biases and activations of layer k; o: the output
activation, here softmax; y: the output`,
  text: `Networks with up to six layers, of different widths and activations, are given random weights
and biases. Their outputs are compared with the formula, written out in plain JavaScript in double
precision. Then networks of one input with one, two and four layers are drawn, and it is counted how
often the output of many such networks turns from rising to falling or back.`,

  async run({ quick, seed }: Context): Promise<Outcome> {
    const claims: Outcome['claims'] = []
    const shapes = [
      [3, 2],
      [3, 4, 2],
      [5, 8, 7, 3],
      [4, 6, 6, 6, 6, 6, 2],
    ]
    for (const activation of ['sigmoid', 'tanh', 'relu'] as const) {
      let largest = 0
      for (const units of shapes) {
        const random = new Generator(units.length + seed)
        const x = random.normal([20, units[0]])
        // lecture:begin
        // lecture:as const [activation, units, random] = ['tanh', [5, 8, 7, 3], new Generator(1)] as const
        // lecture:as const x = random.normal([20, units[0]])
        const network = mlp(units, { activation })
        for (const parameter of network.parameters()) {
          parameter.assign(random.normal(parameter.shape))
        }
        const y = noGrad(() => network.forward(x).softmax())
        // lecture:end
        const affines = network.layers.filter((layer) => layer instanceof Linear)
        const byHand = (x.toArray() as number[][]).flatMap((row) => {
          const [last, ...before] = affines.toReversed()
          const h = before.reduceRight((h, layer) => affine(layer, h).map(g[activation]), row)
          return softmax(affine(last, h))
        })
        largest = Math.max(largest, ...Array.from(y.data(), (p, i) => Math.abs(p - byHand[i])))
      }
      claims.push({
        claim: `${activation}, 1 to 6 layers: outputs as by the formula (largest difference)`,
        measured: largest,
        ok: largest < 1e-6,
      })
    }
    const x = Float32Array.from({ length: 401 }, (_, i) => i / 100 - 2)
    const outputs = (units: number[], start: number) => {
      const random = new Generator(start)
      const network = mlp(units, { activation: 'tanh' })
      for (const parameter of network.parameters()) parameter.assign(random.normal(parameter.shape))
      const y = noGrad(() => network.forward(tensor(x, [x.length, 1]))).data()
      network.dispose()
      return y
    }
    const counted = quick ? 50 : 300
    const turns = Object.entries(DEPTHS).map(([, units]) => {
      let sum = 0
      for (let i = 0; i < counted; i++) sum += countTurns(outputs(units, 1000 * (seed + 1) + i))
      return sum / counted
    })
    claims.push({
      claim: `The deeper, the more often the output turns, on average over ${counted} networks with random weights (1, 2, 4 layers)`,
      measured: formatList(turns),
      ok: turns[0] === 0 && turns[2] > 1.3 * turns[1] && turns[1] > 0.3,
    })
    const drawn = Object.entries(DEPTHS).map(([name, units]) => [
      name,
      { x, y: outputs(units, 4 + seed) },
    ])
    const caption = `One network each of one input with random weights (8 tanh units in each hidden layer). On
average over ${counted} such networks, the output turns ${turns.map((mean) => format(mean)).join(', ')} times.`
    const svg = await lines(Object.fromEntries(drawn), { x: 'x', y: 'y(x)' })
    return { claims, figures: [{ name: 'bends', caption, svg }] }
  },
}

const DEPTHS = {
  '1 layer': [1, 1],
  '2 layers': [1, 8, 1],
  '4 layers': [1, 8, 8, 8, 1],
}

/** How often a curve goes from rising to falling or back; where it is flat, rounding does not count. */
function countTurns(y: Float32Array): number {
  const slopes = [...y.subarray(1)].map((value, i) => value - y[i])
  const signs = slopes.filter((slope) => Math.abs(slope) > 1e-5).map(Math.sign)
  return signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length
}

function softmax(a: number[]): number[] {
  const total = a.reduce((sum, value) => sum + Math.exp(value), 0)
  return a.map((value) => Math.exp(value) / total)
}
