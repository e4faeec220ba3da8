/**
 * Products of batches of matrices: the bits of each are those of it alone, whatever is beside it, eager
 * and captured.
 */
import t from 'tap'
import {
  bmm,
  capture,
  concat,
  Generator,
  getNumThreads,
  Linear,
  linear,
  ShapeError,
  setBackend,
  setNumThreads,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const draw = (shape: number[], seed: number) => new Generator(seed).normal(shape, 0, 1)

/** Matrix `i` along the first axis. */
const matrix = (x: Tensor, i: number): Tensor => x.slice([i, i + 1]).squeeze(0)

t.test('each product has the bits that it has alone, for any number of threads', async (t) => {
  setBackend('native')
  const threads = getNumThreads()
  // Two and three products are cut into parts, seventeen are not; 300 is more than one block of k.
  for (const [batch, m, k, n] of [
    [2, 130, 300, 70],
    [3, 50, 64, 200],
    [17, 40, 33, 90],
    [5, 1, 64, 64],
  ]) {
    for (const [transA, transB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const a = draw(transA ? [batch, k, m] : [batch, m, k], 1)
      const b = draw(transB ? [batch, n, k] : [batch, k, n], 2)
      const alone = Array.from({ length: batch }, (_, i) =>
        matrix(a, i).matmul(matrix(b, i), { transA, transB }).unsqueeze(0),
      )
      const wanted = concat(alone).data()
      for (const count of [1, 2, 3]) {
        setNumThreads(count)
        const step = capture((x: Tensor, y: Tensor) => x.matmul(y, { transA, transB }))
        const name = `${batch} of ${m}x${k}x${n}, ${transA}, ${transB}, ${count} threads`
        t.ok(equalBits(a.matmul(b, { transA, transB }).data(), wanted), name)
        t.ok(equalBits(step(a, b).data(), wanted), `${name}, captured`)
      }
      setNumThreads(threads)
    }
  }
})

function equalBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer))
}

onBothBackends('a batch of sequences through a layer', (t) => {
  const layer = new Linear(5, 3, { generator: new Generator(1) })
  const x = draw([2, 4, 5], 2)
  for (const bias of [layer.bias, null]) {
    const apply = (h: Tensor) => (bias ? linear(h, layer.weight, bias) : h.matmul(layer.weight))
    t.strictSame(apply(x).shape, [2, 4, 3])
    t.strictSame(apply(x).data(), apply(x.reshape([8, 5])).data(), 'the rows of all sequences')
  }
  t.strictSame(layer.forward(x).shape, [2, 4, 3])
  t.strictSame(layer.forward(zeros([2, 0, 5])).shape, [2, 0, 3])
  layer.forward(x).square().sum().backward()
  const gradients = [layer.weight, layer.bias!].map(({ grad }) => grad!.data())
  for (const parameter of layer.parameters()) parameter.grad = null
  layer
    .forward(x.reshape([8, 5]))
    .square()
    .sum()
    .backward()
  t.strictSame(
    [layer.weight, layer.bias!].map(({ grad }) => grad!.data()),
    gradients,
    'and their gradients',
  )
  refuses(
    t,
    () => layer.forward(zeros([2, 4, 3])),
    ShapeError,
    'Linear: expected inputs [batch, 5], got [2, 4, 3]',
  )
})

onBothBackends('errors', (t) => {
  const [a, b] = [zeros([2, 3, 4]), zeros([3, 4, 5])]
  refuses(
    t,
    () => a.matmul(b),
    ShapeError,
    'matmul of [2, 3, 4] x [3, 4, 5]: shapes do not broadcast, got [2] and [3]',
  )
  refuses(
    t,
    () => a.matmul(zeros([2, 3, 4])),
    ShapeError,
    'matmul: inner dimensions differ, got [2, 3, 4] x [2, 3, 4] (4 vs 3)',
  )
  refuses(
    t,
    () => a.matmul(tensor(1)),
    ShapeError,
    'matmul: expected vectors or matrices, got [2, 3, 4] x []',
  )
  const expected = 'bmm: expected [batch, m, k] and [batch, k, n], got'
  refuses(t, () => bmm(a, b), ShapeError, `${expected} [2, 3, 4] and [3, 4, 5]`)
  refuses(t, () => bmm(a, zeros([4, 5])), ShapeError, `${expected} [2, 3, 4] and [4, 5]`)
  refuses(t, () => linear(zeros([3]), zeros([3, 2]), zeros([2])), ShapeError, /^linear: expected x/)
  refuses(t, () => linear(wrong(zeros([2, 3])), b, zeros([5])), ShapeError, /^linear: expected x/)
})
