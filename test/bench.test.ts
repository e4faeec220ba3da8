/**
 * The benchmark in small: that it runs, that its report has the shape others read, and that losses
 * are compared. No times are tested. The products of a step are checked against the ops.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { cases, flopsOf, productsOf, type TrainingCase } from '../lib/bench/cases.js'
import { makeNoise } from '../lib/bench/files.js'
import { measure } from '../lib/bench/measure.js'
import { agree, median, type Report, runBench } from '../lib/bench/run.js'
import { formatReport } from '../lib/bench/table.js'

const find = (id: string) => cases.find((c) => c.id === id)!

t.test('one round of P2 and E1', async (t) => {
  const report = await runBench({
    cases: [find('P2'), find('E1')],
    contestants: ['neuroblas', 'js', 'bare'],
    rounds: 1,
    seconds: 0.002,
    progress: () => {},
  })
  t.same(report.notMeasured, [])
  t.same(report.disagreements, [])
  t.same(
    report.rows.map((row) => [row.case, row.contestant]),
    [
      ['P2', 'neuroblas'],
      ['P2', 'js'],
      ['P2', 'bare'],
      ['E1', 'neuroblas'],
      ['E1', 'js'],
    ],
  )
  for (const row of report.rows) {
    const isTraining = row.case === 'P2'
    t.ok(row.usPerStep.min > 0 && row.usPerStep.median >= row.usPerStep.min)
    t.equal(row.threads, 1)
    t.equal(row.examplesPerSecond !== null, isTraining)
    t.equal(row.gflops !== null, isTraining)
    t.equal(row.toBareBlas !== null, isTraining)
    t.equal(row.lossAfter100 !== null, isTraining && row.contestant !== 'bare')
  }
  const [neuroblas, js] = report.rows.map((row) => row.lossAfter100!)
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

t.test('the command writes the report as JSON', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'report.json')
  const program = `
    const { benchCommand } = await import(process.argv[1])
    await benchCommand().parseAsync(process.argv.slice(2), { from: 'user' })`
  const lib = new URL('../lib/cli/bench.js', import.meta.url).href
  const small = ['--cases', 'E1', '--contestants', 'js', '--rounds', '1', '--seconds', '0.001']
  const flags = ['--input-type=module', '-e', program]
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [...flags, lib, ...args], { stdio: 'pipe' }).toString()
  const table = run(...small, '--json', file)
  t.match(table, /E1 +js/)
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  t.same(new Set(report.rows.map((row) => row.case)), new Set(['E1', 'E1-recorded', 'E1-computed']))
  t.throws(() => run('--cases', 'P0'), /Expected some of P1,P2/)
  t.throws(() => run('--rounds', '0'), /Expected an integer >= 1/)
  t.end()
})
