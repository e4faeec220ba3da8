/**
 * The benchmark in small: that it runs, that its report has the shape others read, and that losses
 * are compared. No times are tested. The products of a step are checked against the ops.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  cases,
  flopsOf,
  type MemoryCase,
  productsOf,
  type TrainingCase,
} from '../../lib/apps/bench/cases.js'
import { makeNoise } from '../../lib/apps/bench/files.js'
import { measure } from '../../lib/apps/bench/measure.js'
import { agree, compareLosses, median, type Report } from '../../lib/apps/bench/report.js'
import { runBench } from '../../lib/apps/bench/run.js'
import { formatReport } from '../../lib/apps/bench/table.js'

const find = (id: string) => cases.find((c) => c.id === id)!
const tiny = { rounds: 1, seconds: 0.002, progress: () => {} }

t.test('one thread where there is nothing to share', async (t) => {
  const report = await runBench({
    cases: [find('P1')],
    contestants: ['neuroblas', 'bare'],
    threads: [2],
    ...tiny,
  })
  t.same(
    report.rows.map((row) => row.threads),
    [1, 1],
  )
})

t.test('pauses, memory and inference', async (t) => {
  const m1 = find('M1') as MemoryCase
  const report = await runBench({
    cases: [find('E2'), { ...m1, steps: 40 }, find('I1'), find('I1-batch')],
    contestants: ['neuroblas', 'bare'],
    threads: [2],
    ...tiny,
    seconds: 0.05,
  })
  t.same(
    report.rows.map((row) => [row.case, row.threads]),
    [
      ['E2', 2],
      ['M1', 2],
      ['I1', 1],
      ['I1-batch', 2],
    ],
  )
  const [e2, memory, i1, batch] = report.rows
  const { longestPauseMs, longestPauseAtStartMs, longestPauseInValidationMs } = e2.figures!
  t.ok(longestPauseMs >= 0 && longestPauseAtStartMs >= 0 && longestPauseInValidationMs >= 0)
  const { liveAfterFirstEpoch, liveAtEnd, rssAtEnd } = memory.figures!
  t.equal(liveAtEnd, liveAfterFirstEpoch)
  t.ok(rssAtEnd > liveAtEnd)
  t.ok(i1.examplesPerSecond! > 0 && batch.examplesPerSecond! > 0)
  const text = formatReport(report)
  t.match(text, /E2 neuroblas, threads: 2: longest pause [\d.,]+ ms/)
  t.match(text, /live at end [\d.]+ MiB/)
})

t.test('one round of P2 and E1', async (t) => {
  const report = await runBench({
    cases: [find('P2'), find('E1')],
    contestants: ['neuroblas', 'js', 'bare'],
    threads: [1, 2],
    ...tiny,
  })
  t.same(report.notMeasured, [])
  t.same(report.disagreements, [])
  t.same(
    report.rows.map((row) => [row.case, row.contestant, row.threads]),
    [
      ['P2', 'neuroblas', 1],
      ['P2', 'neuroblas', 2],
      ['P2', 'js', 1],
      ['P2', 'bare', 1],
      ['E1', 'neuroblas', 1],
      ['E1', 'js', 1],
    ],
    'JavaScript, bare BLAS and single ops have one thread',
  )
  const bare = report.rows.find((row) => row.contestant === 'bare')!
  for (const row of report.rows) {
    const isTraining = row.case === 'P2'
    t.ok(row.usPerStep.min > 0 && row.usPerStep.median >= row.usPerStep.min)
    t.equal(row.examplesPerSecond !== null, isTraining)
    t.equal(row.gflops !== null, isTraining)
    t.equal(row.toBareBlas, isTraining ? row.usPerStep.min / bare.usPerStep.min : null)
    t.equal(row.speedUp !== null, row.threads === 2)
    t.equal(row.lossAfter100 !== null, isTraining && row.contestant !== 'bare')
  }
  const [neuroblas, onTwo, js] = report.rows.map((row) => row.lossAfter100!)
  t.equal(neuroblas, onTwo)
  t.ok(agree(neuroblas, js))
  t.ok(neuroblas < 1, 'it learned something')
  t.match(report.machine, { cpu: String, cores: Number, openblas: String, node: process.version })
  t.match(formatReport(report), /P2 +neuroblas/)
})

t.test('losses that differ are seen', (t) => {
  t.ok(agree(0.5, 0.50004))
  t.notOk(agree(0.5, 0.5001))
  t.notOk(agree(Number.NaN, Number.NaN))
  t.end()
})

t.test('Adam is compared before rounding has grown', (t) => {
  const entries = [
    [0.5, 0.2],
    [0.5, 0.3],
  ].map((losses) => ({
    job: { contestant: 'any', threads: 1 },
    ready: { losses },
    rounds: [],
  }))
  t.same(compareLosses(find('P7'), entries), [])
  t.match(compareLosses(find('P8'), entries), [/P8: expected the same loss after 100 steps/])
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

t.test('cases', (t) => {
  const ids = cases.map(({ id }) => id)
  t.same(ids.slice(0, 8), ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8'])
  t.equal(new Set(ids).size, ids.length)
  t.end()
})

t.test('noise stands in for MNIST', (t) => {
  const { images, labels } = makeNoise(500)
  const zeros = images.reduce((count, pixel) => count + +(pixel === 0), 0) / images.length
  t.ok(Math.abs(zeros - 0.8) < 0.01, `${zeros}`)
  t.same([...new Set(labels)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.end()
})

t.test('measuring', async (t) => {
  let steps = 0
  const run = (count: number) => {
    steps += count
    return count * 0.001
  }
  t.ok(Math.abs((await measure(run, 0.1)) - 0.001) < 1e-12)
  t.ok(steps >= 100)
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
})

t.test('peers are programs that speak the protocol', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'report.json')
  const peers = fileURLToPath(new URL('../fixtures/peers', import.meta.url))
  const env = {
    ...process.env,
    NEUROBLAS_BENCH_PEERS: peers,
    NEUROBLAS_BENCH_PYTHON: join(folder, 'python'),
  }
  const main = fileURLToPath(new URL('../../lib/apps/cli/main.js', import.meta.url))
  const command = [main, 'bench', '--cases', 'P2', '--threads', '2', '--rounds', '2']
  const names = 'bare,fake,broken,missing,python,other'
  const options = ['--seconds', '0.001', '--contestants', names, '--json', file]
  const { stdout, stderr, status } = spawnSync(process.execPath, [...command, ...options], { env })
  t.equal(status, 0, `${stderr}`)
  const { rows, notMeasured, versions } = JSON.parse(readFileSync(file, 'utf8')) as Report
  t.match(rows, [
    { contestant: 'bare', threads: 1 },
    {
      contestant: 'fake',
      threads: 2,
      usPerStep: { min: 40, median: 60 },
      lossAfter20: 2,
      lossAfter100: 1,
      note: '2 threads, OMP 2, NEUROBLAS 2',
      figures: { rounds: 2 },
    },
  ])
  t.match(versions, { fake: 'fake 1.0' })
  t.match(
    notMeasured.map(({ contestant, reason }) => [contestant, reason]),
    [
      ['broken', /broken ended during P2/],
      ['missing', 'its packages are not installed: nowhere'],
      ['python', /not installed: node scripts\/bench\/peers\/setup.mjs/],
    ],
  )
  t.match(`${stdout}`, /not measured: missing: its packages are not installed: nowhere \(P2\)/)
  t.end()
})

t.test('the command writes the report as JSON', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'report.json')
  const program = `
    const { benchCommand } = await import(process.argv[1])
    await benchCommand().parseAsync(process.argv.slice(2), { from: 'user' })`
  const lib = new URL('../../lib/apps/cli/bench.js', import.meta.url).href
  const small = ['--cases', 'E1', '--contestants', 'js', '--rounds', '1', '--seconds', '0.001']
  const flags = ['--input-type=module', '-e', program]
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [...flags, lib, ...args], { stdio: 'pipe' }).toString()
  const table = run(...small, '--json', file)
  t.match(table, /E1 +js/)
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  t.same(new Set(report.rows.map((row) => row.case)), new Set(['E1', 'E1-recorded', 'E1-computed']))
  t.throws(() => run('--cases', 'P0'), /--cases: expected some of P1,P2/)
  t.throws(() => run('--rounds', '0'), /--rounds: expected an integer >= 1, got "0"/)
  t.throws(() => run('--threads', '1,0'), /--threads: expected integers from 1 to 256.*, got "1,0"/)
  t.end()
})
