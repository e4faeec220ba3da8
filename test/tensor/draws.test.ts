/** Whole numbers and categories drawn at random. */
import t from 'tap'
import {
  ArgumentError,
  capture,
  Generator,
  KernelError,
  multinomial,
  ones,
  randint,
  ShapeError,
  setBackend,
  setSeed,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

/** How often each number from 0 to below `limit` was drawn, as shares. */
function sharesOf(drawn: Tensor<'int32'>, limit: number): number[] {
  const counts = new Array<number>(limit).fill(0)
  for (const value of drawn.data()) counts[value]++
  return counts.map((count) => count / drawn.size)
}
/** Whether shares are as near as 10,000 draws bring them, 5 standard deviations. */
const near = (found: readonly number[], expected: readonly number[]) =>
  found.every((share, i) => Math.abs(share - expected[i]) < 5 * Math.sqrt(0.25 / 10_000))

onBothBackends('randint', (t) => {
  const drawn = new Generator(3).randint([100, 100], -2, 5)
  t.strictSame([drawn.shape, drawn.dtype], [[100, 100], 'int32'])
  const shares = sharesOf(tensor(drawn.data().map((value) => value + 2)), 7)
  t.ok(near(shares, Array(7).fill(1 / 7)), `${shares}`)
  const all = new Generator(3).randint([1000], -(2 ** 31), 2 ** 31).data()
  t.ok(all.some((value) => value < -(2 ** 30)) && all.some((value) => value > 2 ** 30))
  setSeed(5)
  const first = randint(0, 10, [4]).data()
  setSeed(5)
  t.strictSame(randint(0, 10, [4]).data(), first)
  const bounds = [
    [5, 5],
    [2, 1],
    [0, 2 ** 31 + 1],
    [-(2 ** 31) - 1, 0],
    [0.5, 2],
    [0, Number.NaN],
  ]
  for (const [low, high] of bounds) {
    refuses(t, () => randint(low, high, [1]), ArgumentError, /^randint: expected (low|high) /)
  }
  refuses(t, () => randint(0, 1, wrong(3)), ShapeError)
})

onBothBackends('multinomial', (t) => {
  const weights = tensor([0, 1, 3, 0, 6, 0])
  const generator = new Generator(4)
  const drawn = generator.multinomial(weights, 10_000, true)
  t.strictSame([drawn.shape, drawn.dtype], [[10_000], 'int32'])
  const shares = sharesOf(drawn, 6)
  t.ok(near(shares, [0, 0.1, 0.3, 0, 0.6, 0]), `${shares}`)
  t.equal(shares[0] + shares[3] + shares[5], 0, 'never what has no weight')

  // Without replacement, every row by itself: first as with it, then what is left.
  const rows = generator.multinomial(weights.broadcastTo([10_000, 6]), 3)
  t.strictSame(rows.shape, [10_000, 3])
  for (const [i, row] of rows.toArray(2).entries()) {
    if (row.toSorted().join() !== '1,2,4') t.fail(`row ${i}: ${row}`)
  }
  const firsts = sharesOf(rows.slice(undefined, [0, 1]), 6)
  t.ok(near(firsts, [0, 0.1, 0.3, 0, 0.6, 0]), `${firsts}`)
  // Behind 4: 1 and 2 in proportion 1 to 3; behind 2: 1 and 4 as 1 to 6; behind 1: 2 and 4 as 3 to 6.
  const seconds = sharesOf(rows.slice(undefined, [1, 2]), 6)
  const one = 0.6 / 4 + 0.3 / 7
  const two = (0.6 * 3) / 4 + 0.1 / 3
  t.ok(near(seconds, [0, one, two, 0, 1 - one - two, 0]), `${seconds}`)

  setSeed(6)
  const first = multinomial(weights, 2).data()
  setSeed(6)
  t.strictSame(multinomial(weights, 2).data(), first)
  t.strictSame(multinomial(ones([2, 3, 4]), 0).shape, [2, 3, 0])
  t.strictSame(multinomial(ones([0, 4]), 2).shape, [0, 2])
})

onBothBackends('weights that cannot be drawn from', (t) => {
  const refusals: [number[], number, boolean, string][] = [
    [
      [1, -1],
      1,
      false,
      'multinomial: weights[1]: expected a finite number from 0 on, got one below 0',
    ],
    [
      [Number.NaN, 1],
      1,
      true,
      'multinomial: weights[0]: expected a finite number from 0 on, got NaN',
    ],
    [
      [1, Infinity],
      1,
      true,
      'multinomial: weights[1]: expected a finite number from 0 on, got Infinity',
    ],
    [[0, 0], 1, true, 'multinomial: weights: expected at least 1 above 0 in row 0, got 0'],
    [[0, 2, 1], 3, false, 'multinomial: weights: expected at least 3 above 0 in row 0, got 2'],
    [[], 1, true, 'multinomial: weights: expected at least 1 above 0 in row 0, got 0'],
  ]
  for (const [weights, count, replacement, message] of refusals) {
    refuses(t, () => multinomial(tensor(weights), count, replacement), KernelError, message)
  }
  refuses(t, () => multinomial(tensor(1), 1), ShapeError)
  refuses(t, () => multinomial(wrong([1, 2]), 1), ArgumentError)
  refuses(t, () => multinomial(wrong(tensor(Int32Array.of(1))), 1), ArgumentError)
  refuses(t, () => multinomial(ones([2]), -1), ArgumentError)
  refuses(t, () => multinomial(ones([2]), 1, wrong(1)), ArgumentError)
})

t.test('both backends draw the same', async (t) => {
  const drawn = (['js', 'native'] as const).map((backend) => {
    setBackend(backend)
    const generator = new Generator(7)
    const weights = generator.randint([50, 40], 1, 1000).cast('float32') as Tensor
    return [
      ...generator.multinomial(weights, 30).data(),
      ...generator.multinomial(weights, 30, true).data(),
      ...generator.randint([5], -9, 9).data(),
    ]
  })
  t.strictSame(drawn[0], drawn[1])
})

onBothBackends('a captured function draws anew each time, and refuses wrong weights', (t) => {
  const generator = new Generator(8)
  const draw = capture((weights: Tensor) => [
    generator.multinomial(weights, 5, true),
    generator.randint([5], 0, 100),
  ])
  const weights = ones([20])
  const drawn = () => draw(weights).map((y) => [...y.data()])
  const [first, second] = [drawn(), drawn()]
  t.notSame(first[0], second[0])
  t.notSame(first[1], second[1])
  generator.restore(new Generator(8).save())
  t.strictSame([...generator.multinomial(weights, 5, true).data()], first[0])
  t.strictSame([...generator.randint([5], 0, 100).data()], first[1])
  weights.assign(new Array(20).fill(-1))
  refuses(t, () => draw(weights), KernelError, /^multinomial: weights\[0\]/)
})
