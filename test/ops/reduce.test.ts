/**
 * Broadcasting of two operands and reductions over any axes, against naive versions in doubles.
 */
import { ArgumentError, KernelError, oneHot, ShapeError, tensor, where } from '../../lib/index.js'
import {
  fold,
  ints,
  map,
  onBothBackends,
  positive,
  refuses,
  same,
  sample,
  toTensor,
  total,
  wrong,
} from '../support/reference.js'

/** Pairs that broadcast, up to seven alternations of who is repeated. */
const pairs: [number[], number[]][] = [
  [[], []],
  [[3], []],
  [[1], [1]],
  [[2, 3], [3]],
  [
    [2, 3],
    [2, 1],
  ],
  [[4], [3, 1]],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [
    [5, 1, 4, 1],
    [1, 3, 1, 2],
  ],
  [
    [2, 1, 2, 1, 3],
    [1, 3, 1, 2, 1],
  ],
  [
    [2, 1, 2, 1, 2, 1, 2],
    [3, 1, 3, 1, 2, 1],
  ],
  [
    [2, 3, 1, 2, 1],
    [1, 3, 2, 2, 2],
  ],
  [
    [2, 1, 2, 3, 2],
    [2, 2, 1, 3, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[0], [1]],
  [
    [2, 0, 2, 1],
    [1, 1, 2, 3],
  ],
  [
    [1, 1, 1],
    [1, 1],
  ],
]

const binary = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  pow: (a: number, b: number) => a ** b,
  maximum: Math.max,
  minimum: Math.min,
  equal: (a: number, b: number) => +(a === b),
  notEqual: (a: number, b: number) => +(a !== b),
  less: (a: number, b: number) => +(a < b),
  lessEqual: (a: number, b: number) => +(a <= b),
  greater: (a: number, b: number) => +(a > b),
  greaterEqual: (a: number, b: number) => +(a >= b),
}

onBothBackends('binary ops broadcast as in NumPy', (t) => {
  for (const [op, f] of Object.entries(binary)) {
    const make = op === 'pow' ? positive : sample
    const tolerance = op === 'div' || op === 'pow' ? 1e-6 : 0
    for (const [shapeA, shapeB] of pairs) {
      const a = make(shapeA)
      const b = make(shapeB, 1)
      for (const [p, q] of [
        [a, b],
        [b, a],
      ]) {
        const y = toTensor(p)[op as keyof typeof binary](toTensor(q))
        same(t, y, map(f, p, q), `${op} [${p.shape}] with [${q.shape}]`, tolerance)
      }
    }
  }
})

onBothBackends('integers broadcast as well', (t) => {
  for (const [shapeA, shapeB] of pairs) {
    const a = ints(shapeA, [3, 1, 2, 1])
    const b = ints(shapeB, [1, 2, 1, 3, 3])
    const label = `[${shapeA}] with [${shapeB}]`
    same(t, toTensor(a).equal(toTensor(b)), map(binary.equal, a, b), `equal ${label}`)
    same(t, toTensor(a).notEqual(toTensor(b)), map(binary.notEqual, a, b), `notEqual ${label}`)
  }
})

onBothBackends('shapes that do not broadcast', (t) => {
  for (const [a, b] of [
    [[2], [3]],
    [[2, 3], [2]],
    [
      [2, 3],
      [3, 2],
    ],
    [[0], [2]],
    [
      [2, 1, 3],
      [4, 5, 1, 2],
    ],
  ]) {
    for (const op of Object.keys(binary) as (keyof typeof binary)[]) {
      refuses(
        t,
        () => toTensor(sample(a))[op](toTensor(sample(b))),
        ShapeError,
        `${op}: shapes do not broadcast, got [${a.join(', ')}] and [${b.join(', ')}]`,
      )
    }
  }
  refuses(
    t,
    () => where(tensor([1, 0]), tensor([1, 2]), tensor([1, 2, 3])),
    ShapeError,
    'where: shapes do not broadcast, got [2] and [3]',
  )
})

/** Every set of axes of a rank. */
function subsets(rank: number): number[][] {
  return Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, axis) => axis).filter((axis) => (bits >> axis) & 1),
  )
}

const folds = {
  sum: total,
  mean: (values: number[]) => total(values) / values.length,
  max: (values: number[]) => Math.max(...values),
  min: (values: number[]) => Math.min(...values),
}

onBothBackends('reductions over every set of axes', (t) => {
  for (const shape of [
    [],
    [1],
    [7],
    [3, 5],
    [1, 3],
    [2, 3, 4],
    [2, 1, 3, 2],
    [0],
    [0, 3],
    [2, 0, 3],
  ]) {
    const x = sample(shape)
    for (const axes of subsets(shape.length)) {
      for (const [op, f] of Object.entries(folds)) {
        const reduce = (list: number | number[] | undefined, keepDims?: boolean) =>
          toTensor(x)[op as keyof typeof folds](list, keepDims)
        const label = `${op} of [${shape}] over [${axes}]`
        if ((op === 'max' || op === 'min') && axes.some((axis) => shape[axis] === 0)) {
          refuses(t, () => reduce(axes), ShapeError, /^(max|min): expected at least one element/)
          continue
        }
        same(t, reduce(axes), fold(f, x, axes), label, 1e-6)
        same(t, reduce(axes, true), fold(f, x, axes, true), `${label}, kept`, 1e-6)
        const backwards = axes.map((axis) => axis - shape.length).reverse()
        same(t, reduce(backwards), fold(f, x, axes), `${label}, negative`, 1e-6)
        if (axes.length === 1) same(t, reduce(axes[0]), fold(f, x, axes), `${label}, alone`, 1e-6)
        if (axes.length === shape.length) same(t, reduce(undefined), fold(f, x, axes), label, 1e-6)
      }
    }
  }
})

