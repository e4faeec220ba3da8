/** Which dtypes arithmetic, comparisons and truth values take, and what they give. */
import { ArgumentError, capture, type Tensor, tensor } from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const flags = () => tensor([true, false, true, false])
const others = () => tensor([true, true, false, false])

onBothBackends('truth values', (t) => {
  const [a, b] = [flags(), others()]
  const results = {
    and: a.logicalAnd(b),
    or: a.logicalOr(b),
    xor: a.logicalXor(b),
    not: a.logicalNot(),
  }
  t.strictSame(
    Object.fromEntries(Object.entries(results).map(([name, y]) => [name, y.toArray()])),
    { and: [1, 0, 0, 0], or: [1, 1, 1, 0], xor: [0, 1, 1, 0], not: [0, 1, 0, 1] },
  )
  for (const y of Object.values(results)) t.equal(y.dtype, 'bool')
  // Of any dtypes: comparisons, which are floats, and integers.
  const x = tensor([-1, 0.5, 2, Number.NaN])
  t.strictSame(x.greater(0).logicalAnd(x.less(1)).toArray(), [0, 1, 0, 0])
  t.strictSame(x.logicalNot().toArray(), [0, 0, 0, 0], 'NaN is true')
  t.strictSame(
    tensor(Int32Array.of(0, 3, 0, 1))
      .logicalXor(b)
      .toArray(),
    [1, 0, 0, 1],
  )
  t.strictSame(
    tensor([[true], [false]])
      .logicalOr(tensor([true, false]))
      .toArray(),
    [
      [1, 1],
      [1, 0],
    ],
  )
  t.strictSame(
    [a.any().item(), a.all().item(), a.logicalOr(a.logicalNot()).all().item()],
    [1, 0, 1],
  )
  t.strictSame(
    tensor([
      [0, 1],
      [0, 0],
    ])
      .any(1)
      .toArray(),
    [1, 0],
  )
  t.strictSame(
    tensor([
      [0, 1],
      [0, 0],
    ])
      .all(0, true)
      .toArray(),
    [[0, 0]],
  )
})

onBothBackends('comparisons of every dtype', (t) => {
  const [a, b] = [flags(), others()]
  t.strictSame(a.less(b).toArray(), [0, 1, 0, 0])
  t.strictSame(a.lessEqual(b).toArray(), [1, 1, 0, 1])
  t.strictSame(a.greater(b).toArray(), [0, 0, 1, 0])
  t.strictSame(a.greaterEqual(b).toArray(), [1, 0, 1, 1])
  t.strictSame(a.notEqual(b).toArray(), [0, 1, 1, 0])
  t.equal(a.less(b).dtype, 'float32', 'as of floats')
  const bytes = tensor(Uint8Array.of(0, 200))
  t.strictSame(bytes.greater(100).toArray(), [0, 1])
  const whole = tensor(Int32Array.of(-3, 5))
  t.strictSame(
    [whole.less(0).toArray(), whole.notEqual(5).toArray()],
    [
      [1, 0],
      [1, 0],
    ],
  )
})

onBothBackends('captured', (t) => {
  const step = capture((x: Tensor<'int32'>, y: Tensor<'int32'>) => ({
    sum: x.add(y).mul(3).sub(1).sum(),
    rest: x.remainder(4).maximum(y),
    isAny: x.greater(y).any(),
  }))
  const [x, y] = [tensor(Int32Array.of(9, -7)), tensor(Int32Array.of(1, 2))]
  for (const [a, b] of [
    [x, y],
    [y, x],
  ]) {
    const { sum, rest, isAny } = step(a, b)
    t.equal(sum.item(), a.add(b).mul(3).sub(1).sum().item())
    t.strictSame(rest.toArray(), a.remainder(4).maximum(b).toArray())
    t.equal(isAny.item(), a.greater(b).any().item())
  }
})

onBothBackends('what is refused', (t) => {
  const [x, whole, truths] = [tensor([1, 2]), tensor(Int32Array.of(1, 2)), tensor([true, false])]
  refuses(
    t,
    () => wrong(truths).add(truths),
    ArgumentError,
    "add: expected a float32 tensor, got bool; cast('float32') converts it",
  )
  refuses(t, () => x.add(wrong(whole)), ArgumentError, /^add: expected a float32 tensor, got int32/)
  refuses(
    t,
    () => whole.add(wrong(x)),
    ArgumentError,
    /^add: expected an int32 tensor, got float32/,
  )
  refuses(
    t,
    () => whole.div(wrong(x)),
    ArgumentError,
    /^div: expected an int32 tensor, got float32/,
  )
  refuses(t, () => whole.add(0.5), ArgumentError, /expected elements of int32, got 0.5/)
  refuses(t, () => whole.less(wrong(x)), ArgumentError, /^less: expected an int32 tensor/)
  refuses(t, () => wrong(whole).exp(), ArgumentError, /^exp: expected a float32 tensor, got int32/)
  refuses(
    t,
    () => wrong(whole).mean(),
    ArgumentError,
    /^mean: expected a float32 tensor, got int32/,
  )
  refuses(t, () => wrong(tensor(Uint8Array.of(1))).sum(), ArgumentError, /^sum: .*got uint8/)
  refuses(
    t,
    () => x.div(2, { roundingMode: wrong('ceil') }),
    ArgumentError,
    /^div: expected roundingMode floor or trunc, got /,
  )
  refuses(t, () => x.logicalAnd(wrong({})), ArgumentError, /^logicalAnd: expected a tensor/)
  refuses(t, () => x.logicalOr(wrong(1)), ArgumentError, /^logicalOr: expected a tensor, got 1/)
  refuses(t, () => x.var(0, false, -1), ArgumentError, /^var: expected correction >= 0, got -1$/)
})
