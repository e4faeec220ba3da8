/**
 * Making tensors, and every way that is refused.
 */
import t from 'tap'
import {
  ArgumentError,
  arange,
  eye,
  full,
  Generator,
  getBackend,
  OutOfMemoryError,
  ones,
  rand,
  randn,
  ShapeError,
  setBackend,
  setSeed,
  Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

onBothBackends('from nested arrays', (t, backend) => {
  t.equal(getBackend(), backend)
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.ok(x instanceof Tensor)
  t.strictSame(x.shape, [2, 3])
  t.equal(x.size, 6)
  t.equal(x.dtype, 'float32')
  t.equal(x.requiresGrad, false)
  t.equal(x.grad, null)
  t.strictSame(x.toArray(), [
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.strictSame(tensor(7).shape, [])
  t.equal(tensor(7).toArray(), 7)
  t.strictSame(tensor([]).shape, [0])
  t.strictSame(tensor([]).toArray(), [])
  t.strictSame(tensor([[], []]).shape, [2, 0])
  t.strictSame(tensor([[], []]).toArray(), [[], []])
  t.strictSame(tensor([[[1]], [[2]]]).toArray(), [[[1]], [[2]]])
})

onBothBackends('from flat data with a shape', (t) => {
  t.strictSame(tensor([1, 2, 3, 4], [2, 2]).toArray(), [
    [1, 2],
    [3, 4],
  ])
  t.equal(tensor([5], []).toArray(), 5)
  t.strictSame(tensor(5, [1, 1]).toArray(), [[5]])
  t.strictSame(tensor([], [3, 0]).toArray(), [[], [], []])
  const shape = [2, 1]
  const x = tensor([1, 2], shape)
  shape[0] = 99
  t.strictSame(x.shape, [2, 1], 'the shape is its own')
})

onBothBackends('from typed arrays', (t) => {
  const floats = Float32Array.of(1, 2)
  const x = tensor(floats)
  floats[0] = 9
  t.strictSame(x.toArray(), [1, 2], 'the numbers are copied')
  t.equal(tensor(Float64Array.of(0.1)).item(), Math.fround(0.1))
  t.equal(tensor(Int32Array.of(-1, 2)).dtype, 'int32')
  t.equal(tensor(Uint8Array.of(255)).dtype, 'uint8')
  t.equal(tensor(Buffer.of(255)).dtype, 'uint8')
  t.strictSame(tensor(Buffer.of(1, 255)).toArray(), [1, 255])
  t.equal(tensor(wrong(Int8Array.of(-3))).dtype, 'float32')
  t.strictSame(tensor(Int32Array.of(1, 2, 3, 4), [2, 2]).shape, [2, 2])
  const part = new Float32Array([1, 2, 3, 4]).subarray(1, 3)
  t.strictSame(tensor(part).toArray(), [2, 3], 'a part of a larger array')
})

onBothBackends('with a dtype', (t) => {
  const labels: Tensor<'int32'> = tensor([0, 2, 1], undefined, 'int32')
  t.equal(labels.dtype, 'int32')
  t.ok(labels.data() instanceof Int32Array)
  t.ok(tensor([1], [1], 'uint8').data() instanceof Uint8Array)
  t.ok(tensor(Int32Array.of(1), [1], 'float32').data() instanceof Float32Array)
  t.strictSame(tensor([-(2 ** 31), 2 ** 31 - 1], [2], 'int32').toArray(), [-(2 ** 31), 2 ** 31 - 1])
  for (const [value, dtype] of [
    [1.5, 'int32'],
    [2 ** 31, 'int32'],
    [Number.NaN, 'int32'],
    [-1, 'uint8'],
    [256, 'uint8'],
  ] as const) {
    refuses(
      t,
      () => tensor([7, value], [2], dtype),
      ArgumentError,
      `tensor: expected elements of ${dtype}, got ${value} at 1`,
    )
  }
  refuses(
    t,
    () => tensor([1], [1], wrong('float16')),
    ArgumentError,
    "tensor: expected a dtype among float32, float64, int32, uint8, bool, got 'float16'",
  )
})

onBothBackends('bad data', (t) => {
  const cases: [unknown, typeof ArgumentError | typeof ShapeError, string | RegExp][] = [
    [undefined, ArgumentError, 'tensor: expected a number, arrays or a typed array, got undefined'],
    [null, ArgumentError, 'tensor: expected a number, arrays or a typed array, got null'],
    ['3', ArgumentError, "tensor: expected a number, arrays or a typed array, got '3'"],
    [{}, ArgumentError, 'tensor: expected a number, arrays or a typed array, got {}'],
    [new DataView(new ArrayBuffer(4)), ArgumentError, /typed array, got DataView /],
    [['a'], ArgumentError, "tensor: expected numbers, got 'a' at 0"],
    [[1, true], ArgumentError, 'tensor: expected numbers, got true at 1'],
    [[true, 1], ArgumentError, 'tensor: expected booleans, got 1 at 1'],
    [[null], ArgumentError, 'tensor: expected numbers, got null at 0'],
    [[1, [2]], ArgumentError, 'tensor: expected numbers, got [2] at 1'],
    [new Array(2), ArgumentError, 'tensor: expected numbers, got undefined at 0'],
    [
      [
        [1, 2],
        [3, undefined],
      ],
      ArgumentError,
      'tensor: expected numbers, got undefined at [1, 1]',
    ],
    [
      [[1, 2], [3]],
      ShapeError,
      'tensor: expected nested arrays of shape [2, 2], got 1 elements at depth 1',
    ],
    [[[1, 2], 3], ShapeError, 'tensor: expected nested arrays of shape [2, 2], got 3 at depth 1'],
    [
      [[], [1]],
      ShapeError,
      'tensor: expected nested arrays of shape [2, 0], got 1 elements at depth 1',
    ],
  ]
  for (const [data, errorClass, message] of cases) {
    refuses(t, () => tensor(wrong(data)), errorClass, message)
  }
  refuses(
    t,
    () => tensor([1, 2, 3], [2, 2]),
    ShapeError,
    'tensor: expected 4 elements for shape [2, 2], got 3',
  )
})

onBothBackends('bad shapes', (t) => {
  for (const [shape, text] of [
    [3, '3'],
    [undefined, 'undefined'],
    ['2', "'2'"],
    [[-1], '[-1]'],
    [[1.5], '[1.5]'],
    [[2, Number.NaN], '[2, NaN]'],
    [['2'], "['2']"],
    [Array(1e6).fill(-1), `[${'-1, '.repeat(4)}... 999996 more items]`],
  ]) {
    const makers = { full: (s: number[]) => full(s, 1), zeros, ones, rand, randn }
    for (const [name, make] of Object.entries(makers)) {
      const expected =
        typeof shape === 'number'
          ? `the shape as one array, such as ${name}([2, 3])`
          : 'a shape of integers >= 0'
      const message = `${name}: expected ${expected}, got ${text}`
      refuses(t, () => make(wrong(shape)), ShapeError, message)
    }
    if (shape === undefined) continue
    refuses(t, () => tensor([1], wrong(shape)), ShapeError)
  }
  refuses(
    t,
    () => zeros([2 ** 27, 2 ** 27]),
    ShapeError,
    'zeros: shape [134217728, 134217728] has too many elements',
  )
})

onBothBackends('more memory than there is', (t) => {
  refuses(t, () => zeros([2 ** 50]), OutOfMemoryError)
  refuses(t, () => randn([2 ** 50]), OutOfMemoryError)
  refuses(t, () => arange(2 ** 50), OutOfMemoryError)
  refuses(t, () => eye(2 ** 25), OutOfMemoryError)
})

onBothBackends('constants', (t) => {
  t.strictSame(zeros([2, 2]).toArray(), [
    [0, 0],
    [0, 0],
  ])
  t.strictSame(ones([3]).toArray(), [1, 1, 1])
  t.equal(full([], -2.5).toArray(), -2.5)
  t.strictSame(full([0, 4], 1).data(), new Float32Array(0))
  refuses(t, () => full([1], wrong('1')), ArgumentError, "full: expected a number, got '1'")
  t.strictSame(eye(3).toArray(), [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ])
  t.strictSame(eye(0).shape, [0, 0])
  refuses(t, () => eye(-1), ShapeError)
})

onBothBackends('arange', (t) => {
  t.strictSame(arange(4).toArray(), [0, 1, 2, 3])
  t.strictSame(arange(2, 5).toArray(), [2, 3, 4])
  t.strictSame(arange(5, 2, -1).toArray(), [5, 4, 3])
  t.strictSame(arange(0, 1, 0.25).toArray(), [0, 0.25, 0.5, 0.75])
  t.strictSame(arange(5, 2).toArray(), [])
  t.strictSame(arange(0).toArray(), [])
  t.strictSame(arange(-0.5, 2).toArray(), [-0.5, 0.5, 1.5])
  for (const args of [[0, 5, 0], [Number.NaN], [Infinity], [0, Infinity], [0, 5, Number.NaN]]) {
    refuses(t, () => arange(...(args as [number])), ArgumentError)
  }
})

onBothBackends('random numbers', (t) => {
  setSeed(3)
  const first = [randn([5]).toArray(), rand([2, 2]).toArray()]
  setSeed(3)
  t.strictSame([randn([5]).toArray(), rand([2, 2]).toArray()], first, 'the seed repeats them')
  t.notSame(randn([5]).toArray(), first[0])
  const uniform = new Generator(1).uniform([1000], -2, 3).data()
  t.ok(uniform.every((value) => value >= -2 && value < 3))
  const generator = new Generator(2 ** 53 - 1)
  const state = generator.save()
  const drawn = generator.normal([7]).toArray()
  generator.restore(state)
  t.strictSame(generator.normal([7]).toArray(), drawn, 'a saved state repeats them')
  t.strictSame([...generator.permutation(6).data()].sort(), [0, 1, 2, 3, 4, 5])
  t.strictSame(generator.permutation(0).toArray(), [])
  t.strictSame([...new Set(generator.bernoulli([200], 0.5).data())].sort(), [0, 1])
  const each = generator.bernoulli(tensor([[0, 1, NaN, -1, 2]]))
  t.strictSame(each.toArray(), [[0, 1, NaN, 0, 1]], 'a probability for each element')
  for (const p of [0.1, 0.5, 0.9]) {
    const mean = generator
      .bernoulli(full([10000], p))
      .mean()
      .item()
    t.ok(Math.abs(mean - p) < 5 * Math.sqrt((p * (1 - p)) / 10000), `${mean} drawn with ${p}`)
  }
  for (const seed of [-1, 1.5, 2 ** 53, Number.NaN, wrong('1')]) {
    refuses(t, () => new Generator(seed), ArgumentError)
  }
  refuses(t, () => generator.bernoulli([1], 1.5), ArgumentError)
  refuses(t, () => generator.bernoulli(wrong([1])), ArgumentError)
  refuses(t, () => generator.bernoulli(tensor([1], [1], 'int32') as never), ArgumentError)
  refuses(t, () => generator.uniform([1], 2, 1), ArgumentError)
  refuses(t, () => generator.uniform([1], 0, Number.NaN), ArgumentError)
  refuses(t, () => generator.normal([1], 0, -1), ArgumentError)
  refuses(t, () => generator.permutation(-1), ShapeError)
  refuses(t, () => generator.restore([1, 2]), ArgumentError)
  refuses(t, () => generator.restore(wrong(undefined)), ArgumentError)
})

t.test('the same integers from one stream on both backends', async (t) => {
  const generator = new Generator(5)
  setBackend('js')
  const reference = new Generator(5)
  const expected = [reference.permutation(100).toArray(), reference.permutation(100).toArray()]
  const first = generator.permutation(100).toArray()
  setBackend('native')
  t.strictSame([first, generator.permutation(100).toArray()], expected)
})
