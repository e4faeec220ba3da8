/**
 * Gradients at the edges: seeds, what has no graph or is cut out of it, kinks and ties, released
 * tensors.
 */
import t from 'tap'
import {
  ArgumentError,
  AutogradError,
  BackendError,
  noGrad,
  ReleasedTensorError,
  ShapeError,
  setBackend,
  type Tensor,
  tensor,
  where,
} from '../../lib/index.js'
import { gradOf, leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

onBothBackends('detach and constants', (t) => {
  const x = leaf([1, 2])
  const constant = tensor([10, 20])
  const y = x.mul(x.detach()).add(constant)
  t.equal(x.detach().requiresGrad, false)
  y.sum().backward()
  t.strictSame(gradOf(x), [1, 2])
  t.ok(constant.grad === null)
  t.equal(constant.add(1).requiresGrad, false)
  refuses(
    t,
    () => constant.sum().backward(),
    AutogradError,
    'backward: expected a tensor computed from one with requiresGrad',
  )
  refuses(t, () => x.greater(0).sum().backward(), AutogradError)
  refuses(t, () => x.sign().sum().backward(), AutogradError)
  const cut = x.mul(2)
  cut.requiresGrad = false
  t.equal(cut.add(1).requiresGrad, false)
})

onBothBackends('noGrad', (t) => {
  const x = leaf([1])
  const y = noGrad(() => {
    const inner = noGrad(() => x.mul(2))
    t.equal(inner.requiresGrad, false)
    t.equal(x.mul(3).requiresGrad, false, 'still off after the inner one')
    return x.mul(4)
  })
  t.ok(y.node === null)
  t.equal(x.mul(2).requiresGrad, true)
  t.throws(() =>
    noGrad(() => {
      throw new Error('inside')
    }),
  )
  t.equal(x.mul(2).requiresGrad, true, 'on again after an error')
  refuses(
    t,
    () => noGrad(async () => {}),
    ArgumentError,
    /^noGrad: expected a synchronous function/,
  )
  t.equal(x.mul(2).requiresGrad, true)
  const z = x.mul(5)
  noGrad(() => z.backward())
  t.equal(x.grad?.item(), 5, 'backward itself works inside')
})

onBothBackends('a seed for what is not a scalar', (t) => {
  const x = leaf([1, 2, 3])
  const seed = tensor([1, 10, 100])
  x.square().backward(seed)
  t.strictSame(gradOf(x), [2, 40, 600])
  t.strictSame(seed.toArray(), [1, 10, 100], 'the seed stays as it was')
  x.grad = null
  x.backward(seed)
  t.strictSame(gradOf(x), [1, 10, 100], 'of a leaf')
  x.backward(seed)
  t.strictSame(gradOf(x), [2, 20, 200])
  t.strictSame(seed.toArray(), [1, 10, 100], 'the gradient is no alias of it')
  const y = x.square()
  const message = 'backward: expected a scalar or a seed gradient, got shape [3]'
  refuses(t, () => y.backward(), AutogradError, message)
  refuses(t, () => y.backward(tensor([1])), ShapeError, /^backward: expected a seed of shape \[3\]/)
  refuses(
    t,
    () => y.backward(wrong(1)),
    ArgumentError,
    'backward: expected a tensor, got 1; tensor(values) makes one of numbers',
  )
  refuses(t, () => y.backward(wrong({ retainGraph: true })), ArgumentError)
  refuses(t, () => y.backward(wrong(tensor(Int32Array.of(1, 2, 3)))), ArgumentError)
  y.backward(seed)
  const one = leaf([[3]])
  one.square().backward()
  t.strictSame(gradOf(one), [[6]], 'one element counts as a scalar')
})

t.test('a seed on another backend', async (t) => {
  setBackend('js')
  const seed = tensor([1, 1])
  setBackend('native')
  const x = leaf([1, 2])
  refuses(t, () => x.square().backward(seed), BackendError)
  refuses(t, () => x.backward(seed), BackendError)
  t.ok(x.grad === null)
})

onBothBackends('gradients at kinks and ties', (t) => {
  const gradient = (data: number[], f: (x: Tensor) => Tensor) => {
    const x = leaf(data)
    f(x).sum().backward()
    return gradOf(x)
  }
  t.strictSame(
    gradient([-1, 0, 1], (x) => x.relu()),
    [0, 0, 1],
  )
  t.strictSame(
    gradient([-1, 0, 1], (x) => x.abs()),
    [-1, 0, 1],
  )
  t.strictSame(
    gradient([-3, -2, 0, 2, 3], (x) => x.clip(-2, 2)),
    [0, 1, 1, 1, 0],
  )
  t.strictSame(
    gradient([1, 3, 3], (x) => x.max()),
    [0, 0.5, 0.5],
  )
  t.strictSame(
    gradient([3, 1, 1, 1], (x) => x.min().mul(3)),
    [0, 1, 1, 1],
  )
  t.strictSame(
    gradient([1, 2, 3], (x) => x.maximum(2)),
    [0, 0.5, 1],
  )
  t.strictSame(
    gradient([1, 2, 3], (x) => x.minimum(2)),
    [1, 0.5, 0],
  )
  t.strictSame(
    gradient([0, 2], (x) => x.pow(0)),
    [0, 0],
  )
  t.strictSame(
    gradient([0, 2], (x) => x.pow(1)),
    [1, 1],
  )
  t.strictSame(
    gradient([0, -2], (x) => x.pow(3)),
    [0, 12],
  )
  t.strictSame(
    gradient([0, 1], (b) => tensor([0, 0]).pow(b)),
    [0, 0],
    'of the exponent of 0',
  )
  t.strictSame(
    gradient([1, 2], (x) => where(tensor([1, 0]), x, x.mul(3))),
    [1, 3],
  )
  t.strictSame(
    gradient([-1, 4], (x) => where(x.greater(0), x.sqrt(), x.mul(2))),
    [Number.NaN, 0.25],
    'the branch not taken stays out of the other elements',
  )
})

onBothBackends('released tensors', (t) => {
  const x = leaf([1, 2])
  const y = x.square().sum()
  y.dispose()
  refuses(t, () => y.backward(), ReleasedTensorError)
  refuses(t, () => x.square().backward(wrong(y)), ReleasedTensorError)
  t.ok(x.grad === null)
})
