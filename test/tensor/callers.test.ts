/**
 * Arrays as callers may pass them: of any typed class and of another realm, with properties that lie,
 * nested without end, with holes, and changed afterwards.
 */
import { runInNewContext } from 'node:vm'
import t from 'tap'
import {
  ArgumentError,
  concat,
  full,
  fullLike,
  Generator,
  init,
  iris,
  memory,
  OutOfMemoryError,
  oneHot,
  ShapeError,
  stack,
  subset,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

onBothBackends('typed arrays of every class', (t) => {
  for (const type of [Float64Array, Int8Array, Int16Array, Uint16Array, Uint32Array]) {
    const x = tensor(type.from([1, 2, 3]))
    t.strictSame([x.dtype, ...x.data()], ['float32', 1, 2, 3], type.name)
  }
  for (const type of [Uint8Array, Uint8ClampedArray]) {
    const x = tensor(type.from([1, 255]))
    t.strictSame([x.dtype, ...x.data()], ['uint8', 1, 255], type.name)
  }
  const labels = tensor(BigInt64Array.of(-1n, 2n))
  t.strictSame([labels.dtype, ...labels.data()], ['int32', -1, 2])
  t.strictSame(tensor(BigUint64Array.of(2n ** 40n), [1], 'float64').item(), 2 ** 40)
  refuses(
    t,
    () => tensor(BigInt64Array.of(1n, 2n ** 53n + 1n)),
    ArgumentError,
    'tensor: expected integers that a number can hold, up to 2^53, got 9007199254740993 at 1',
  )
  refuses(
    t,
    () => tensor(BigInt64Array.of(2n ** 31n)),
    ArgumentError,
    'tensor: expected elements of int32, got 2147483648 at 0',
  )
  const x = zeros([2])
  x.assign(wrong(BigInt64Array.of(5n, 6n)))
  t.strictSame([...x.data()], [5, 6])
})

onBothBackends('typed arrays inside nested arrays', (t) => {
  const x = tensor([Float32Array.of(1, 2), Float32Array.of(3, 4)])
  t.strictSame(
    [x.dtype, x.toArray()],
    [
      'float32',
      [
        [1, 2],
        [3, 4],
      ],
    ],
  )
  t.strictSame(tensor([[Float64Array.of(0.5)], [[1.5]]]).toArray(), [[[0.5]], [[1.5]]])
  t.equal(tensor([Int32Array.of(1), Int32Array.of(2)]).dtype, 'int32')
  t.equal(tensor([Uint8Array.of(1)]).dtype, 'uint8')
  refuses(
    t,
    () => tensor([Float32Array.of(1, 2), Float32Array.of(3)]),
    ShapeError,
    'tensor: expected nested arrays of shape [2, 2], got 1 elements at depth 1',
  )
})

onBothBackends('arrays of another realm', (t) => {
  const other = (code: string) => runInNewContext(code)
  t.strictSame(tensor(other('Int32Array.of(1, 2)')).dtype, 'int32')
  t.strictSame(tensor(other('[[1, 2], [3, 4]]')).shape, [2, 2])
  t.strictSame(tensor(other('[Uint8Array.of(1, 2)]')).dtype, 'uint8')
  t.strictSame(zeros(other('[2, 3]')).shape, [2, 3])
  const x = zeros([2])
  x.assign(other('Float64Array.of(1, 2)'))
  t.strictSame([...x.data()], [1, 2])
  t.strictSame(stack(other('(x) => [x, x]')(x)).shape, [2, 2])
  t.strictSame(x.sum(other('[0]')).item(), 3)
})

onBothBackends('a class that lies', (t) => {
  class Longer extends Float32Array {
    override get length(): number {
      return 1000
    }
    override get byteLength(): number {
      return 4000
    }
    override subarray(): never {
      throw new Error('called')
    }
  }
  const lying = new Longer([1, 2])
  const own = Object.defineProperty(Float32Array.of(1, 2), 'length', { value: 1000 })
  class Kind extends Float32Array {
    override get [Symbol.toStringTag](): 'Float32Array' {
      return 'Int32Array' as 'Float32Array'
    }
  }
  for (const values of [lying, own, new Kind([1, 2])]) {
    const x = tensor(values)
    t.strictSame([x.shape, x.dtype, ...x.data()], [[2], 'float32', 1, 2])
    x.assign(values)
    t.strictSame(tensor([values]).toArray(), [[1, 2]])
  }
  refuses(t, () => tensor(lying, [1000]), ShapeError)
  refuses(t, () => zeros([1000]).assign(lying), ShapeError, 'assign: expected [1000], got [2]')
  refuses(t, () => tensor(wrong(Object.create(Float32Array.prototype))), ArgumentError)
})

onBothBackends('buffers that are shared, resized and transferred', (t) => {
  const shared = new Float32Array(new SharedArrayBuffer(8))
  shared[1] = 2
  t.strictSame([...tensor(shared).data()], [0, 2])
  const buffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 64 }]) as ArrayBuffer & {
    resize(length: number): void
  }
  const tracking = new Float32Array(buffer)
  buffer.resize(8)
  t.strictSame(tensor(tracking).shape, [2])
  const gone = new Float32Array(2)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  refuses(
    t,
    () => tensor(gone),
    ArgumentError,
    'tensor: expected numbers, got a Float32Array whose buffer was transferred elsewhere',
  )
})

