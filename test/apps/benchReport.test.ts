/** What the benchmark makes of what contestants answer, and the work that a step is counted as. */
import t from 'tap'
import { cases, type TrainingCase } from '../../lib/apps/bench/cases.js'
import { flopsOf } from '../../lib/apps/bench/flops.js'
import { limitRounds } from '../../lib/apps/bench/limit.js'
import { measure } from '../../lib/apps/bench/measure.js'
import { productsOf } from '../../lib/apps/bench/products.js'
import {
  agree,
  compareLosses,
  type Entry,
  median,
  quantile,
  rowsOf,
} from '../../lib/apps/bench/report.js'
import { formatReport } from '../../lib/apps/bench/table.js'

const find = (id: string) => cases.find((c) => c.id === id)!

/** Who answered with these windows, one round each. */
function entry(
  contestant: string,
  windows: readonly number[][],
  {
    threads = 1,
    level,
    engine,
  }: { threads?: number; level?: 'avx512' | 'avx2'; engine?: string } = {},
): Entry {
  return {
    job: { contestant, threads, level },
    ready: { level, engine },
    rounds: windows.map((windows) => ({ usPerStep: Math.max(...windows), windows })),
  }
}

t.test('the limit of a core, level by level', (t) => {
  const rows = rowsOf(find('P2'), [
    entry('neuroblas', [[10, 10]], { level: 'avx512' }),
    entry('neuroblas', [[5, 5]], { level: 'avx512', threads: 2 }),
    entry('neuroblas', [[20, 20]], { level: 'avx2' }),
    entry('against', [[20, 20]], { level: 'avx2', engine: 'OpenBLAS (SkylakeX)' }),
    entry('peer', [[16, 16]]),
    entry('limit', [[8, 8]], { level: 'avx512' }),
    entry('limit', [[16, 16]], { level: 'avx2' }),
  ])
  t.same(
    rows.map(({ toLimit }) => toLimit),
    [0.8, 1.6, 0.8, 0.4, 0.5, 1, 1],
    'other libraries choose their instructions themselves: they are held against the fastest',
  )
  t.same(
    rows.map(({ speedUp }) => speedUp),
    [null, 2, null, null, null, null, null],
    'two threads against one at the same level',
  )
  const [{ toLimit }] = rowsOf(find('P2'), [entry('neuroblas', [[10, 10]], { level: 'avx2' })])
  t.equal(toLimit, null, 'nobody measured it')
  t.end()
})

t.test('levels that are compared with a peer are told apart', (t) => {
  const text = formatReport({
    machine: {
      cpu: 'CPU',
      cores: 2,
      processor: 1,
      engine: 'OpenBLAS (Haswell)',
      openblas: 'OpenBLAS 0.3.21',
      openblasCore: 'Haswell',
      openblasCost: null,
      level: 'avx512',
      node: 'v20',
      platform: 'linux x64',
    },
    date: '',
    commit: null,
    against: null,
    data: 'none',
    rounds: 1,
    secondsPerRound: 1,
    versions: {},
    rows: rowsOf(find('P2'), [
      entry('neuroblas', [[10, 10]], { level: 'avx512' }),
      entry('neuroblas', [[20, 20]], { level: 'avx2' }),
      entry('limit', [[8, 8]], { level: 'avx512' }),
      entry('peer', [[30, 30]]),
    ]),
    notMeasured: [],
    disagreements: [],
  })
  t.match(text, 'neuroblas against peer: P2/avx512 3.00×, P2/avx2 1.50×')
  t.notMatch(text, /against limit/)
  t.match(text, /^training steps on one thread: processor 1$/m)
  t.match(text, /^P2 +limit +1 +avx512 +– .* 1.00 /m)
  t.end()
})

t.test('the limit is measured in short windows, also of long steps', async (t) => {
  const p4 = find('P4') as TrainingCase
  const counts: number[] = []
  const atHundredGigaflops = (flops: number) => {
    counts.push(flops)
    return flops / 1e11
  }
  const { usPerStep, windows } = await limitRounds(p4, atHundredGigaflops)(1)
  t.ok(Math.max(...counts) / 1e11 < 0.2, 'at most twice as long as a window must be')
  t.ok(windows!.length >= 5)
  for (const us of [usPerStep, ...windows!]) t.ok(Math.abs(us / (flopsOf(p4)! / 1e5) - 1) < 1e-9)
})

