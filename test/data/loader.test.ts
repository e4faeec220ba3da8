/** Batches: each example once per epoch, in the data set's order or in a new one, and their memory. */
import t from 'tap'
import {
  ArgumentError,
  DataLoader,
  dataset,
  type LoaderOptions,
  memory,
  setSeed,
} from '../../lib/index.js'
import { growth, onBothBackends, refuses } from '../support/reference.js'

const SIZE = 23
const data = dataset({
  inputs: Float32Array.from({ length: 2 * SIZE }, (_, i) => i),
  inputShape: [2],
  targets: Int32Array.from({ length: SIZE }, (_, i) => i),
})

/** The targets of each batch of an epoch; that its inputs belong to them is checked. */
function epoch(loader: DataLoader): number[][] {
  return Array.from(loader, ({ inputs, targets }) => {
    const labels = [...targets.data()]
    const rows = inputs.toArray() as number[][]
    for (const [i, label] of labels.entries()) {
      if (rows[i][0] === 2 * label && rows[i][1] === 2 * label + 1) continue
      throw new Error(`inputs ${rows[i]} came with target ${label}`)
    }
    return labels
  })
}
const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const sorted = (values: number[]) => [...values].sort((a, b) => a - b)
const load = (options?: LoaderOptions) => new DataLoader(data, options)

onBothBackends('in order: full batches, and what is left', (t) => {
  for (const batchSize of [1, 5, 22, 23, 24, 100]) {
    const batches = epoch(load({ batchSize }))
    t.strictSame(batches.flat(), range(SIZE), `batches of ${batchSize}`)
    const sizes = batches.map(({ length }) => length)
    t.ok(sizes.slice(0, -1).every((size) => size === batchSize))
    t.equal(load({ batchSize }).length, batches.length)
    const full = epoch(load({ batchSize, dropLast: true }))
    t.strictSame(full, batches.slice(0, Math.floor(SIZE / batchSize)), 'without the last one')
    t.equal(load({ batchSize, dropLast: true }).length, full.length)
  }
  t.equal(load().batchSize, 32)
})

onBothBackends('shuffled: every epoch has an order of its own, which the seed decides', (t) => {
  const [first, same, other] = [3, 3, 4].map((seed) => load({ batchSize: 5, shuffle: true, seed }))
  const epochs = range(4).map(() => epoch(first).flat())
  for (const order of epochs) t.strictSame(sorted(order), range(SIZE), 'each example once')
  t.equal(new Set(epochs.map(String)).size, 4, 'no order twice')
  t.strictSame(
    range(4).map(() => epoch(same).flat()),
    epochs,
    'the same for the same seed',
  )
  t.notSame(epoch(other).flat(), epochs[0])
  // An epoch that is ended early has used up its order.
  const ended = load({ batchSize: 5, shuffle: true, seed: 3 })
  for (const _ of ended) break
  t.strictSame(epoch(ended).flat(), epochs[1])
})

onBothBackends('without a seed, each loader has orders of its own, which setSeed repeats', (t) => {
  const orders = () => range(2).map(() => epoch(load({ batchSize: 5, shuffle: true })).flat())
  setSeed(3)
  const [first, second] = orders()
  t.notSame(second, first)
  setSeed(3)
  t.strictSame(orders(), [first, second])
})

onBothBackends('a batch can be used until the next one is taken', (t) => {
  const loader = load({ batchSize: 10 })
  const batches = [...loader]
  t.equal(batches.length, 3)
  for (const { inputs, targets } of batches) {
    t.throws(() => inputs.data(), { name: 'ReleasedTensorError' })
    t.throws(() => targets.data(), { name: 'ReleasedTensorError' })
  }
  loader.dispose()
})

onBothBackends('memory comes back, also of an epoch that is left', (t) => {
  const loader = load({ batchSize: 5, shuffle: true })
  epoch(loader)
  const { buffers } = memory()
  epoch(loader)
  for (const _ of loader) break
  t.throws(() => {
    for (const _ of loader) throw new RangeError('own')
  }, RangeError)
  t.equal(memory().buffers, buffers)
  t.equal(
    growth(() => {
      const another = load({ shuffle: true })
      epoch(another)
      another.dispose()
    }),
    0,
  )
})

onBothBackends('what changes in the arrays afterwards does not change the batches', (t) => {
  const inputs = Float32Array.of(1, 2, 3, 4)
  const loader = new DataLoader(dataset({ inputs, inputShape: [2], targets: [0, 1] }))
  inputs.fill(9)
  const [batch] = Array.from(loader, (batch) => batch.inputs.toArray())
  t.strictSame(batch, [
    [1, 2],
    [3, 4],
  ])
})

t.test('sizes that no batch can have', async (t) => {
  for (const batchSize of [0, -1, 2.5, Number.NaN, Infinity]) {
    const message = `DataLoader: expected batchSize >= 1, got ${batchSize}`
    refuses(t, () => load({ batchSize }), ArgumentError, message)
  }
})
