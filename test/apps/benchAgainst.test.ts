/** `neuroblas bench --against`: a fake checkout takes part, and folders that are none are refused. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { checkoutAt } from '../../lib/apps/bench/checkout.js'
import { commitOf } from '../../lib/apps/bench/machine.js'
import type { Report } from '../../lib/apps/bench/report.js'

const ADDON = 'build/Release/neuroblas.node'
const LAYOUTS = ['lib/apps/bench/contestant.js', 'lib/bench/contestant.js']

const fake = fileURLToPath(new URL('../fixtures/checkout/contestant.js', import.meta.url))

/** A folder with the fake program and an addon that nobody loads at these places. */
function makeCheckout(t: Test, ...places: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const place of places) {
    mkdirSync(dirname(join(folder, place)), { recursive: true })
    cpSync(fake, join(folder, place))
  }
  return folder
}

function bench(...args: string[]) {
  const main = fileURLToPath(new URL('../../lib/apps/cli/main.js', import.meta.url))
  return spawnSync(process.execPath, [main, 'bench', ...args], { encoding: 'utf8' })
}

t.test('a checkout takes part beside ours', (t) => {
  const folder = makeCheckout(t, LAYOUTS[0], ADDON)
  const file = join(folder, 'report.json')
  const options = ['--rounds', '2', '--seconds', '0.02', '--threads', '1,2', '--json', file]
  const { stdout, stderr, status } = bench('--cases', 'P2,F1', '--against', folder, ...options)
  const { rows, against, commit, notMeasured } = JSON.parse(readFileSync(file, 'utf8')) as Report
  t.same(against, { folder, commit: null })
  t.same(
    rows.map((row) => [row.contestant, row.threads]),
    [
      ['neuroblas', 1],
      ['neuroblas', 2],
      ['against', 1],
      ['against', 2],
      ['neuroblas', 1],
    ],
    'others take part only when named',
  )
  t.match(notMeasured, [{ case: 'F1', contestant: 'against', reason: /ended during F1/ }])
  const [ours, , theirs, theirsOnTwo] = rows
  t.same(theirs.usPerStep, { min: 1, median: 1.5, p10: null })
  t.equal(theirs.note, `against, 1 threads, native, ${join(folder, ADDON)}`)
  t.equal(theirs.toAgainst, null)
  const waited = theirsOnTwo.figures!.turnMs - theirs.figures!.turnMs
  t.ok(waited >= 20, `ours on two threads is measured between theirs on one and two, got ${waited}`)
  const { min, median } = ours.usPerStep
  t.same(ours.toAgainst, { min, median: median / 1.5, p10: null })
  t.match(stdout, `neuroblas: ${commit}\n`)
  t.match(stdout, `against: no clone, so no commit is known, in ${folder}`)
  t.match(
    stdout,
    /time of neuroblas ÷ time of against, medians \(minima, 10th percentiles\): P2 \S+ \(\S+, –\), P2\/2 /,
  )
  t.notMatch(stdout, /neuroblas against against/)
  t.match(stderr, /WRONG: P2: expected the same loss .* 9 from against/, 'results are compared')
  t.equal(status, 1)
  t.end()
})

t.test('the program is found in either layout', (t) => {
  for (const place of LAYOUTS) {
    const folder = makeCheckout(t, place, ADDON)
    const [program, addon] = [join(folder, place), join(folder, ADDON)]
    t.same(checkoutAt(folder), { folder, program, addon })
  }
  const both = makeCheckout(t, ...LAYOUTS, ADDON)
  t.equal(checkoutAt(both).program, join(both, LAYOUTS[0]))
  t.end()
})

t.test('what is no built checkout is refused', (t) => {
  const none = join(makeCheckout(t), 'none')
  const { stderr, status } = bench('--against', none)
  t.equal(stderr, `neuroblas: --against: expected a folder that exists, got "${none}"\n`)
  t.equal(status, 1)
  const source = makeCheckout(t)
  t.throws(() => checkoutAt(source), /with lib\/apps\/bench\/contestant.js or lib\/bench\/contest/)
  const light = makeCheckout(t, LAYOUTS[0])
  t.throws(() => checkoutAt(light), /\(run `npm run build` there\) with build\/Release\/neuroblas/)
  const checkout = makeCheckout(t, LAYOUTS[0], ADDON)
  const alone = bench('--against', checkout, '--contestants', 'bare,js')
  t.match(alone.stderr, '--contestants: expected neuroblas among them with --against, got bare,js')
  t.equal(alone.status, 2)
  t.end()
})

t.test('the commit is that of the folder itself', (t) => {
  const folder = makeCheckout(t, LAYOUTS[0])
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' })
  git('init', '--quiet')
  git('add', 'package.json')
  git('-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '--quiet', '-m', 'Begin')
  const head = git('rev-parse', 'HEAD').trim()
  t.equal(commitOf(folder), head)
  writeFileSync(join(folder, 'package.json'), '{}')
  t.equal(commitOf(folder), `${head} with changes`)
  t.equal(commitOf(join(folder, 'lib')), null, 'a folder of somebody else’s repository')
  t.end()
})
