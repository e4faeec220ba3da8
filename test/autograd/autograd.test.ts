/**
 * The walk back through the graph: what is added up where, what is refused, what survives. Gradients
 * of single ops are in ops.test.ts, edges in gradients.test.ts.
 */
import t from 'tap'
import { withBackend } from '../../lib/backend/current.js'
import { AutogradError, scope, type Tensor, tensor } from '../../lib/index.js'
import { FailingBackend } from '../support/failingBackend.js'
import { gradOf, leaf, onBothBackends, refuses } from '../support/reference.js'

onBothBackends('a chain', (t) => {
  const x = leaf([1, 2, 3])
  const y = x.mul(2).square().sum()
  t.equal(y.requiresGrad, true)
  y.backward()
  t.strictSame(gradOf(x), [8, 16, 24])
  t.strictSame(x.grad?.shape, x.shape)
  t.equal(x.grad?.requiresGrad, false)
})

onBothBackends('several uses of one tensor add up', (t) => {
  const x = leaf([3, -2])
  x.mul(x).add(x).add(x).sub(x.mul(5)).sum().backward()
  t.strictSame(gradOf(x), [2 * 3 + 2 - 5, 2 * -2 + 2 - 5])
  const y = leaf(2)
  y.add(y).backward()
  t.equal(y.grad?.item(), 2)
  const z = leaf([1, 2])
  z.sub(z).sum().backward()
  t.strictSame(gradOf(z), [0, 0])
  const w = leaf([[1], [2]])
  w.mul(tensor([1, 10]))
    .add(w)
    .sum()
    .backward()
  t.strictSame(gradOf(w), [[13], [13]], 'broadcast and not')
})

onBothBackends('several backwards add up', (t) => {
  const x = leaf([1, 2])
  x.sum().backward()
  x.mul(3).sum().backward()
  t.strictSame(gradOf(x), [4, 4])
  x.grad = null
  x.sum().backward()
  t.strictSame(gradOf(x), [1, 1])
})

onBothBackends('a diamond', (t) => {
  const x = leaf(2)
  const a = x.square()
  const b = a.mul(3)
  const c = a.exp()
  b.mul(c).backward()
  // d/dx 3·x²·e^(x²) = 6x·e^(x²)·(1 + x²)
  t.ok(Math.abs((x.grad?.item() ?? 0) / (12 * Math.exp(4) * 5) - 1) < 1e-6)
})

onBothBackends('many diamonds in a row take time by their number, not by their paths', (t) => {
  const x = leaf(1)
  let y: Tensor = x
  for (let i = 0; i < 100; i++) y = y.add(y)
  y.backward()
  t.equal(x.grad?.item(), 2 ** 100)
})

onBothBackends('a node that is met by a short and by a long way', (t) => {
  const x = leaf(1)
  const early = x.mul(2)
  let y = early
  for (let i = 0; i < 10; i++) y = y.add(1)
  // early gets gradients from both ends of the chain before it passes anything on.
  y.mul(early).backward()
  t.equal(x.grad?.item(), 2 * (12 + 2))
})

onBothBackends('a chain of 10000', (t) => {
  const x = leaf([1, 2])
  const y = scope(() => {
    let z: Tensor = x
    for (let i = 0; i < 10_000; i++) z = i % 2 ? z.add(1) : z.neg()
    return z.sum()
  })
  y.backward()
  t.strictSame(gradOf(x), [1, 1])
})

onBothBackends('backward twice', (t) => {
  const x = leaf([2])
  const y = x.square()
  y.backward()
  refuses(
    t,
    () => y.backward(),
    AutogradError,
    'backward: the graph of square was released by an earlier backward(); pass { retainGraph: true } there',
  )
  t.strictSame(gradOf(x), [4], 'the refused one added nothing')
  const z = x.square()
  z.backward(undefined, { retainGraph: true })
  z.backward(undefined, { retainGraph: true })
  z.backward()
  t.strictSame(gradOf(x), [16])
  refuses(t, () => z.backward(), AutogradError)
  const sum = x.add(x)
  sum.backward()
  refuses(t, () => sum.backward(), AutogradError, /^backward: the graph of add was released/)
})

