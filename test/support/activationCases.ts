/** Calls of the kernels that are activations, and how far their results may be apart. */
import type { KernelName } from '../../lib/backend/kernels.js'
import { unary } from './arithmeticCases.js'
import { type Cases, out } from './case.js'
import type { Tolerance } from './tolerance.js'
import { FINITE, floats, SIZES, SPECIAL } from './values.js'

/** Every special x beside every gradient that no product takes out of the range of floats. */
function* gradient(scale: number, ...scalars: number[]): Cases {
  for (const n of SIZES) {
    yield [floats(n, scale), floats(n), out(n), n, ...scalars]
    yield [floats(n, scale), floats(n), { alias: 0 }, n, ...scalars]
    yield [floats(n, scale), floats(n), { alias: 1 }, n, ...scalars]
  }
  const gradients = FINITE.filter((x) => Math.abs(x) < 1e7 && Math.abs(x) > 1e-4)
  const n = SPECIAL.length * gradients.length
  const x = Float32Array.from({ length: n }, (_, i) => SPECIAL[i % SPECIAL.length])
  const dy = Float32Array.from({ length: n }, (_, i) => gradients[Math.floor(i / SPECIAL.length)])
  yield [x, dy, out(n), n, ...scalars]
}

type Activation = 'leakyRelu' | 'elu' | 'gelu' | 'geluTanh' | 'silu' | 'mish' | 'softsign'
const SCALARS: Record<Activation, number[]> = {
  leakyRelu: [0.140625],
  elu: [1.25, 0.75],
  gelu: [],
  geluTanh: [],
  silu: [],
  mish: [],
  softsign: [],
}
const names = Object.keys(SCALARS) as Activation[]

type Both = Activation | `${Activation}Grad`
export const activationCases = Object.fromEntries(
  names.flatMap((name) => [
    [name, () => unary(name === 'softsign' ? 2 : 12, ...SCALARS[name])],
    [`${name}Grad`, () => gradient(6, ...SCALARS[name])],
  ]),
) as unknown as Record<Both, () => Cases>

/** Of a product with x: where its other factor is no normal number any more, its last digit is worth this. */
const underflow = (x: number) => (1 + Math.min(Math.abs(x), 1e3)) * 2 ** -126

/** |dy| times the sum of the terms of g'(x). */
function slope(terms: (x: number) => number): Tolerance['magnitude'] {
  return (call) => {
    const [x, dy] = [call.values('x'), call.values('dy')]
    return (i) => Math.abs(dy[i]) * (terms(x[i]) + underflow(x[i]))
  }
}

/** x times a factor that may underflow; terms of the factor's error beside its own last digits. */
function value(terms: (x: number) => number = () => 0): Tolerance['magnitude'] {
  return (call) => {
    const x = call.values('x')
    return (i, y) => (y === 0 ? 0 : Math.abs(y) * (1 + terms(x[i]))) + underflow(x[i])
  }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const bell = (x: number) => Math.exp((-x * x) / 2)
/** The argument of the sigmoid in the GELU by tanh, whose rounding grows with itself. */
const inner = (x: number) => Math.abs(1.6 * (x + 0.045 * x ** 3))
export const activationTolerances: Partial<Record<KernelName, Tolerance>> = {
  elu: { ulps: 4 },
  eluGrad: { ulps: 4, magnitude: slope((x) => Math.exp(Math.min(x, 0)) * 1.25) },
  gelu: { ulps: 6, magnitude: value() },
  geluGrad: { ulps: 6, magnitude: slope((x) => sigmoid(1.5 * x) + Math.abs(x) * bell(x)) },
  geluTanh: { ulps: 6, magnitude: value(inner) },
  geluTanhGrad: {
    ulps: 8,
    magnitude: slope((x) => {
      const s = sigmoid(Math.sign(x) * inner(x))
      const e = sigmoid(-inner(x)) * (1 + inner(x))
      return s + (e > 0 ? e * (1 + Math.abs(x) * (1.6 + 0.22 * x * x)) : 0)
    }),
  },
  silu: { ulps: 4, magnitude: value() },
  siluGrad: { ulps: 6, magnitude: slope((x) => sigmoid(x) + Math.abs(x) * sigmoid(-Math.abs(x))) },
  mish: { ulps: 6, magnitude: value() },
  mishGrad: { ulps: 8, magnitude: slope((x) => sigmoid(x) + Math.abs(x) * sigmoid(-Math.abs(x))) },
  softsign: { ulps: 2 },
  softsignGrad: { ulps: 4 },
}
