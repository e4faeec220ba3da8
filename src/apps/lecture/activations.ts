/** Item 2: activations and their derivatives, over the whole range of float32. */
import { Generator, type Tensor, tensor } from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Claim, Context, Experiment, Outcome } from './experiment.js'
import { format, percent } from './numbers.js'

interface Activation {
  name: string
  g: (a: Tensor) => Tensor
  /** The formulas in double precision. */
  value: (a: number) => number
  derivative: (a: number) => number
  low: number
  high: number
}

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a))

const activations: Activation[] = [
  {
    name: 'linear',
    g: (a) => a.mul(1),
    value: (a) => a,
    derivative: () => 1,
    low: -Infinity,
    high: Infinity,
  },
  {
    name: 'sigmoid',
    g: (a) => a.sigmoid(),
    value: sigmoid,
    derivative: (a) => sigmoid(a) * sigmoid(-a),
    low: 0,
    high: 1,
  },
  {
    name: 'tanh',
    g: (a) => a.tanh(),
    value: Math.tanh,
    derivative: (a) => 1 / Math.cosh(a) ** 2,
    low: -1,
    high: 1,
  },
  {
    name: 'relu',
    g: (a) => a.relu(),
    value: (a) => Math.max(0, a),
    derivative: (a) => (a > 0 ? 1 : 0),
    low: 0,
    high: Infinity,
  },
]

// lecture:begin
/** g and g′ of many numbers; g is (a) => a.sigmoid(), (a) => a.tanh() or (a) => a.relu(). */
function evaluate(g: (a: Tensor) => Tensor, numbers: Float32Array) {
  const a = tensor(numbers)
  a.requiresGrad = true
  const h = g(a)
  h.sum().backward()
  const values = h.data()
  const derivatives = a.grad!.data()
  for (const used of [a.grad!, a, h]) used.dispose()
  return { values, derivatives }
}
// lecture:end

/** Two units in the last place of 1; derivatives, computed from the value, may be off by twice that. */
const TOLERANCE = 2 ** -22

/** Every 4,099th of all float32 numbers that are finite, in rising order. */
function sampleFloats(): Float32Array {
  const bits = Uint32Array.from({ length: Math.floor(2 ** 32 / 4099) }, (_, i) => i * 4099)
  return new Float32Array(bits.buffer).filter(Number.isFinite).sort()
}

const rises = (values: Float32Array) =>
  values.every((value, i) => i === 0 || value >= values[i - 1])
const climbs = (values: Float32Array) =>
  values.every((value, i) => i === 0 || value > values[i - 1])

/** Largest difference from the formula, relative to values above 1. */
function largestError(found: Float32Array, a: Float32Array, formula: (a: number) => number) {
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const expected = formula(a[i])
    const error = Math.abs(found[i] - expected) / Math.max(1, Math.abs(expected))
    if (!(error <= largest)) largest = error
  }
  return largest
}

function claimsOf(
  { name, g, value, derivative, low, high }: Activation,
  all: Float32Array,
): Claim[] {
  const { values, derivatives } = evaluate(g, all)
  const near = Float32Array.from({ length: 513 }, (_, i) => (i - 256) / 64)
  const [least, most] = [values[0], values[values.length - 1]]
  const error = largestError(values, all, value)
  const slopeError = largestError(derivatives, all, derivative)
  const strict = climbs(evaluate(g, near).values)
  return [
    {
      claim: `${name}: value right over the whole float32 range, largest error (relative above 1)`,
      measured: error,
      ok: error <= TOLERANCE,
    },
    {
      claim: `${name}: derivative right over the whole float32 range, largest error`,
      measured: slopeError,
      ok: slopeError <= 2 * TOLERANCE,
    },
    {
      claim: `${name}: never falls, and stays within [${format(low)}, ${format(high)}]`,
      measured: `from ${format(least)} to ${format(most)}`,
      ok: rises(values) && least >= low && most <= high,
    },
    name === 'relu'
      ? {
          claim: 'relu: increases, but not strictly',
          measured: strict ? 'strictly' : 'not strictly',
          ok: !strict,
        }
      : {
          claim: `${name}: strictly increasing from −4 to 4, in steps of 1/64`,
          measured: strict ? 'strictly' : 'not strictly',
          ok: strict,
        },
  ]
}

export const activationFunctions: Experiment = {
  name: 'activations',
  items: [2],
  title: 'Activations, their derivatives and their ranges',
  formula: String.raw`g(a) = a, \quad \frac{1}{1 + e^{-a}}, \quad \tanh a, \quad \max(0, a)`,
  text: `Each activation and its derivative by back-propagation is evaluated at a million numbers from
all over the float32 range, from −3.4 × 10³⁸ to 3.4 × 10³⁸, and compared with the formula in double precision.`,

  async run({ seed }: Context): Promise<Outcome> {
    const all = sampleFloats()
    const claims = activations.flatMap((activation) => claimsOf(activation, all))

    const [tanh, relu] = activations.slice(2)
    const far = activations.slice(1).map(({ g }) => evaluate(g, Float32Array.of(-1e4, 1e4)))
    const ends = far.map(({ values }) => [...values].map((value) => format(value)).join(' and '))
    claims.push({
      claim: 'No overflow at a = ±10,000: sigmoid 0 and 1, tanh −1 and 1, relu 0 and 10,000',
      measured: ends.join('; '),
      ok: String(ends) === '0 and 1,−1 and 1,0 and 10,000',
    })
    const tail = evaluate(activations[1].g, Float32Array.of(-20, -40, -80))
    const tailError = Math.max(
      ...[20, 40, 80].map((a, i) =>
        Math.max(
          Math.abs(tail.values[i] / sigmoid(-a) - 1),
          Math.abs(tail.derivatives[i] / (sigmoid(-a) * sigmoid(a)) - 1),
        ),
      ),
    )
    claims.push({
      claim:
        'sigmoid: value and derivative keep their relative precision in the tail, at −20, −40, −80',
      measured: tailError,
      ok: tailError < 1e-6,
    })
    const a = new Generator(1 + seed).normal([100_000]).data()
    const zeros = (values: Float32Array) => values.filter((value) => value === 0).length / a.length
    const shares = [zeros(evaluate(relu.g, a).values), zeros(evaluate(tanh.g, a).values)]
    claims.push({
      claim: 'relu is sparse: of normally distributed inputs, half give exactly zero (tanh: none)',
      measured: shares.map((share) => percent(share)).join(' against '),
      ok: Math.abs(shares[0] - 0.5) < 0.01 && shares[1] === 0,
    })
    const x = Float32Array.from({ length: 241 }, (_, i) => i / 40 - 3)
    const curves = activations.map(({ name, g }) => [name, evaluate(g, x)] as const)
    const draw = (what: 'values' | 'derivatives', y: string) =>
      lines(Object.fromEntries(curves.map(([name, of]) => [name, { x, y: of[what] }])), {
        x: 'a',
        y,
      })
    const figures = [
      {
        name: 'values',
        caption: 'The four activations.',
        svg: await draw('values', 'g(a)'),
      },
      {
        name: 'derivatives',
        caption: 'Their derivatives by back-propagation; that of sigmoid is 1/4 at most.',
        svg: await draw('derivatives', 'g′(a)'),
      },
    ]
    return { claims, figures }
  },
}