t.test('minimum and median of rounds, 10th percentile of windows', (t) => {
  const [ours, old] = rowsOf(find('P2'), [
    entry('neuroblas', [
      [3, 1],
      [2, 10],
    ]),
    { ...entry('against', []), rounds: [{ usPerStep: 2 }] },
  ])
  t.same(ours.usPerStep, { min: 3, median: 6.5, p10: quantile([1, 2, 3, 10], 0.1) })
  t.same(old.usPerStep, { min: 2, median: 2, p10: null }, 'a checkout that times no windows')
  t.same(ours.toAgainst, { min: 1.5, median: 3.25, p10: null })
  // What numpy.quantile(values, share) returns.
  t.ok(Math.abs(quantile([3, 1, 2, 10], 0.1) - 1.3) < 1e-12)
  t.equal(quantile([5], 0.1), 5)
  t.equal(quantile([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.1), 1)
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.end()
})

t.test('windows of whole steps', async (t) => {
  const counts: number[] = []
  const run = (count: number) => {
    counts.push(count)
    return count * 0.015
  }
  const { usPerStep, windows } = await measure(run, 0.5)
  t.same(counts, [1, 2, 4, 8, 8, 8, 8, 8], '8 steps take longer than 0.1 s; 5 windows 0.5 s')
  t.same(windows.map(Math.round), [15000, 15000, 15000, 15000, 15000])
  t.equal(Math.round(usPerStep), 15000)
  counts.length = 0
  await measure((count) => 2 * run(count) * 10, 0.001)
  t.same(counts, [1, 1, 1], 'a long step is a window; there are at least three')
})

t.test('losses that differ are seen', (t) => {
  t.ok(agree(0.5, 0.500004, 10))
  t.notOk(agree(0.5, 0.500006, 10))
  t.ok(agree(0.5, 0.5004, 100))
  t.notOk(agree(0.5, 0.5006, 100))
  t.notOk(agree(Number.NaN, Number.NaN, 1))
  t.end()
})

const STEPS = 11
const all = Array.from({ length: STEPS }, () => 0.5)

/** Disagreements of losses that are 0.5 everywhere, and these. */
function compare(id: string, losses: readonly number[]): string[] {
  const from = (contestant: string, losses: readonly number[]) => ({
    job: { contestant, threads: 1 },
    ready: { losses },
    rounds: [],
  })
  return compareLosses(find(id), [from('neuroblas', all), from('peer', losses)])
}

t.test('the first ten steps are compared closely, the hundredth loosely', (t) => {
  t.same(compare('P8', all), [])
  t.same(compare('P8', all.with(2, 0.50001)), [
    'P8: expected the same loss after 3 steps, got ' +
      '0.5 from neuroblas (threads: 1) and 0.50001 from peer (threads: 1)',
  ])
  t.same(compare('P8', all.with(10, 0.5004)), [])
  t.match(compare('P8', all.with(10, 0.501)), [/P8: expected the same loss after 100 steps/])
  t.same(compare('P8', all.slice(0, 4)), [], 'who was too slow is compared as far as it got')
  t.match(compare('P8', [0.5, 0.6]), [/after 2 steps/])
  t.same(compare('P7', all.with(10, 0.6)), [], 'rounding has grown in Adam by then')
  t.match(compare('P7', all.with(9, 0.6)), [/P7: expected the same loss after 10 steps/])
  t.end()
})

t.test('the products of a step', (t) => {
  const p1 = productsOf(find('P1') as TrainingCase)
  t.same(
    p1.map(({ transA, transB, m, n, k }) => [+transA, +transB, m, n, k]),
    [
      [0, 0, 1, 128, 784],
      [0, 0, 1, 10, 128],
      [0, 1, 1, 128, 10],
      [1, 0, 128, 10, 1],
      [1, 0, 784, 128, 1],
    ],
  )
  t.same(
    p1.map(({ a, b, c }) => [a, b, c]),
    [
      [0, 3, 1],
      [1, 4, 2],
      [8, 4, 7],
      [1, 8, 10],
      [0, 7, 9],
    ],
  )
  t.equal(flopsOf(find('P1') as TrainingCase), 2 * (2 * 784 * 128 + 3 * 128 * 10))
  t.end()
})
