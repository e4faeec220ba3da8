/**
 * Reading tensors, overwriting them, their operands and comparisons. What ops compute is in
 * ops.test.ts, layout in layout.test.ts, reductions in reduce.test.ts.
 */
import t from 'tap'
import {
  ArgumentError,
  BackendError,
  concat,
  KernelError,
  oneHot,
  ShapeError,
  setBackend,
  tensor,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

onBothBackends('reading', (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  const data = x.data()
  data[0] = 99
  t.strictSame(x.data(), Float32Array.of(1, 2, 3, 4), 'data() is a copy')
  t.equal(tensor([[3]]).item(), 3)
  t.equal(tensor(Int32Array.of(7)).item(), 7)
  refuses(t, () => x.item(), ShapeError, 'item: expected one element, got shape [2, 2]')
  refuses(t, () => tensor([]).item(), ShapeError)
  t.equal(String(x), '[[1. 2.]\n [3. 4.]]')
  t.strictSame(tensor([Number.NaN, Infinity, -0]).data(), Float32Array.of(Number.NaN, Infinity, -0))
})

onBothBackends('assign and clone', (t) => {
  const x = tensor([1, 2, 3])
  const copy = x.clone()
  x.assign([4, 5, 6])
  t.strictSame(x.toArray(), [4, 5, 6])
  t.strictSame(copy.toArray(), [1, 2, 3])
  x.assign(copy)
  t.strictSame(x.toArray(), [1, 2, 3])
  x.assign(Float64Array.of(7, 8, 9))
  t.strictSame(x.toArray(), [7, 8, 9])
  const labels = tensor(Int32Array.of(1, 2))
  labels.assign([3, 4])
  t.strictSame(labels.clone().data(), Int32Array.of(3, 4))
  t.strictSame(tensor([], [0, 2]).clone().shape, [0, 2])
  refuses(t, () => x.assign([1]), ShapeError, 'assign: expected [3], got [1]')
  refuses(t, () => x.assign(tensor([[1, 2, 3]])), ShapeError)
  refuses(t, () => labels.assign([1.5, 2]), ArgumentError)
  refuses(t, () => x.assign(wrong(['a', 'b', 'c'])), ArgumentError)
  refuses(t, () => x.assign(wrong(5)), ArgumentError)
  refuses(t, () => x.assign(wrong(undefined)), ArgumentError)
})

t.test('tensors of two backends do not mix', async (t) => {
  setBackend('js')
  const x = tensor([1, 2])
  setBackend('native')
  const y = tensor([3, 4])
  refuses(
    t,
    () => x.add(y),
    BackendError,
    'add: expected tensors of one backend, got those of js and native',
  )
  y.assign(x)
  t.strictSame(y.toArray(), [1, 2], 'assign copies between them')
  refuses(t, () => setBackend(wrong('gpu')), ArgumentError)
})

onBothBackends('operands that are none', (t) => {
  const x = tensor([[1, 2]])
  const labels = tensor(Int32Array.of(0))
  for (const value of [undefined, null, '2', [1, 2], {}, true, 1n, Float32Array.of(1)]) {
    for (const op of ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'less', 'equal'] as const) {
      refuses(
        t,
        () => x[op](wrong(value)),
        ArgumentError,
        new RegExp(`^${op}: expected a tensor, got `),
      )
    }
    refuses(t, () => x.matmul(wrong(value)), ArgumentError)
    refuses(t, () => x.indexSelect(0, wrong(value)), ArgumentError)
  }
  refuses(
    t,
    () => x.add(wrong(labels)),
    ArgumentError,
    "add: expected a float32 tensor, got int32; cast('float32') converts it",
  )
  refuses(t, () => wrong(labels).exp(), ArgumentError)
  refuses(t, () => labels.equal(1.5), ArgumentError)
  refuses(t, () => x.indexSelect(0, wrong(x)), ArgumentError)
  refuses(t, () => x.indexSelect(0, tensor(Int32Array.of(1))), KernelError)
})

onBothBackends('comparisons give 1 and 0', (t) => {
  const x = tensor([1, 2, 3, Number.NaN, -0])
  const y = tensor([2, 2, 2, Number.NaN, 0])
  const results = {
    equal: [0, 1, 0, 0, 1],
    notEqual: [1, 0, 1, 1, 0],
    less: [1, 0, 0, 0, 0],
    lessEqual: [1, 1, 0, 0, 1],
    greater: [0, 0, 1, 0, 0],
    greaterEqual: [0, 1, 1, 0, 1],
  } as const
  for (const [op, expected] of Object.entries(results)) {
    const result = x[op as keyof typeof results](y)
    t.equal(result.dtype, 'float32')
    t.strictSame(result.toArray(), expected, op)
  }
  t.strictSame(x.less(2).toArray(), [1, 0, 0, 0, 1])
  t.strictSame(x.equal(2).toArray(), [0, 1, 0, 0, 0])
})