onBothBackends('two results of one graph', (t) => {
  const x = leaf([1, 2])
  const w = leaf([5, 5])
  const shared = x.square()
  const first = shared.sum()
  const second = shared.mul(w).sum()
  first.backward(undefined, { retainGraph: true })
  second.backward()
  t.strictSame(gradOf(x), [2 + 10, 4 + 20])
  x.grad = null
  w.grad = null
  const again = x.square()
  const [a, b] = [again.sum(), again.mul(w).sum()]
  a.backward()
  refuses(t, () => b.backward(), AutogradError, /the graph of square was released/)
  t.ok(w.grad === null, 'nothing is added before the whole graph is found to be there')
})

onBothBackends('a change in place after use', (t) => {
  const x = leaf([1, 2])
  const w = leaf([3, 4])
  const y = x.mul(w).sum()
  w.assign([0, 0])
  refuses(
    t,
    () => y.backward(),
    AutogradError,
    'backward: a tensor that mul needs again was changed in place after its use',
  )
  t.ok(x.grad === null)
  const z = x.add(w).sum()
  w.assign([5, 6])
  z.backward()
  t.strictSame(gradOf(w), [1, 1], 'a value that is not needed again may change')
  const view = x.reshape([2, 1])
  const square = x.square()
  view.assign([7, 8])
  refuses(t, () => square.sum().backward(), AutogradError, /changed in place/)
  const e = x.exp()
  e.assign([0, 0])
  refuses(t, () => e.sum().backward(), AutogradError, /^backward: a tensor that exp needs/)
})

onBothBackends('gradients outlive the scope of the step', (t) => {
  const x = leaf([1, 2])
  const risk = scope(() => {
    const y = x.square().sum()
    y.backward()
    return y.item()
  })
  t.equal(risk, 5)
  t.strictSame(gradOf(x), [2, 4])
  scope(() => x.mul(3).sum().backward())
  t.strictSame(gradOf(x), [5, 7], 'and are added to in another one')
  const before = x.grad?.reshape([2, 1])
  scope(() => x.sum().backward())
  t.strictSame(gradOf(x), [6, 8])
  t.strictSame(before?.toArray(), [[5], [7]], 'a view of the gradient keeps what it showed')
})

onBothBackends('interleaved graphs', (t) => {
  const x = leaf([1, 2])
  const w = leaf([3, 4])
  const a1 = x.mul(w)
  const b1 = x.square()
  const a2 = a1.sum()
  const b2 = b1.mul(w).sum()
  b2.backward()
  t.strictSame(gradOf(x), [6, 16])
  t.strictSame(gradOf(w), [1, 4])
  a2.backward()
  t.strictSame(gradOf(x), [9, 20])
  t.strictSame(gradOf(w), [2, 6])
})

onBothBackends('only what is asked for is computed', (t) => {
  const x = tensor([1, 2])
  const w = leaf([3, 4])
  const y = x.mul(w).exp()
  x.requiresGrad = true
  y.sum().backward()
  t.ok(x.grad === null, 'a leaf that wanted no gradient when it was used')
  t.ok(w.grad)
})

t.test('after a failure in the middle, backward can be called again', async (t) => {
  const backend = new FailingBackend('run')
  withBackend(backend, () => {
    const x = leaf([1, 2])
    const y = x.square().exp().mul(x).sum()
    for (let n = 1; n < 20; n++) {
      backend.left = n
      try {
        y.backward(undefined, { retainGraph: true })
      } catch {}
      if (backend.left > 0) break
      x.grad = null
      y.backward(undefined, { retainGraph: true })
      // d/dx x·e^(x²) = e^(x²)·(1 + 2x²)
      const [first] = x.grad!.data()
      t.ok(Math.abs(first / (3 * Math.E) - 1) < 1e-6, `failed at kernel ${n}`)
      x.grad = null
    }
    backend.left = Infinity
  })
})
