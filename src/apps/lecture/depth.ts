/** Item 5: networks with any number of layers compute what the formula says. */
import { type ActivationName, Generator, Linear, mlp, noGrad, tensor } from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

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
  text: `Networks with up to six layers, of different widths and activations, are given random weights
and biases. Their outputs are compared with the formula, written out in plain JavaScript in double
precision. The figure shows what networks of one, two and four layers make of one input.`,

  async run(_: Context): Promise<Outcome> {
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
        const random = new Generator(units.length)
        const x = random.normal([20, units[0]])
        // lecture:begin
        const network = mlp(units, { activation }) // such as mlp([5, 8, 7, 3], …)
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
    const outputs = (units: number[]) => {
      const random = new Generator(4)
      const network = mlp(units, { activation: 'tanh' })
      for (const parameter of network.parameters()) parameter.assign(random.normal(parameter.shape))
      return { x, y: noGrad(() => network.forward(tensor(x, [x.length, 1]))).data() }
    }
    const svg = await lines(
      {
        '1 layer': outputs([1, 1]),
        '2 layers': outputs([1, 8, 1]),
        '4 layers': outputs([1, 8, 8, 8, 1]),
      },
      { x: 'x', y: 'y(x)' },
    )
    const caption = `Networks of one input with random weights (8 tanh units in each hidden layer): with
every layer the output bends more often.`
    return { claims, figures: [{ name: 'bends', caption, svg }] }
  },
}

function softmax(a: number[]): number[] {
  const total = a.reduce((sum, value) => sum + Math.exp(value), 0)
  return a.map((value) => Math.exp(value) / total)
}
