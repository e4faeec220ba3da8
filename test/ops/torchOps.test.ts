/**
 * Against PyTorch (fixtures/ops.json; the script is beside it): activations with their gradients from far
 * left to far right of 0, reductions at ties, zeros and what is not finite, integers at the ends of their
 * range.
 */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { KernelError, type Tensor, tensor } from '../../lib/index.js'
import type { Nested } from '../../lib/tensor/print.js'
import { gradOf, leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

type Case = [inputs: Nested[], result: Nested, gradients: Nested[]]
const file = new URL('../fixtures/ops.json', import.meta.url)
const NUMBERS: Record<string, number> = { inf: Infinity, '-inf': -Infinity, nan: Number.NaN }
const fixture = JSON.parse(readFileSync(file, 'utf8'), (_, value) => NUMBERS[value] ?? value)
const integers: Record<string, number[] & number> = fixture.integers

/** To 1e-6 of the numbers wanted, but for those that are hardly more than 0. */
function near(t: Test, got: Nested, wanted: Nested, message: string): void {
  const [a, b] = [got, wanted].map((x) => [x].flat(3) as number[])
  const wrongs = b.filter((exact, i) => {
    const value = Math.fround(exact)
    if (Object.is(a[i], value) || a[i] === value) return false
    return !(Math.abs(a[i] - value) <= 1e-6 * Math.max(1e-36, Math.abs(value)))
  })
  t.equal(wrongs.length, 0, `${message}: [${a}], wanted [${b}]`)
  t.equal(a.length, b.length)
}

function check(t: Test, name: string, f: (...x: Tensor[]) => Tensor, of: Case) {
  const [inputs, result, gradients] = of
  const leaves = inputs.map((values) => tensor(values))
  for (const leaf of leaves) leaf.requiresGrad = true
  const y = f(...leaves)
  near(t, y.toArray(), result, name)
  if (!y.requiresGrad) return
  y.sum().backward()
  for (const [i, { grad }] of leaves.entries()) {
    near(t, grad!.toArray(), gradients[i], `${name}: gradient`)
  }
}

const activations: Record<string, (x: Tensor) => Tensor> = {
  leakyRelu: (x) => x.leakyRelu(0.125),
  elu: (x) => x.elu(2),
  geluTanh: (x) => x.gelu('tanh'),
}
onBothBackends('activations', (t) => {
  for (const [name, of] of Object.entries<Case>(fixture.activations)) {
    check(t, name, activations[name] ?? ((x) => wrong(x)[name]()), of)
  }
  check(t, 'prelu', (x, weight) => x.prelu(weight), fixture.prelu)
})

onBothBackends('activations have both tails', (t) => {
  // x·Φ(x) of mpmath; in float32 PyTorch has -1.19e-6 and 0 for the first two.
  const x = tensor([-5, -10, -13])
  near(
    t,
    x.gelu().toArray(),
    [-1.433257859396e-6, -7.6198530241605e-23, -7.9523137194148e-38],
    'gelu',
  )
  near(t, tensor([-30, 30]).mish().toArray(), [-30 * Math.exp(-30), 30], 'mish')
  const { selu, gelu } = { selu: tensor([-Infinity]).selu(), gelu: tensor([Infinity]).gelu() }
  near(t, selu.toArray(), [-1.7580993408473766], 'selu')
  near(t, gelu.toArray(), [Infinity], 'gelu, of which PyTorch makes NaN')
})

const reductions: Record<string, (x: Tensor) => Tensor> = {
  var: (x) => x.var(1),
  var0: (x) => x.var(1, false, 0),
  std: (x) => x.std(1),
  prod: (x) => x.prod(1),
  logsumexp: (x) => x.logsumexp(1),
  max: (x) => x.maxWithIndices(1).values,
  min: (x) => x.minWithIndices(1).values,
}
onBothBackends('reductions', (t) => {
  for (const [name, f] of Object.entries(reductions)) check(t, name, f, fixture.reductions[name])
  const ties = tensor(fixture.reductions.max[0][0])
  t.strictSame(ties.maxWithIndices(1).indices.toArray(), fixture.indices.max)
  t.strictSame(ties.minWithIndices(1, true).indices.shape, [3, 1])
  t.strictSame(ties.minWithIndices(1).indices.toArray(), fixture.indices.min)
  t.ok(Number.isNaN(tensor([1]).var().item()), 'no estimate from a single element')
  t.equal(tensor([1, 2]).var(0, false, 3).item(), Infinity)
  const large = leaf([1e30, 1e30])
  large.logsumexp().backward()
  t.strictSame(gradOf(large), [0.5, 0.5], 'of which PyTorch makes 1 and 1')
  const none = tensor([], [0, 2])
  t.strictSame(none.var(0).toArray(), [Number.NaN, Number.NaN])
  t.strictSame(none.prod(0).toArray(), [1, 1])
  t.strictSame(none.logsumexp(0).toArray(), [-Infinity, -Infinity])
  t.strictSame([none.any().item(), none.all().item(), none.any(0).shape], [0, 1, [2]])
  t.equal(tensor([Number.NaN]).any().item(), 1)
  // Squares less the square of the mean would be 14 % off in float32.
  const far = tensor(Float32Array.from({ length: 1000 }, (_, i) => 1e4 + (i % 2)))
  near(t, far.std(0, false, 0).item(), 0.5, 'far from 0')
})

onBothBackends('int32', (t) => {
  const [a, b] = [integers.a, integers.b].map((values) => tensor(Int32Array.from(values)))
  for (const op of ['add', 'sub', 'mul', 'remainder', 'maximum', 'minimum'] as const) {
    const y = a[op](b)
    t.equal(y.dtype, 'int32')
    t.strictSame(y.toArray(), integers[op], op)
    t.strictSame(a[op](2).toArray(), a[op](tensor(2, [], 'int32')).toArray(), `${op} of a number`)
  }
  for (const op of ['neg', 'abs', 'sign'] as const)
    t.strictSame(a[op]().toArray(), integers[op], op)
  for (const op of ['less', 'greaterEqual'] as const) {
    t.strictSame(a[op](b).toArray(), integers[op], op)
  }
  t.equal(a.div(b).dtype, 'float32')
  near(t, a.div(b).toArray(), integers.div, 'div')
  near(
    t,
    a.div(2).toArray(),
    integers.a.map((v) => v / 2),
    'div by a number',
  )
  t.strictSame(a.div(b, { roundingMode: 'floor' }).toArray(), integers.floor)
  const trunc = a.div(b, { roundingMode: 'trunc' }).toArray() as number[]
  t.strictSame(trunc.slice(0, 9), integers.trunc)
  t.equal(trunc[9], -(2 ** 31), 'wraps around')
  for (const op of ['max', 'min', 'argmax', 'argmin'] as const) {
    t.equal(a[op]().item(), integers[op], op)
  }
  t.strictSame(a.maxWithIndices(0).values.item(), integers.max)
  t.strictSame(a.minWithIndices(0).values.item(), integers.min)
  // PyTorch's sum is an int64; this one is that, modulo 2^32.
  const total = integers.a.reduce((sum, value) => sum + value, 0)
  t.equal(a.sum().item(), total | 0)
  t.strictSame(a.reshape([2, 5]).sum(0, true).shape, [1, 5])
  t.equal(tensor([true, false, true]).sum().dtype, 'int32')
  t.equal(tensor([true, false, true]).sum().item(), 2)
  for (const roundingMode of ['floor', 'trunc'] as const) {
    const divide = () => a.div(a.sub(a), { roundingMode })
    refuses(t, divide, KernelError, /b\[0\]: expected a divisor other than 0, got 0$/)
  }
  refuses(t, () => a.remainder(0), KernelError, /^remainder: b\[0\]: expected a divisor/)
})

onBothBackends('quotients of floats', (t) => {
  const { a, b, floor, trunc, remainder } = fixture.floats
  const [x, y] = [tensor(a), tensor(b)]
  near(t, x.div(y, { roundingMode: 'floor' }).toArray(), floor, 'floor')
  near(t, x.div(y, { roundingMode: 'trunc' }).toArray(), trunc, 'trunc')
  near(t, x.remainder(y).toArray(), remainder, 'remainder')
})
