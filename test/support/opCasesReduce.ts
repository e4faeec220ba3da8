/** Rows of the op table: reductions, whole quotients and truth values. */
import { cosineSimilarity, type Tensor } from '../../lib/index.js'
import { binary, each, type OpCase, type Shape, show, unary } from './opCase.js'
import { build, fold, map, type Nd, sample, total } from './reference.js'

/** Every second and the last axis, neighbours, and all. */
const LIST: [Shape, Shape][] = [
  [[], []],
  [[7], [0]],
  [[2, 3], [1]],
  [
    [2, 3, 2],
    [0, 1],
  ],
  [
    [2, 3, 2],
    [0, 2],
  ],
  [
    [2, 1, 3, 2],
    [1, 3],
  ],
  [[2, 3], []],
]

/** A reduction by the name of its method, kept and not. */
export function folds(
  op: string,
  f: (values: number[]) => number,
  make: (shape: readonly number[]) => Nd = sample,
  ...args: unknown[]
): OpCase[] {
  return LIST.flatMap(([shape, axes]) =>
    [false, true].map((keepDims) => ({
      name: `${op} of ${show([shape])} over [${axes}]${keepDims ? ', kept' : ''} ${args}`,
      inputs: [make(shape)],
      apply: (x) => x[op](axes, keepDims, ...args),
      expected: (x: Nd) => fold(f, x, axes, keepDims),
    })),
  )
}

const variance = (correction: number) => (values: number[]) => {
  const mean = total(values) / values.length
  const squares = total(values.map((x) => (x - mean) ** 2))
  return squares / Math.max(0, values.length - correction)
}
/** Of several elements: one has no spread. */
const spread = (op: string, f: (variance: number) => number): OpCase[] =>
  [
    ...folds(op, (values) => f(variance(1)(values))),
    ...folds(op, (values) => f(variance(0)(values)), sample, 0),
  ].filter(({ name }) => !name.includes('over []'))

const zeros = (shape: readonly number[]): Nd => {
  let i = 0
  return map((x) => (i++ % 4 === 1 ? 0 : x / 4), sample(shape))
}

/** Truth values as floats: about half of them. */
const halves = (shape: readonly number[], seed = 0): Nd => map((x) => +(x > 0), sample(shape, seed))
const mostly = (shape: readonly number[]): Nd => map((x) => +(x > -5), sample(shape))

const whole = (shape: readonly number[], seed = 0): Nd => map(Math.trunc, sample(shape, seed))
/** Whole, and none of them 0. */
const divisors = (shape: readonly number[], seed = 0): Nd =>
  map((x) => Math.trunc(x) || 3, sample(shape, seed))
const asIntegers = (x: Nd): Nd => ({ ...x, dtype: 'int32' })

/** a of quarters, b of halves. */
const quotients = (op: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => number) =>
  binary('add', f).map((each) => ({
    ...each,
    inputs: each.inputs.map((x, i) => map((v) => Math.round(v * 4) / 4 + (i ? 0.125 : 0.0625), x)),
    apply: op,
  }))

const mod = (a: number, b: number) => a - b * Math.floor(a / b)

export const reductions: Record<string, OpCase[]> = {
  var: spread('var', (v) => v),
  std: spread('std', Math.sqrt),
  prod: [
    ...folds('prod', (values) => values.reduce((a, b) => a * b, 1)),
    ...folds('prod', (values) => values.reduce((a, b) => a * b, 1), zeros),
    ...each(
      [[0], [0, 2]],
      (x) => x.prod(0),
      (x) => build(x.shape.slice(1), () => 1),
    ),
  ],
  any: folds('any', (values) => +values.some((x) => x !== 0), halves),
  all: folds('all', (values) => +values.every((x) => x !== 0), mostly),
  maxWithIndices: [0, -1].flatMap((axis) => [
    ...each(
      [[7], [2, 3], [2, 1, 3], [3, 2, 2, 2]],
      (x) => x.maxWithIndices(axis).values,
      (x) => fold((values) => Math.max(...values), x, [axis < 0 ? x.shape.length - 1 : 0]),
    ),
    ...each(
      [[7], [2, 3]],
      (x) => x.minWithIndices(axis, true).values,
      (x) => fold((values) => Math.min(...values), x, [axis < 0 ? x.shape.length - 1 : 0], true),
    ),
  ]),
  floorDivide: quotients(
    (a, b) => a.div(b, { roundingMode: 'floor' }),
    (a, b) => Math.floor(a / b),
  ),
  remainder: quotients((a, b) => a.remainder(b), mod),
  truncDivide: binary('add', (a, b) => Math.trunc(a / b)).map((each) => ({
    ...each,
    inputs: [
      asIntegers(whole(each.inputs[0].shape)),
      asIntegers(divisors(each.inputs[1].shape, 1)),
    ],
    apply: (a, b) => a.div(b, { roundingMode: 'trunc' }),
  })),
  logicalAnd: binary('logicalAnd', (a, b) => +(a !== 0 && b !== 0), halves),
  logicalOr: binary('logicalOr', (a, b) => +(a !== 0 || b !== 0), halves),
  logicalXor: binary('logicalXor', (a, b) => +((a !== 0) !== (b !== 0)), halves),
  logicalNot: unary('logicalNot', (x) => +(x === 0), halves),
}

/** Compositions, beside the ops that they are made of. */
export const logsumexps = folds('logsumexp', (values) =>
  Math.log(total(values.map((x) => Math.exp(x)))),
)

const length = (x: Nd, axis: number) => fold((values) => Math.hypot(...values), x, [axis], true)

export const cosines: OpCase[] = (
  [
    [[7], [7], 0],
    [[2, 3], [2, 3], -1],
    [[2, 3], [2, 3], 0],
    [[2, 1, 4], [3, 4], 2],
    [[0, 3], [0, 3], 1],
  ] as [Shape, Shape, number][]
).map(([p, q, axis]) => ({
  name: `cosineSimilarity of ${show([p, q])} along ${axis}`,
  inputs: [sample(p), sample(q, 1)],
  apply: (a, b) => cosineSimilarity(a, b, axis),
  expected: (a, b) => {
    const along = (x: Nd) => (axis < 0 ? axis : axis - p.length) + x.shape.length
    const unit = (x: Nd) => map((v, norm) => v / norm, x, length(x, along(x)))
    const products = map((v, w) => v * w, unit(a), unit(b))
    return fold(total, products, [along(products)])
  },
}))
