/**
 * Known traps: what bites in other libraries, or bit in this one.
 */
import t from 'tap'
import {
  ArgumentError,
  AutogradError,
  gradCheck,
  SGD,
  ShapeError,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from '../lib/index.js'
import { gradOf, growth, leaf, onBothBackends, refuses, wrong } from './support/reference.js'

onBothBackends('a reshaped tensor is a view: who is disposed first does not matter', (t) => {
  for (const order of ['original first', 'view first']) {
    const grown = growth(() => {
      const x = tensor([1, 2])
      const y = x.reshape([2, 1])
      const [first, second] = order === 'view first' ? [y, x] : [x, y]
      first.dispose()
      t.strictSame([...second.data()], [1, 2], order)
      first.dispose()
      first.dispose()
      t.strictSame([...second.data()], [1, 2], 'disposing twice takes nothing from the other')
      second.dispose()
    })
    t.equal(grown, 0)
  }
})

onBothBackends('what shares a buffer and what does not', (t) => {
  const x = tensor([1, 2])
  const views = [x.reshape([1, 2]), x.detach(), x.view()]
  const copies = [
    x.clone(),
    x.slice(),
    x.T,
    x.transpose([0]),
    x.slice([0, 2]),
    x.add(0),
    x.broadcastTo([2]),
    x.sum([]),
  ]
  x.assign([8, 9])
  for (const view of views) t.strictSame([...view.data()], [8, 9])
  for (const copy of copies) t.strictSame([...copy.data()], [1, 2])
})

onBothBackends('the gradient of a view goes to its tensor, in its shape', (t) => {
  const x = leaf([
    [1, 2],
    [3, 4],
  ])
  const y = x.reshape([4]).mul(tensor([1, 10, 100, 1000]))
  y.sum().backward()
  t.strictSame(gradOf(x), [
    [1, 10],
    [100, 1000],
  ])
  const apart = x.detach()
  apart.requiresGrad = true
  apart.sum().backward()
  t.strictSame(gradOf(x), [
    [1, 10],
    [100, 1000],
  ])
  t.strictSame(gradOf(apart), [
    [1, 1],
    [1, 1],
  ])
})

onBothBackends('gradients never share a buffer', (t) => {
  const a = leaf([1, 2])
  const b = leaf([3, 4])
  const seed = tensor([1, 10])
  a.add(b).backward(seed)
  a.grad?.assign([7, 7])
  t.strictSame(gradOf(b), [1, 10], 'of two summands')
  a.reshape([2]).backward(seed)
  t.strictSame(gradOf(a), [8, 17])
  t.strictSame([...seed.data()], [1, 10], 'nor with the seed')
  const c = leaf([1, 2])
  c.add(c).sum().backward()
  t.strictSame(gradOf(c), [2, 2], 'one leaf on both sides')
  c.reshape([2, 1])
    .transpose([0, 1])
    .add(c.reshape([2, 1]))
    .sum()
    .backward()
  t.strictSame(gradOf(c), [4, 4])
})

onBothBackends('one tensor as both operands', (t) => {
  const square = [
    [1, 2],
    [-3, 0.5],
  ]
  for (const f of [
    (x: Tensor) => x.matmul(x),
    (x: Tensor) => x.matmul(x, { transB: true }),
    (x: Tensor) => x.mul(x).div(x.exp()).sub(x),
    (x: Tensor) => x.maximum(x),
  ]) {
    t.ok(gradCheck(f, [square]).ok)
  }
})

onBothBackends('dispose before backward', (t) => {
  const grown = growth(() => {
    const x = leaf([1, 2])
    const w = leaf([3, 4])
    const product = x.mul(w)
    const labels = tensor(Int32Array.of(1))
    const logits = product.reshape([1, 2])
    const risk = softmaxCrossEntropy(logits, labels)
    for (const y of [product, logits, labels]) y.dispose()
    risk.backward()
    t.ok(x.grad && w.grad)
    const moved = x.add(w).exp()
    const total = moved.sum()
    x.dispose()
    moved.dispose()
    w.grad?.dispose()
    w.grad = null
    total.backward()
    t.ok(Math.abs((w.grad as Tensor | null)!.data()[0] - Math.exp(4)) < 1e-4)
    for (const y of [risk, total, w, x.grad, w.grad]) (y as Tensor | null)?.dispose()
  })
  // The graphs of losses keep nothing: what is left are their unnamed intermediate results.
  t.ok(grown <= 4, `${grown} buffers`)
})

onBothBackends('integers have no gradient', (t) => {
  for (const x of [tensor(Int32Array.of(1)), tensor(Uint8Array.of(1))]) {
    refuses(
      t,
      () => {
        x.requiresGrad = true
      },
      ArgumentError,
      `requiresGrad: expected a float tensor, got ${x.dtype}`,
    )
    x.requiresGrad = false
  }
  const rows = leaf([[1], [2]]).indexSelect(0, tensor(Int32Array.of(1, 1)))
  t.equal(rows.requiresGrad, true)
  rows.sum().backward()
})

onBothBackends('a step of the optimizer between forward and backward', (t) => {
  const w = leaf([1, 2])
  const optimizer = new SGD([w], { lr: 0.1 })
  w.sum().backward()
  const y = w.square().sum()
  optimizer.step()
  refuses(t, () => y.backward(), AutogradError, /changed in place after its use/)
})

onBothBackends('a gradient of another shape put in by hand', (t) => {
  const x = leaf([1, 2])
  const expected = 'grad: expected null or a tensor float32 [2], got '
  const put = (grad: unknown) => () => {
    x.grad = wrong(grad)
  }
  refuses(t, put(tensor([1])), ArgumentError, `${expected}float32 [1]`)
  refuses(t, put(tensor(Int32Array.of(1, 1))), ArgumentError, `${expected}int32 [2]`)
  refuses(t, put([1, 1]), ArgumentError, `${expected}[1, 1]`)
  x.grad = tensor([1, 1])
  x.sum().backward()
  t.strictSame(gradOf(x), [2, 2])
})

t.test('tensors stay on their backend when another one is chosen', async (t) => {
  setBackend('js')
  const x = leaf([1, 2])
  const y = x.square().sum()
  setBackend('native')
  y.backward()
  t.strictSame(gradOf(x), [2, 4])
  t.equal(x.grad?.storage.backend.name, 'js')
  t.equal(x.mul(2).storage.backend.name, 'js')
  refuses(t, () => x.view([3]), ShapeError, 'view: expected 2 elements, got shape [3]')
  refuses(t, () => x.view(wrong([-1, -2])), ShapeError)
})
