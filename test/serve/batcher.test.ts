/** How rows that wait become batches, without any model. */
import t from 'tap'
import { Batcher, type Job } from '../../lib/serve/batcher.js'
import { float32Text } from '../../lib/serve/float32Text.js'
import type { Replica } from '../../lib/serve/replica.js'

/** Answers each row by twice its input, when `finish` is called. */
class Doubling {
  readonly batchSize = 4
  readonly width = 1
  readonly scores = new Float32Array(4)
  readonly labels = new Int32Array(4)
  readonly batches: number[][] = []
  isDisposed = false
  finish = (_error?: unknown) => {}
  onRun = () => {}

  run(inputs: Float32Array, rows: number, done: (error?: unknown) => void): void {
    this.batches.push([...inputs.subarray(0, rows)])
    for (let i = 0; i < rows; i++) this.scores[i] = 2 * inputs[i]
    this.finish = done
    this.onRun()
  }

  dispose(): void {
    this.isDisposed = true
  }

  /** Until it is asked the next time. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.onRun = resolve
    })
  }

  asReplica(): Replica {
    return this as unknown as Replica
  }
}

function job(inputs: number[], log: unknown[], isGone = () => false): Job {
  return {
    inputs: Float32Array.from(inputs),
    rows: inputs.length,
    isGone,
    answer: (scores, _, row) => log.push([...scores.subarray(row, row + inputs.length)]),
    fail: (error) => log.push(error),
    drop: () => log.push('dropped'),
  }
}

t.test(
  'what waits is a batch, in order; what is gone is left out, also of several pieces',
  async (t) => {
    const replica = new Doubling()
    const rows: number[] = []
    const batcher = new Batcher(replica.asReplica(), 1, (n) => rows.push(n))
    const log: unknown[] = []
    let isGone = false
    batcher.push(job([1], log))
    batcher.push(job([2, 3], log))
    batcher.push(job([4, 5], log))
    t.equal(batcher.waiting, 5)
    await replica.next()
    t.strictSame(replica.batches, [[1, 2, 3]], 'the third does not fit in')
    batcher.push(job([6, 7, 8, 9, 10, 11, 12, 13, 14], log, () => isGone))
    batcher.push(job([15], log))
    isGone = true
    replica.finish()
    await replica.next()
    t.strictSame(log.splice(0), [[2], [4, 6], 'dropped'], 'it is told once')
    t.strictSame(replica.batches.at(-1), [4, 5, 15])
    t.equal(batcher.waiting, 0)
    const end = batcher.end()
    t.notOk(replica.isDisposed)
    replica.finish(new Error('no'))
    await end
    t.match(log, [{ message: 'no' }, { message: 'no' }])
    t.ok(replica.isDisposed)
    t.strictSame(rows, [3, 3])
  },
)

t.test('other weights answer from a batch on that begins no second piece', async (t) => {
  const [first, second] = [new Doubling(), new Doubling()]
  const batcher = new Batcher(first.asReplica(), 1, () => {})
  const log: unknown[] = []
  batcher.push(job([1, 2, 3, 4, 5], log))
  batcher.push(job([6], log))
  batcher.push(job([7, 8, 9, 10], log))
  await first.next()
  const never = () => t.fail('it is for the other case')
  batcher.publish(never, () => second.asReplica())
  first.finish()
  await first.next()
  t.strictSame(first.batches, [
    [1, 2, 3, 4],
    [5, 6],
  ])
  first.finish()
  await second.next()
  t.strictSame(second.batches, [[7, 8, 9, 10]])
  t.strictSame(log, [[2, 4, 6, 8, 10], [12]])
  batcher.publish(
    (idle) => t.equal(idle, first, 'the other set'),
    () => never() as unknown as Replica,
  )
  second.finish()
  await batcher.end()
  t.ok(first.isDisposed && second.isDisposed)
})

t.test('an answer that throws stops nobody; after the end nothing is taken', async (t) => {
  const replica = new Doubling()
  const batcher = new Batcher(replica.asReplica(), 1, () => {})
  const log: unknown[] = []
  const answer = () => {
    throw new Error('of its own')
  }
  batcher.push({ ...job([1], log), answer })
  await replica.next()
  t.throws(() => replica.finish(), { message: 'of its own' })
  batcher.push(job([2], log))
  await replica.next()
  replica.finish()
  t.strictSame(log, [[4]])
  const end = batcher.end()
  t.equal(batcher.end(), end)
  await end
  t.throws(() => batcher.push(job([3], log)), { message: /disposed of/ })
})

t.test('numbers have at most 9 digits, and are read back as they were', async (t) => {
  const bits = new Uint32Array(1)
  const floats = new Float32Array(bits.buffer)
  const wrong: unknown[] = []
  let state = 1
  for (let i = 0; i < 20_000; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0 // Numerical Recipes' generator
    bits[0] = state
    // Every other one of the size of probabilities.
    if (i % 2) floats[0] = state / 2 ** 32
    const [x] = floats
    if (!Number.isFinite(x)) continue
    const text = float32Text(x)
    const digits = text
      .replace(/e.*/, '')
      .replace(/^-?(0\.)?0*/, '')
      .replace('.', '')
    const isShort = Number.isInteger(x) || digits.length <= 9
    if (Math.fround(JSON.parse(text)) !== x || !isShort) wrong.push([x, text])
  }
  t.strictSame(wrong, [])
  for (const [x, text] of [
    [0.1, '0.1'],
    [0, '0'],
    [1e-45, '1.40129846e-45'],
    [1 / 3, '0.33333334'],
    [-2.5, '-2.5'],
  ] as const) {
    t.equal(float32Text(Math.fround(x)), text)
  }
})
