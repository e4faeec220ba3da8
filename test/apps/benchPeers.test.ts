/** Other libraries as contestants: programs that speak the protocol, and the helpers they are written with. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { sharedProcessor } from '../../lib/apps/bench/processor.js'
import type { Report } from '../../lib/apps/bench/report.js'

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
  const command = [main, 'bench', '--cases', 'P1,P2', '--threads', '2', '--rounds', '2']
  const names = 'bare,fake,broken,missing,python,other'
  const options = ['--seconds', '0.001', '--contestants', names, '--json', file]
  const { stdout, stderr, status } = spawnSync(process.execPath, [...command, ...options], { env })
  t.equal(status, 0, `${stderr}`)
  const { rows, notMeasured, versions } = JSON.parse(readFileSync(file, 'utf8')) as Report
  const alone = sharedProcessor() === null ? availableParallelism() : 1
  t.match(rows, [
    { case: 'P1', contestant: 'bare', threads: 1 },
    { case: 'P1', contestant: 'fake', threads: 1, figures: { processors: alone } },
    { case: 'P1', contestant: 'other', threads: 1, figures: { processors: alone } },
    { contestant: 'bare', threads: 1 },
    {
      contestant: 'fake',
      threads: 2,
      usPerStep: { min: 40, median: 60, p10: 35 },
      lossAfter10: 2,
      lossAfter100: 1,
      note: '2 threads, OMP 2, NEUROBLAS 2',
      figures: { rounds: 2, processors: availableParallelism() },
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

t.test('what peers are written with times windows, as we do', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const helpers = fileURLToPath(new URL('../../scripts/bench/peers/', import.meta.url))
  const python = join(folder, 'peer.py')
  writeFileSync(
    python,
    `import sys, time
sys.path.insert(0, ${JSON.stringify(helpers)})
import peer
steps = 0
def run(count):
    global steps
    steps += count
    time.sleep(0.0005 * count)
    return count
peer.main(lambda job: ({"losses": peer.check(job, run, lambda: steps)}, run))
`,
  )
  const node = join(folder, 'peer.mjs')
  writeFileSync(
    node,
    `import { check, main } from ${JSON.stringify(`${helpers}peer.mjs`)}
let steps = 0
const step = () => {
  steps++
  for (const begin = performance.now(); performance.now() - begin < 0.5; ) continue
}
await main(async (job) => ({ ready: check(job, step, () => steps), step }))
`,
  )
  speaks(t, 'python3', '-B', python)
  speaks(t, process.execPath, node)
  t.end()
})

/** Steps of 0.5 ms or more: 4 or fewer are a window. */
function speaks(t: Test, command: string, ...args: string[]): void {
  const job = {
    case: { kind: 'training', units: [784, 10], batch: 1 },
    threads: 1,
    files: {},
    checkedSteps: [1, 2, 10],
    checkedExamples: 1,
  }
  const { stdout, stderr } = spawnSync(command, [...args, JSON.stringify(job)], {
    input: '0.02\n0.001\n',
    encoding: 'utf8',
  })
  const lines = stdout.split('\n').filter(Boolean)
  t.equal(lines.length, 3, stderr)
  const [ready, long, short] = lines.map((line) => JSON.parse(line))
  t.same(ready, { losses: [1, 2, 10] })
  for (const { usPerStep, windows } of [long, short]) {
    t.ok(windows.length >= 3 && Math.min(...windows) >= 500)
    const mean = windows.reduce((sum: number, time: number) => sum + time) / windows.length
    t.ok(Math.abs(usPerStep - mean) < 1e-6 * mean)
  }
}
