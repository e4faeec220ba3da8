/** Rows of the op table: functions of each element and activations. */
import { each, type OpCase, shapes, unary } from './opCase.js'
import { map, type Nd, positive, sample, total } from './reference.js'

/** By Simpson's rule, which is exact to more digits than are compared. */
export function erf(x: number): number {
  const steps = 2000
  const width = x / steps
  const weight = (i: number) => (i === 0 || i === steps ? 1 : i % 2 ? 4 : 2)
  const terms = Array.from(
    { length: steps + 1 },
    (_, i) => weight(i) * Math.exp(-((i * width) ** 2)),
  )
  return ((2 / Math.sqrt(Math.PI)) * width * total(terms)) / 3
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const roundEven = (x: number) => {
  const below = Math.floor(x)
  if (x - below !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}
/** Whole numbers, halves and quarters. */
const quarters = (shape: readonly number[], seed = 0): Nd =>
  map((x) => Math.round(4 * x) / 4, sample(shape, seed))

/** With arguments beside x. */
const called = (op: string, args: unknown[], f: (x: number) => number): OpCase[] =>
  each(
    shapes,
    (x) => (x as any)[op](...args),
    (x) => map(f, x),
  )

const SCALE = 1.0507009873554805
const ALPHA = 1.6732632423543772

/** Weights [1] or one for each of the last axis. */
export const prelus: OpCase[] = (
  [
    [[3], [1]],
    [[2, 3], [3]],
    [[2, 1, 2], [2]],
    [[], [1]],
    [[0, 3], [3]],
  ] as const
).map(([x, weight]) => ({
  name: `prelu of [${x}] with weights [${weight}]`,
  inputs: [sample(x), sample(weight, 1)],
  apply: (a, w) => a.prelu(w),
  expected: (a, w) => ({ ...map((u, v) => (u > 0 ? u : v * u), a, w), shape: [...x] }),
}))

export const elementwise: Record<string, OpCase[]> = {
  log1p: unary('log1p', Math.log1p, positive),
  expm1: unary('expm1', Math.expm1),
  erf: unary('erf', erf),
  floor: unary('floor', Math.floor, quarters),
  ceil: unary('ceil', Math.ceil, quarters),
  round: unary('round', roundEven, quarters),
  trunc: unary('trunc', Math.trunc, quarters),
  isNaN: unary('isNaN', () => 0),
  isFinite: unary('isFinite', () => 1),
  leakyRelu: [
    ...unary('leakyRelu', (x) => (x > 0 ? x : 0.01 * x)),
    ...called('leakyRelu', [-0.5], (x) => (x > 0 ? x : -0.5 * x)),
  ],
  elu: [
    ...unary('elu', (x) => (x > 0 ? x : Math.expm1(x))),
    ...called('elu', [0.75], (x) => (x > 0 ? x : 0.75 * Math.expm1(x))),
  ],
  selu: unary('selu', (x) => SCALE * (x > 0 ? x : ALPHA * Math.expm1(x))),
  gelu: unary('gelu', (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))),
  geluTanh: called('gelu', ['tanh'], (x) => {
    const u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)
    return 0.5 * x * (1 + Math.tanh(u))
  }),
  silu: unary('silu', (x) => x * sigmoid(x)),
  mish: unary('mish', (x) => x * Math.tanh(Math.log1p(Math.exp(x)))),
  hardtanh: [
    ...unary('hardtanh', (x) => Math.max(-1, Math.min(1, x))),
    ...called('hardtanh', [-3, 2], (x) => Math.max(-3, Math.min(2, x))),
  ],
  softsign: unary('softsign', (x) => x / (1 + Math.abs(x))),
}
