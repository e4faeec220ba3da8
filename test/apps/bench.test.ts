/**
 * The benchmark in small: that it runs, and that its report has the shape others read. No times are
 * tested.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { cases, type MemoryCase, type RunsCase } from '../../lib/apps/bench/cases.js'
import { makeNoise } from '../../lib/apps/bench/files.js'
import { LEVELS } from '../../lib/apps/bench/protocol.js'
import { agree, type Report } from '../../lib/apps/bench/report.js'
import { runBench } from '../../lib/apps/bench/run.js'
import { formatReport } from '../../lib/apps/bench/table.js'

const find = (id: string) => cases.find((c) => c.id === id)!
const tiny = { levels: [], rounds: 1, seconds: 0.002, progress: () => {} }

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

t.test('convolutional networks and a batched product', async (t) => {
  const report = await runBench({
    cases: [find('C1'), find('B1')],
    contestants: ['neuroblas', 'limit', 'bare'],
    threads: [1],
    ...tiny,
  })
  t.same(
    report.rows.map((row) => [row.case, row.contestant]),
    ['C1', 'B1'].flatMap((id) => ['neuroblas', 'limit'].map((name) => [id, name])),
  )
  const [lenet, , product] = report.rows
  // By hand: 2 · 64 · (3 · 416,520 - 117,600) and 2 · 32 · 128 · 64 · 128.
  t.equal(Math.round(lenet.gflops! * lenet.usPerStep.min * 1000), 144_890_880)
  t.equal(Math.round(product.gflops! * product.usPerStep.min * 1000), 67_108_864)
  t.ok(lenet.lossAfter100! < lenet.lossAfter10!)
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
    contestants: ['neuroblas', 'limit', 'bare', 'js'],
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
      ['P2', 'limit', 1],
      ['P2', 'bare', 1],
      ['P2', 'js', 1],
      ['E1', 'neuroblas', 1],
      ['E1', 'js', 1],
    ],
    'JavaScript, the yardsticks and single ops have one thread',
  )
  const rowOf = (name: string) => report.rows.find(({ contestant }) => contestant === name)!
  const [bare, limit] = [rowOf('bare'), rowOf('limit')]
  for (const row of report.rows) {
    const isTraining = row.case === 'P2'
    t.ok(row.usPerStep.min > 0 && row.usPerStep.median >= row.usPerStep.min)
    t.ok(row.usPerStep.p10! > 0, 'everyone times windows')
    t.equal(row.examplesPerSecond !== null, isTraining)
    t.equal(row.gflops !== null, isTraining)
    t.equal(row.toBareBlas, isTraining ? row.usPerStep.min / bare.usPerStep.min : null)
    t.equal(row.toLimit, isTraining ? limit.usPerStep.p10! / row.usPerStep.p10! : null)
    t.equal(row.speedUp !== null, row.threads === 2)
    const learns = isTraining && ['neuroblas', 'js'].includes(row.contestant)
    t.equal(row.lossAfter10 !== null, learns)
    t.equal(row.lossAfter100 !== null, learns)
  }
  const [neuroblas, onTwo] = report.rows.map((row) => row.lossAfter100!)
  const js = rowOf('js').lossAfter100!
  t.equal(neuroblas, onTwo)
  t.ok(agree(neuroblas, js, 100))
  t.ok(neuroblas < 1, 'it learned something')
  const { engine, level } = report.machine
  t.match(report.machine, { cpu: String, cores: Number, openblas: String, node: process.version })
  const openblas = `OpenBLAS (${report.machine.openblasCore})`
  t.ok(engine === 'neuroblas' || engine === openblas, `${engine}`)
  t.same(
    report.rows.slice(0, 5).map((row) => [row.level, row.engine]),
    [
      [level, engine],
      [level, engine],
      [level, null],
      [null, openblas],
      [null, null],
    ],
  )
  const text = formatReport(report)
  t.match(text, `products: ${engine}; vector instructions: ${level}\n`)
  t.match(text, new RegExp(`\nP2 +neuroblas +1 +${level} +(neuroblas|OpenBLAS)`))
})

t.test('levels of vector instructions, as far as the processor has them', async (t) => {
  const { rows, notMeasured } = await runBench({
    cases: [find('E1')],
    contestants: ['neuroblas', 'js'],
    threads: [1],
    ...tiny,
    levels: LEVELS,
  })
  const measured = rows.flatMap(({ level }) => level ?? [])
  const missing = notMeasured.map(({ level }) => level)
  t.same([...measured, ...missing].sort(), [...LEVELS].sort(), 'each one is measured, or is not')
  const best = LEVELS.find((level) => measured.includes(level))
  t.same(
    notMeasured.map(({ reason }) => reason),
    missing.map((level) => `this processor has no ${level}, its best is ${best}`),
  )
  t.same(
    rows.filter(({ contestant }) => contestant === 'js').map(({ level }) => level),
    [null],
    'JavaScript has none',
  )
})

t.test('runs side by side, and fit on tiny data', async (t) => {
  const r1 = find('R1') as RunsCase
  t.match(r1, { trainings: 12, units: [256, 32, 5] })
  t.match(find('F1'), { units: [4, 16, 3], batch: 8 })
  const { rows } = await runBench({
    cases: [{ ...r1, trainings: 3, epochs: 1 }, find('F1')],
    contestants: ['neuroblas', 'js', 'workers', 'processes'],
    threads: [2],
    ...tiny,
  })
  t.same(
    rows.map((row) => [row.case, row.contestant, row.threads]),
    [
      ['R1', 'neuroblas', 2],
      ['R1', 'workers', 2],
      ['R1', 'processes', 2],
      ['F1', 'neuroblas', 1],
      ['F1', 'js', 1],
    ],
  )
  for (const { usPerStep, examplesPerSecond } of rows) {
    t.ok(usPerStep.min > 0 && examplesPerSecond! > 0)
    t.equal(usPerStep.p10, null, 'whole trainings have no windows')
  }
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
  const { stdout: table, stderr } = spawnSync(
    process.execPath,
    [...flags, lib, ...small, '--json', file],
    { encoding: 'utf8' },
  )
  t.match(table, /E1 +js/)
  t.match(stderr, /^1\/3 E1 \(.*\)\n/, 'how far it is')
  t.match(stderr, /^2\/3 E1-recorded \(.*\), \d+:\d\d left\n/m)
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  t.same(new Set(report.rows.map((row) => row.case)), new Set(['E1', 'E1-recorded', 'E1-computed']))
  t.throws(() => run('--cases', 'P0'), /--cases: expected some of P1,P2/)
  t.throws(() => run('--levels', 'sse'), /--levels: expected some of avx512,avx2,baseline,neon/)
  t.throws(() => run('--rounds', '0'), /--rounds: expected an integer >= 1, got "0"/)
  t.throws(() => run('--threads', '1,0'), /--threads: expected integers from 1 to 256.*, got "1,0"/)
  t.end()
})