onBothBackends('argmax and argmin', (t) => {
  const position = (pick: (...values: number[]) => number) => (values: number[]) =>
    values.indexOf(pick(...values))
  for (const shape of [[1], [7], [3, 5], [2, 3, 4]]) {
    const x = sample(shape)
    const flat = { ...x, shape: [x.data.length] }
    for (const [op, pick] of [
      ['argmax', Math.max],
      ['argmin', Math.min],
    ] as const) {
      const f = position(pick)
      same(t, toTensor(x)[op](), fold(f, flat, [0]), `${op} of [${shape}]`)
      for (const axis of shape.keys()) {
        const label = `${op} of [${shape}] along ${axis}`
        same(t, toTensor(x)[op](axis), fold(f, x, [axis]), label)
        same(t, toTensor(x)[op](axis - shape.length), fold(f, x, [axis]), label)
      }
    }
  }
  t.equal(tensor([1, 3, 3]).argmax().item(), 1, 'the first of equal ones')
  t.equal(tensor([2, 1, 1]).argmin().item(), 1)
  t.equal(tensor([1, Number.NaN, 3]).argmax().item(), 1, 'NaN counts as largest')
  t.equal(tensor([-Infinity, -Infinity]).argmax().item(), 0)
  t.equal(tensor(5).argmax().item(), 0)
  t.strictSame(tensor([], [0, 2]).argmax(1).shape, [0])
  refuses(t, () => tensor([], [0, 2]).argmax(0), ShapeError)
  refuses(t, () => tensor([]).argmax(), ShapeError)
  refuses(t, () => tensor([]).argmin(), ShapeError)
})

onBothBackends('axes that are none', (t) => {
  const x = toTensor(sample([2, 3]))
  for (const op of ['sum', 'mean', 'max', 'min'] as const) {
    const range = `${op}: expected an axis from -2 to 1, got`
    refuses(t, () => x[op](2), ShapeError, `${range} 2`)
    refuses(t, () => x[op]([0, -3]), ShapeError, `${range} -3`)
    refuses(t, () => x[op](0.5), ShapeError, `${range} 0.5`)
    refuses(t, () => x[op](wrong('0')), ShapeError, `${range} '0'`)
    refuses(t, () => x[op](wrong(null)), ShapeError, `${range} null`)
    refuses(t, () => x[op]([0, -2]), ShapeError, `${op}: expected different axes, got [0, -2]`)
    refuses(t, () => tensor(1)[op](0), ShapeError, /no axis \(the tensor is a scalar\), got 0$/)
  }
  refuses(t, () => x.argmax(2), ShapeError)
  refuses(t, () => x.softmax(2), ShapeError)
  refuses(t, () => tensor(1).logSoftmax(), ShapeError)
})

onBothBackends('a mean of nothing, infinities and NaN', (t) => {
  t.ok(Number.isNaN(tensor([]).mean().item()))
  t.equal(tensor([]).sum().item(), 0)
  t.equal(tensor([1, Infinity]).sum().item(), Infinity)
  t.ok(Number.isNaN(tensor([Infinity, -Infinity]).sum().item()))
  t.ok(Number.isNaN(tensor([1, Number.NaN, 2]).max().item()))
  t.ok(Number.isNaN(tensor([1, Number.NaN, 2]).min().item()))
  t.ok(
    Number.isNaN(
      tensor([Number.NaN])
        .maximum(tensor([1]))
        .item(),
    ),
  )
  t.equal(tensor([-Infinity]).max().item(), -Infinity)
  t.strictSame(tensor([], [2, 0]).softmax().shape, [2, 0])
})

onBothBackends('accurate sums', (t) => {
  const n = 1_000_003
  const x = tensor(new Float32Array(n).fill(0.1))
  const exact = n * Math.fround(0.1)
  t.ok(Math.abs(x.sum().item() / exact - 1) < 1e-6)
  t.ok(Math.abs(x.reshape([n, 1]).sum(0).item() / exact - 1) < 1e-6)
  t.ok(Math.abs(x.mean().item() / Math.fround(0.1) - 1) < 1e-6)
})

onBothBackends('errors of matmul', (t) => {
  const a = toTensor(sample([32, 10]))
  const b = toTensor(sample([12, 4]))
  const differ = 'matmul: inner dimensions differ, got'
  refuses(t, () => a.matmul(b), ShapeError, `${differ} [32, 10] x [12, 4] (10 vs 12)`)
  refuses(
    t,
    () => a.matmul(b, { transB: true }),
    ShapeError,
    `${differ} [32, 10] x [12, 4] transposed (10 vs 4)`,
  )
  refuses(t, () => a.matmul(tensor(1)), ShapeError)
  refuses(t, () => tensor([1]).matmul(a, { transA: true }), ShapeError, /got a vector$/)
  refuses(t, () => a.matmul(tensor([1]), { transB: true }), ShapeError)
  refuses(t, () => tensor([1, 2]).matmul(tensor([1])), ShapeError)
  refuses(t, () => a.matmul(wrong(tensor(Int32Array.of(1)))), ArgumentError)
  refuses(t, () => oneHot(tensor(Int32Array.of(3)), 3), KernelError)
})