onBothBackends('labels are integers', (t) => {
  const labels = tensor(Int32Array.of(2, 0, 16777217, -1))
  t.strictSame(labels.equal(tensor(Int32Array.of(2, 1, 16777216, -1))).toArray(), [1, 0, 0, 1])
  t.strictSame(labels.notEqual(tensor(Int32Array.of(2, 1, 16777216, -1))).toArray(), [0, 1, 1, 0])
  t.strictSame(labels.equal(2).toArray(), [1, 0, 0, 0])
  t.strictSame(labels.notEqual(-1).toArray(), [1, 1, 1, 0])
  t.strictSame(
    labels
      .reshape([2, 2])
      .equal(tensor(Int32Array.of(2, 0)))
      .toArray(),
    [
      [1, 1],
      [0, 0],
    ],
  )
  t.strictSame(tensor(Int32Array.of(3, -4)).cast('float32').mul(0.5).toArray(), [1.5, -2])
  t.strictSame(labels.slice([0, 2]).data(), Int32Array.of(2, 0))
  t.strictSame(labels.reshape([2, 2]).transpose().data(), Int32Array.of(2, 16777217, 0, -1))
  t.strictSame(concat([labels, labels.slice([1, 2])]).data(), Int32Array.of(2, 0, 16777217, -1, 0))
  t.strictSame(labels.indexSelect(0, tensor(Int32Array.of(3, 0))).data(), Int32Array.of(-1, 2))
  t.equal(tensor([1, 5, 2]).argmax().dtype, 'int32')
  refuses(t, () => wrong(labels).exp(), ArgumentError, /^exp: expected a float32 tensor/)
  refuses(t, () => wrong(labels).mean(), ArgumentError, /^mean: expected a float32 tensor/)
  refuses(
    t,
    () => labels.equal(wrong(tensor([1]))),
    ArgumentError,
    /^equal: expected an int32 tensor/,
  )
  const bytes = tensor(Uint8Array.of(1, 2))
  t.strictSame(bytes.equal(tensor(Uint8Array.of(1, 3))).toArray(), [1, 0])
  t.strictSame(bytes.indexSelect(0, tensor(Int32Array.of(1))).data(), Uint8Array.of(2))
})

onBothBackends('oneHot', (t) => {
  t.strictSame(oneHot(tensor(Int32Array.of(2, 0)), 3).toArray(), [
    [0, 0, 1],
    [1, 0, 0],
  ])
  t.strictSame(oneHot(tensor([[1]], [1, 1], 'int32'), 2).toArray(), [[[0, 1]]])
  t.strictSame(oneHot(tensor(new Int32Array(0)), 2).shape, [0, 2])
  for (const label of [-1, 3, 2 ** 31 - 1]) {
    refuses(t, () => oneHot(tensor(Int32Array.of(0, label)), 3), KernelError)
  }
  for (const classes of [0, -1, 1.5, Number.NaN, wrong('3')]) {
    refuses(t, () => oneHot(tensor(Int32Array.of(0)), classes), ArgumentError)
  }
  refuses(t, () => oneHot(wrong(tensor([1])), 3), ArgumentError)
  refuses(
    t,
    () => oneHot(wrong(1), 3),
    ArgumentError,
    'oneHot: expected a tensor, got 1; tensor(values) makes one of numbers',
  )
})

onBothBackends('numbers as operands', (t) => {
  const x = tensor([1, -2, 0.5])
  t.strictSame(x.add(1).toArray(), [2, -1, 1.5])
  t.strictSame(x.sub(1).toArray(), [0, -3, -0.5])
  t.strictSame(x.mul(-4).toArray(), [-4, 8, -2])
  t.strictSame(x.div(2).toArray(), [0.5, -1, 0.25])
  t.strictSame(x.pow(2).toArray(), [1, 4, 0.25])
  t.strictSame(x.pow(3).toArray(), [1, -8, 0.125])
  t.strictSame(x.maximum(0.75).toArray(), [1, 0.75, 0.75])
  t.strictSame(x.minimum(0.75).toArray(), [0.75, -2, 0.5])
  const zero = tensor([0, -0])
  for (const [name, y] of Object.entries({
    'x · -1': zero.mul(-1).data(),
    '-x': zero.neg().data(),
  })) {
    t.ok(Object.is(y[0], -0) && Object.is(y[1], 0), `the sign of zero: ${name}`)
  }
  t.ok(Object.is(zero.mul(2).data()[1], -0))
  t.ok(Number.isNaN(tensor([Infinity]).mul(0).item()))
})

t.test('what the compiler refuses', async (t) => {
  const x = tensor([1])
  const labels = tensor(Int32Array.of(1))
  const integers: Int32Array = labels.data()
  const floats: Float32Array = x.data()
  t.ok(integers && floats)
  const refused = () => {
    // @ts-expect-error integers are not added to floats
    labels.add(x)
    // @ts-expect-error truth values have no arithmetic
    labels.cast('bool').add(1)
    // @ts-expect-error nor integers exponentials
    labels.exp()
    // @ts-expect-error nor gradients
    labels.backward()
    // @ts-expect-error indices are integers
    x.indexSelect(0, x)
    // @ts-expect-error labels and floats are not compared
    labels.equal(x)
    // @ts-expect-error a shape is read-only
    x.shape[0] = 2
    // @ts-expect-error a list is no operand
    x.add([1])
    // @ts-expect-error no such dtype
    tensor([1], [1], 'float16')
  }
  t.type(refused, 'function')
})
