/** Embedding: the vectors of indices of any shape, their gradients, and the index that stands for nothing. */
import {
  ArgumentError,
  capture,
  Embedding,
  Generator,
  KernelError,
  SGD,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const indices = () => tensor([2, 0, 2, 1], [2, 2], 'int32')

onBothBackends('vectors and gradients', (t) => {
  const table = new Embedding(3, 2)
  table.weight.assign([1, 2, 3, 4, 5, 6])
  const y = table.forward(indices())
  t.strictSame(y.toArray(), [
    [
      [5, 6],
      [1, 2],
    ],
    [
      [5, 6],
      [3, 4],
    ],
  ])
  y.mul(tensor([1, 10, 100, 1000], [2, 2, 1]))
    .sum()
    .backward()
  t.strictSame(table.weight.grad!.toArray(), [
    [10, 10],
    [1000, 1000],
    [101, 101],
  ])
  t.strictSame(table.forward(tensor(2, [], 'int32')).toArray(), [5, 6])
  t.strictSame(table.forward(tensor([], [0, 4], 'int32')).shape, [0, 4, 2])
})

onBothBackends('the index that stands for nothing', (t) => {
  const table = new Embedding(3, 2, { paddingIdx: 2, generator: new Generator(1) })
  t.strictSame(table.weight.toArray(2)[2], [0, 0])
  table.forward(indices()).sum().backward()
  t.strictSame(table.weight.grad!.toArray(), [
    [1, 1],
    [1, 1],
    [0, 0],
  ])
})

onBothBackends('trained, captured', (t) => {
  const train = (isCaptured: boolean) => {
    const table = new Embedding(5, 3, { generator: new Generator(4) })
    const optimizer = new SGD(table.parameters(), { lr: 0.5 })
    const step = (words: Tensor<'int32'>) => {
      const loss = table.forward(words).mean(1).square().sum()
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
      return loss
    }
    const run = isCaptured ? capture(step) : step
    const losses = [indices(), tensor([4, 3, 0, 0], [2, 2], 'int32'), indices()].map((words) =>
      run(words).item(),
    )
    return [...losses, ...table.weight.data()]
  }
  t.strictSame(train(true), train(false), 'the bits of a captured step')
  t.ok(train(true)[2] < train(true)[0])
})

onBothBackends('initial vectors are normal, and errors', (t) => {
  const { weight } = new Embedding(1000, 20, { generator: new Generator(3) })
  t.ok(Math.abs(weight.mean().item()) < 0.03 && Math.abs(weight.std().item() - 1) < 0.03)
  const table = new Embedding(3, 2, { init: (shape) => zeros(shape) })
  refuses(t, () => table.forward(tensor([3], [1], 'int32')), KernelError, /below 3, got 3$/)
  refuses(
    t,
    () => table.forward(wrong(tensor([1]))),
    ArgumentError,
    /^Embedding: expected an int32/,
  )
  refuses(t, () => new Embedding(0, 2), ArgumentError, /^Embedding: expected numEmbeddings >= 1/)
  refuses(t, () => new Embedding(2, 1.5), ArgumentError, /^Embedding: expected embeddingDim >= 1/)
  refuses(
    t,
    () => new Embedding(2, 2, { paddingIdx: 2 }),
    ArgumentError,
    'Embedding: expected paddingIdx to be an index from 0 to below 2, got 2',
  )
})
