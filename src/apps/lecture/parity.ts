/** Item 15: parity, which several layers compute with fewer units than a single hidden layer. */
import {
  Adam,
  binaryCrossEntropyWithLogits,
  type Dataset,
  dataset,
  evaluate,
  fit,
  Linear,
  mlp,
  type Sequential,
  setSeed,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

/** All rows of n bits, with 1 where the number of ones is odd. */
function parity(n: number): Dataset {
  const bits = (row: number) => Array.from({ length: n }, (_, i) => (row >> i) & 1)
  const rows = Array.from({ length: 2 ** n }, (_, row) => bits(row))
  const odd = rows.map((row) => row.reduce((sum, bit) => sum ^ bit, 0))
  return dataset({ inputs: rows, targets: odd })
}

const affines = (network: Sequential) => network.layers.filter((layer) => layer instanceof Linear)

/**
 * One hidden layer: of the number of ones s, the zigzag s - 2(s - 1)⁺ + 2(s - 2)⁺ - … is 1 where s is
 * odd and 0 where it is even. It takes a unit for each piece: n units.
 */
function shallow(n: number): Sequential {
  const network = mlp([n, n, 1])
  const [hidden, output] = affines(network)
  hidden.weight.assign(new Array<number>(n * n).fill(1))
  hidden.bias?.assign(Array.from({ length: n }, (_, k) => -k))
  output.weight.assign(Array.from({ length: n }, (_, k) => (k === 0 ? 1 : k % 2 ? -2 : 2)))
  output.bias?.assign([-0.5])
  return network
}

// lecture:begin
/**
 * Several: each layer folds the range of s in the middle, s⁺ - 2(s - m)⁺, which changes s to 2m - s
 * above m and keeps whether it is odd. It takes two units for each halving: 2·log₂ n units.
 */
function deep(n: number): Sequential {
  const depth = Math.log2(n)
  const network = mlp([n, ...new Array<number>(depth).fill(2), 1])
  for (const [k, { weight, bias }] of affines(network).entries()) {
    const units = weight.shape[1]
    const folded = weight.shape[0] === 2 && k > 0 ? [1, -2] : new Array<number>(n).fill(1)
    weight.assign(folded.flatMap((value) => new Array<number>(units).fill(value)))
    bias?.assign(k < depth ? [0, -n / 2 ** (k + 1)] : [-0.5])
  }
  return network
}
// lecture:end

/** The best accuracy that networks with one hidden layer reach by training, of several starts. */
async function trainShallow(data: Dataset, units: number, starts: number, signal: AbortSignal) {
  const [n] = data.inputShape
  let best = 0
  for (let seed = 1; seed <= starts && best < 1; seed++) {
    setSeed(seed)
    const network = mlp([n, units, 1])
    await fit(network, data, {
      loss: binaryCrossEntropyWithLogits,
      optimizer: new Adam(network.parameters(), { lr: 0.02 }),
      epochs: 1500,
      batchSize: data.size,
      seed: 0,
      signal,
    })
    best = Math.max(best, await accuracyOf(network, data))
    network.dispose()
  }
  return best
}

const accuracyOf = async (network: Sequential, data: Dataset) =>
  (await evaluate(network, data, { loss: binaryCrossEntropyWithLogits })).accuracy ?? 0

/** How many hidden units a network has. */
const hiddenUnits = (network: Sequential) =>
  affines(network)
    .slice(0, -1)
    .reduce((sum, { weight }) => sum + weight.shape[1], 0)

export const compactness: Experiment = {
  name: 'parity',
  items: [15],
  title: 'More compact with several layers: parity',
  formula: String.raw`x \in \{0, 1\}^n \mapsto \sum_i x_i \bmod 2`,
  text: `Whether the number of ones among n bits is odd, computed by relu networks. Along a path from no
ones to n ones the output must change n times, and each unit of a single hidden layer adds one bend:
it takes at least n - 1 units. Folding the count in half layer by layer takes 2·log₂ n.`,

  async run({ quick, signal, progress }: Context): Promise<Outcome> {
    const claims: Outcome['claims'] = []
    const all = parity(16)
    for (const [name, network] of [
      ['One hidden layer', shallow(16)],
      ['Four hidden layers', deep(16)],
    ] as const) {
      const accuracy = await accuracyOf(network, all)
      claims.push({
        claim: `${name}: all 65,536 rows of 16 bits are right, with this many hidden units`,
        measured: `${100 * accuracy} %, ${hiddenUnits(network)} units`,
        ok: accuracy === 1,
      })
    }
    const sizes = [4, 8, 16, 32, 64]
    const needed = (make: typeof deep) => ({ x: sizes, y: sizes.map((n) => hiddenUnits(make(n))) })
    const [one, several] = [needed(shallow), needed(deep)]
    claims.push({
      claim: 'Hidden units for 64 bits: one hidden layer against six',
      measured: `${one.y[4]} against ${several.y[4]}`,
      ok: several.y[4] === 2 * Math.log2(64) && one.y[4] === 64,
    })

    const n = quick ? 4 : 6
    const data = parity(n)
    const reached: number[] = []
    for (let units = 1; reached.at(-1) !== 1 && units <= 3 * n; units++) {
      reached.push(await trainShallow(data, units, quick ? 5 : 10, signal))
      progress(units, 3 * n, `${units} hidden units`)
    }
    const percent = (accuracy: number) => `${(100 * accuracy).toFixed(0)} %`
    claims.push({
      claim: `Trained with one hidden layer on ${n} bits: at least ${n - 1} units until every row is right (accuracy with 1, 2, 3, … units)`,
      measured: reached.map(percent).join(', '),
      ok: reached.at(-1) === 1 && reached.length >= n - 1,
    })
    return {
      claims,
      figures: [
        {
          name: 'units',
          caption: 'Hidden relu units that compute the parity of n bits.',
          svg: await lines(
            { 'one hidden layer': one, 'log₂ n hidden layers': several },
            { x: 'bits', y: 'hidden units' },
          ),
        },
        {
          name: 'trained',
          caption: `One hidden layer, trained on all rows of ${n} bits: best accuracy of several starts.`,
          svg: await lines(
            { accuracy: reached.map((accuracy) => 100 * accuracy) },
            { x: 'hidden units', y: 'accuracy (%)' },
          ),
        },
      ],
    }
  },
}
