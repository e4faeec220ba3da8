/** Item 15: parity, which several layers compute with fewer units than a single hidden layer. */
import {
  Adam,
  binaryCrossEntropyWithLogits,
  type Dataset,
  dataset,
  evaluate,
  fit,
  Generator,
  Linear,
  mlp,
  type Sequential,
  setSeed,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { percents } from './numbers.js'

/** All rows of n bits. */
function allRows(n: number): number[][] {
  const bits = (row: number) => Array.from({ length: n }, (_, i) => (row >> i) & 1)
  return Array.from({ length: 2 ** n }, (_, row) => bits(row))
}

// lecture:begin
/** Rows of bits, with the class 1 where the number of ones is odd. */
function parity(rows: number[][]): Dataset {
  const odd = rows.map((row) => row.reduce((sum, bit) => sum ^ bit, 0))
  return dataset({ inputs: rows, targets: odd })
}

const affines = (network: Sequential) => network.layers.filter((layer) => layer instanceof Linear)
// lecture:end

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
async function trainShallow(
  data: Dataset,
  units: number,
  { starts, seed }: { starts: number; seed: number },
  signal: AbortSignal,
) {
  const [n] = data.inputShape
  let best = 0
  for (let start = 1; start <= starts && best < 1; start++) {
    setSeed(start + 100 * seed)
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
  symbols: `n: the number of bits`,
  text: `Whether the number of ones among n bits is odd, computed by relu networks. Along a path from no
ones to n ones the output must change n times, and each unit of a single hidden layer adds one bend:
it takes at least n - 1 units. Folding the count in half layer by layer takes 2·log₂ n.`,

  async run({ quick, seed, signal, progress }: Context): Promise<Outcome> {
    const claims: Outcome['claims'] = []
    const all = parity(allRows(16))
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
    // lecture:begin
    // lecture:as const seed = 0
    const random = new Generator(1 + seed).uniform([10_000, 64]).toArray() as number[][]
    const many = parity(random.map((row) => row.map((u) => (u < 0.5 ? 1 : 0))))
    // lecture:as const { accuracy } = await evaluate(deep(64), many, { loss: binaryCrossEntropyWithLogits })
    // lecture:end
    const found = [await accuracyOf(shallow(64), many), await accuracyOf(deep(64), many)]
    claims.push({
      claim:
        '64 bits, 10,000 random rows: right with 64 units in one hidden layer, and with 12 in six',
      measured: percents(found),
      ok: found.every((accuracy) => accuracy === 1) && hiddenUnits(deep(64)) === 12,
    })
    const sizes = [4, 8, 16, 32, 64]
    const needed = (make: typeof deep) => ({ x: sizes, y: sizes.map((n) => hiddenUnits(make(n))) })
    const [one, several] = [needed(shallow), needed(deep)]

    const n = quick ? 4 : 6
    const data = parity(allRows(n))
    const reached: number[] = []
    for (let units = 1; reached.at(-1) !== 1 && units <= 3 * n; units++) {
      reached.push(await trainShallow(data, units, { starts: quick ? 5 : 10, seed }, signal))
      progress(units, 3 * n, `${units} hidden units`)
    }
    claims.push({
      claim: `Trained with one hidden layer on ${n} bits: at least ${n - 1} units until every row is right (accuracy with 1, 2, 3, … units)`,
      measured: percents(reached, 0),
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