onBothBackends('what is no number in a list names its place', (t) => {
  const x = zeros([3])
  const sparse = [1, 2, 3]
  delete sparse[1]
  for (const hole of [sparse, [1, undefined, 3], [1, null, 3], [1, '2', 3], [1, {}, 3]]) {
    refuses(
      t,
      () => x.assign(wrong(hole)),
      ArgumentError,
      /^assign: expected numbers, got .* at 1$/,
    )
    refuses(t, () => tensor(wrong(hole)), ArgumentError, /^tensor: expected numbers, got .* at 1$/)
    refuses(t, () => zeros(wrong(hole)), ShapeError)
  }
  refuses(t, () => tensor(wrong([1, 2n])), ArgumentError, 'tensor: expected numbers, got 2n at 1')
  refuses(t, () => tensor(wrong([1, Symbol('a')])), ArgumentError, /got Symbol\(a\) at 1$/)
  refuses(t, () => subset(iris(), wrong([0, undefined, 1])), ArgumentError, /got undefined at 1$/)
  t.strictSame([...x.data()], [0, 0, 0], 'nothing was written')
})

onBothBackends('arrays nested without end, and tensors of too many axes', (t) => {
  const endless: unknown[] = []
  endless.push(endless)
  const deep = 'tensor: expected at most 8 axes, got arrays nested deeper'
  refuses(t, () => tensor(wrong(endless)), ShapeError, deep)
  refuses(t, () => tensor(wrong([endless, endless])), ShapeError, deep)
  const x = zeros([1, 1, 1, 1, 1, 1, 1, 1])
  t.equal(x.shape.length, 8)
  const most = /expected at most 8 axes, got 9$/
  refuses(t, () => zeros(new Array(9).fill(1)), ShapeError, most)
  refuses(t, () => x.unsqueeze(0), ShapeError, most)
  refuses(t, () => x.reshape(new Array(9).fill(1)), ShapeError, most)
  refuses(t, () => x.view(new Array(9).fill(1)), ShapeError, most)
  refuses(t, () => stack([x, x]), ShapeError, most)
  refuses(t, () => x.broadcastTo(new Array(9).fill(1)), ShapeError, most)
  refuses(t, () => oneHot(x.cast('int32'), 2), ShapeError, most)
  // Few arrays, many elements: each row is the same one.
  let rows: unknown = new Array(1000).fill(0)
  for (let depth = 1; depth < 7; depth++) rows = new Array(1000).fill(rows)
  refuses(t, () => tensor(wrong(rows)), OutOfMemoryError)
})

onBothBackends('the library keeps no array of the caller', (t) => {
  const shape = [2, 2]
  const x = tensor([1, 2, 3, 4], shape)
  const made = [
    x,
    x.view(shape),
    x.reshape(shape),
    full(shape, 1),
    fullLike(x, 1, shape),
    x.broadcastTo(shape),
    new Generator(1).uniform(shape),
    init.heNormal(shape),
  ]
  shape[0] = 7
  for (const y of made) t.strictSame(y.shape, [2, 2])
  // A list that answers otherwise each time it is asked is asked once.
  let asked = 0
  const changing = new Proxy([2, 2], {
    get: (list, name) => (name === '0' && asked++ > 0 ? 1000 : Reflect.get(list, name)),
  })
  t.strictSame(zeros(changing).shape, [2, 2])
})

onBothBackends('more tensors than a call has room for', (t) => {
  const before = memory().buffers
  const one = tensor([1])
  const many = new Array(200_000).fill(one)
  t.strictSame(concat(many).shape, [200_000])
  t.strictSame(stack(new Array(1000).fill(one)).shape, [1000, 1])
  one.requiresGrad = true
  concat(many).sum().backward()
  t.equal(one.grad!.item(), 200_000)
  t.ok(memory().buffers - before < 200_000)
})

onBothBackends('shapes without elements, as long as they may be', (t) => {
  const long = 2 ** 40
  for (const shape of [
    [0, long],
    [long, 0],
    [1, long, 0],
  ]) {
    const x = zeros(shape)
    t.equal(String(x), '[]')
    t.strictSame(x.add(1).relu().shape, shape)
    t.strictSame(x.transpose().clone().shape, shape.toReversed())
    t.strictSame(x.broadcastTo([2, ...shape]).shape, [2, ...shape])
    t.strictSame(concat([x, x], -1).size, 0)
  }
  t.strictSame(zeros([0, long]).toArray(), [])
  t.strictSame(zeros([3, 0]).toArray(), [[], [], []])
  refuses(
    t,
    () => zeros([long, 0]).toArray(),
    ShapeError,
    /^toArray: expected at most 16777216 arrays/,
  )
  t.strictSame(init.orthogonal()([0, long]).shape, [0, long])
  t.strictSame(zeros([0, long]).sum().item(), 0)
  t.strictSame(zeros([long, 0]).sum(0).shape, [0])
  t.strictSame(zeros([2 ** 30, 0]).matmul(zeros([0, 0])).shape, [2 ** 30, 0])
  t.strictSame(zeros([long, 0]).softmax().shape, [long, 0])
})
t.end()
