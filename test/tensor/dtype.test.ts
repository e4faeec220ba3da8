/** Dtypes of tensors: made, read, cast, moved; which of them has arithmetic where. */
import t from 'tap'
import { type DType, dtypes } from '../../lib/backend/dtype.js'
import {
  Adam,
  ArgumentError,
  arange,
  capture,
  concat,
  eye,
  gradCheck,
  KernelError,
  ones,
  setBackend,
  stack,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const names = Object.keys(dtypes) as DType[]

onBothBackends('every dtype is made, read, moved and indexed', (t) => {
  for (const dtype of names) {
    const x = tensor([1, 0, 1, 1, 0, 1], [2, 3], dtype)
    t.equal(x.dtype, dtype)
    t.type(x.data(), dtypes[dtype].array)
    t.strictSame(
      x.toArray(),
      [
        [1, 0, 1],
        [1, 0, 1],
      ],
      dtype,
    )
    t.strictSame(x.T.toArray(), [
      [1, 1],
      [0, 0],
      [1, 1],
    ])
    t.strictSame(x.slice(undefined, [1]).toArray(), [
      [0, 1],
      [0, 1],
    ])
    t.strictSame(concat([x, x]).shape, [4, 3])
    t.strictSame(x.indexSelect(0, tensor([1], [1], 'int32')).toArray(), [[1, 0, 1]])
    t.strictSame(x.clone().toArray(), x.toArray())
    t.match(String(x), /^\[\[1\.? 0\.? 1\.?\]/)
    x.assign([0, 1, 0, 1, 0, 0])
    t.strictSame(x.flatten().toArray(), [0, 1, 0, 1, 0, 0])
    t.equal(x.equal(x).dtype, dtype === 'float64' ? 'float64' : 'float32')
    t.strictSame(x.equal(x).flatten().toArray(), [1, 1, 1, 1, 1, 1])
  }
  t.equal(tensor([[true, false]]).dtype, 'bool')
  t.strictSame(tensor([[true, false]]).toArray(), [[1, 0]])
  t.equal(tensor(Float64Array.of(0.1)).dtype, 'float32')
  refuses(t, () => tensor([2], [1], 'bool'), ArgumentError, /^tensor: expected elements of bool/)
  refuses(t, () => tensor([1.5], [1], 'uint8'), ArgumentError)
  refuses(t, () => tensor([1], [1], wrong('float16')), ArgumentError, /a dtype among float32/)
})

onBothBackends('cast converts between all dtypes as NumPy does', (t) => {
  const values = [2.75, -3.5, 0, 255, 1e-3]
  const expected: Record<string, number[]> = {
    float32: values.map(Math.fround),
    float64: values,
    int32: [2, -3, 0, 255, 0],
    bool: [1, 1, 0, 1, 1],
  }
  const x = tensor(values, [5], 'float64')
  for (const [dtype, wanted] of Object.entries(expected)) {
    const y = x.cast(dtype as DType)
    t.equal(y.dtype, dtype)
    t.strictSame(y.toArray(), wanted, dtype)
  }
  t.strictSame(tensor([3, 0], [2], 'int32').cast('uint8').data(), Uint8Array.of(3, 0))
  t.strictSame(tensor([Number.NaN]).cast('bool').toArray(), [1])
  t.strictSame(x.cast('float64').data(), Float64Array.from(values), 'all digits stay')
  refuses(t, () => x.cast(wrong('int64')), ArgumentError, /^cast: expected float32/)
  const leaf = tensor([1, 2])
  leaf.requiresGrad = true
  t.notOk(leaf.cast('int32').requiresGrad)
})

t.test('natively float64 has no arithmetic yet, and says so', async (t) => {
  setBackend('native')
  const x = tensor([1, 2], [2], 'float64') as unknown as Tensor
  for (const fn of [() => x.add(x), () => x.exp(), () => x.sum(), () => x.softmax()]) {
    refuses(t, fn, KernelError, /float64/)
  }
  refuses(
    t,
    () => x.add(tensor([1, 2])),
    ArgumentError,
    /^add: expected a float64 tensor, got float32/,
  )
})

t.test('on the JavaScript backend it computes, with gradients in float64', async (t) => {
  setBackend('js')
  const x = tensor([0.1, 0.2], [2], 'float64') as unknown as Tensor
  x.requiresGrad = true
  const y = x.mul(3).sum()
  t.equal(y.item(), 0.1 * 3 + 0.2 * 3)
  y.backward()
  t.equal(x.grad?.dtype, 'float64')
  t.strictSame(x.grad?.toArray(), [3, 3])
  refuses(t, () => x.matmul(tensor([1, 2])), ArgumentError)
  setBackend('native')
})

t.test('in a gradient check constants are float64, too', async (t) => {
  const seen: string[] = []
  const { ok } = gradCheck(
    (x) => {
      const constants = [ones([2]), arange(2), eye(2).sum(0), tensor([1, 2])]
      for (const constant of constants) seen.push(constant.dtype)
      return constants.reduce((sum, constant) => sum.add(constant.mul(0.1)), x.square())
    },
    [[0.3, 0.4]],
  )
  t.ok(ok)
  t.strictSame([...new Set(seen)], ['float64'])
  t.equal(ones([1]).dtype, 'float32')
})

t.test(
  'a captured step of an optimizer is the same in float64, feeds and scratch included',
  async (t) => {
    setBackend('js')
    const train = async (captured: boolean) => {
      const w = tensor([0.3, -0.2, 0.1], [3, 1], 'float64') as unknown as Tensor
      w.requiresGrad = true
      const optimizer = new Adam([w], { lr: 0.1, maxNorm: 0.5 })
      const step = (x: Tensor) => {
        const loss = x.matmul(w).relu().square().mean()
        optimizer.zeroGrad()
        loss.backward()
        optimizer.step()
        return loss
      }
      const x = tensor([1, 2, 3, 4, 5, 6], [2, 3], 'float64') as unknown as Tensor
      const replayed = capture(step)
      for (let i = 0; i < 4; i++) (captured ? replayed : step)(x)
      if (captured) await replayed.runMany(stack([x, x]))
      else for (let i = 0; i < 2; i++) step(x)
      replayed.dispose()
      return w.data() as unknown as Float64Array
    }
    const eager = await train(false)
    t.ok(eager instanceof Float64Array)
    t.strictSame(await train(true), eager)
    setBackend('native')
  },
)
