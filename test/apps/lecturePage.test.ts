/**
 * The frame around the lecture's experiments: what is run, what is written of it, and how
 * `neuroblas lecture` ends. What the experiments claim is tested in lecture.test.ts.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Experiment } from '../../lib/apps/lecture/experiment.js'
import { experiments } from '../../lib/apps/lecture/index.js'
import { formulaOf, page } from '../../lib/apps/lecture/page.js'
import { resultsOf, runExperiments } from '../../lib/apps/lecture/run.js'
import { excerpt } from '../../lib/apps/lecture/source.js'
import { writeLecture } from '../../lib/apps/lecture/write.js'
import { rand } from '../../lib/index.js'
import { lines } from '../../lib/plot/index.js'
import { runCommand } from '../support/cli.js'

const about = { version: '1.2.3', machine: 'native & fast', quick: true, planned: 3 }
const running = { quick: true, signal: new AbortController().signal }

/** Stands for an experiment; its name is that of a real file, whose code is shown. */
const fake = (name: string, items: number[], run: Experiment['run']): Experiment => ({
  name,
  items,
  title: `About <${name}>`,
  formula: 'x^2 \\qquad \\frac{1}{2}',
  text: 'Done & drawn.',
  run,
})
const holds = fake('xor', [4], async () => ({
  claims: [{ claim: 'a < b', measured: 0.123456, ok: true }],
  figures: [{ name: 'curve', caption: 'One & two', svg: await lines({ a: [1, 2], b: [2, 1] }) }],
}))
const failsOne = fake('depth', [5, 4], async () => ({
  claims: [
    { claim: 'right', measured: 'yes', ok: true },
    { claim: 'wrong', measured: 'no', ok: false },
  ],
  figures: [{ name: 'curve', caption: 'Three', svg: await lines({ a: [1] }) }],
}))
const throws = fake('softmax', [6], async () => {
  throw new RangeError('1 < 2')
})

t.test('each experiment: a file of its own with lines to show, and a formula', async (t) => {
  t.ok(experiments.length > 0)
  t.equal(new Set(experiments.map(({ name }) => name)).size, experiments.length)
  for (const { name, items, formula, text } of experiments) {
    t.ok(excerpt(name).trim().length > 0, name)
    t.notMatch(excerpt(name), /lecture:/)
    t.ok(items.length > 0 && items.every((item) => item >= 1 && item <= 18))
    t.ok(text.length > 20)
    if (formula !== undefined) t.match(await formulaOf(formula), /<math/)
    // A TeX command whose backslash was taken for an escape.
    t.notMatch(formula ?? '', /[\f\t\v\r\b]/)
  }
  t.throws(() => excerpt('experiment'), { message: /^experiment.ts: expected lines between/ })
})

t.test('results: by item, failed where a claim is or the experiment threw', async (t) => {
  const finished = await runExperiments([holds, failsOne, throws], running)
  const { items } = resultsOf(finished)
  t.match(items, [
    { item: 4, title: 'About <xor>; About <depth>', ok: false },
    { item: 5, title: 'About <depth>', ok: false },
    { item: 6, ok: false, claims: [{ measured: 'RangeError: 1 < 2', ok: false }] },
  ])
  t.equal(items[0].claims.length, 3)
  t.ok(items.every(({ seconds }) => seconds >= 0))
  const [silent] = await runExperiments(
    [fake('xor', [4], async () => ({ claims: [], figures: [] }))],
    running,
  )
  t.notOk(silent.ok, 'one that claims nothing has shown nothing')
})

t.test('each starts from the same seed, whatever ran before', async (t) => {
  const draws: number[] = []
  const draw = fake('xor', [1], async () => {
    draws.push(rand([1]).item())
    return { claims: [], figures: [] }
  })
  await runExperiments([draw, draw], running)
  t.equal(draws[0], draws[1])
  const [first, again] = await Promise.all(
    [1, 2].map(() =>
      runExperiments(
        experiments.filter(({ name }) => name === 'softmax'),
        running,
      ),
    ),
  )
  t.strictSame(first[0].claims, again[0].claims)
  t.strictSame(first[0].figures, again[0].figures)
})

t.test('aborted: what has ended is kept, what was under way is not', async (t) => {
  const controller = new AbortController()
  const aborts = fake('depth', [5], async () => {
    controller.abort()
    return { claims: [{ claim: 'half-way', measured: 1, ok: true }], figures: [] }
  })
  const options = { quick: true, signal: controller.signal }
  const finished = await runExperiments([holds, aborts, throws], options)
  t.strictSame(
    finished.map(({ experiment }) => experiment.name),
    ['xor'],
  )
  t.match(await page(finished, about), 'Stopped early: 2 experiments were not run.')
})

t.test('the page and its files', async (t) => {
  const folder = join(t.testdir(), 'deep', 'lecture')
  await writeLecture(folder, await runExperiments([holds, failsOne, throws], running), about)
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  t.notMatch(html, /<script|<link|<iframe|src=|@import|url\(["']?http/i, 'nothing is fetched')
  t.notMatch(html, /https?:\/\/(?!www\.w3\.org)/)
  for (const text of ['About &lt;xor&gt;', 'a &lt; b', '0.123', '<mfrac>', 'One &amp; two']) {
    t.ok(html.includes(text), text)
  }
  t.match(html, '2 of 4 claims failed.')
  t.match(html, /<article id="depth" class="failed">/)
  t.match(html, /<article id="xor">/)
  t.match(html, /a claim failed<\/strong> Three/)
  t.notMatch(html, /a claim failed<\/strong> One/)
  t.match(html, 'RangeError: 1 &lt; 2')
  t.match(html, 'aria-label="line chart: a; b. One &amp; two"')
  const ids = [...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id)
  t.equal(new Set(ids).size, ids.length, 'no id twice')
  for (const [, id] of html.matchAll(/(?:url\(|href=")#([^")]+)/g)) t.ok(ids.includes(id), id)
  const { items } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))
  t.strictSame(Object.keys(items[0]), ['item', 'title', 'ok', 'seconds', 'claims'])
  const names = ['depth-curve.png', 'depth-curve.svg', 'xor-curve.png', 'xor-curve.svg']
  t.strictSame(readdirSync(join(folder, 'figures')).sort(), names)
  t.match(readFileSync(join(folder, 'figures', names[3]), 'utf8'), /^<svg /)
  t.equal(readFileSync(join(folder, 'figures', names[2])).toString('latin1', 1, 4), 'PNG')

  const own = ['notes.txt', 'photo.png', 'xor-table.csv']
  for (const name of own) writeFileSync(join(folder, 'figures', name), '')
  await writeLecture(folder, await runExperiments([failsOne], running), about)
  const left = [...names.slice(0, 2), ...own].sort()
  t.strictSame(readdirSync(join(folder, 'figures')).sort(), left, 'the other figures are gone')
})

/** The command, stopped once it has written what is waited for. */
async function run(args: string[], stopAfter?: RegExp) {
  let isStopped = false
  const { code, stdout, stderr } = await runCommand(['lecture', ...args], {
    watch: (child, stdout, stderr) => {
      if (!isStopped && stopAfter?.test(stdout + stderr)) isStopped = child.kill('SIGINT')
    },
  })
  return { code, output: stdout + stderr }
}

t.test('the command', async (t) => {
  const folder = t.testdir()
  const done = await run(['--quick', '--only', 'depth,softmax', '--out', folder])
  t.equal(done.code, 0, done.output)
  t.match(done.output, /^depth {3,}[\d.]+ s {2}ok {6}\d+ of \d+ claims/m)
  t.match(done.output, '2 of 2 experiments hold what they claim')
  const { items } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))
  t.strictSame(
    items.map(({ item }: { item: number }) => item),
    [5, 6],
  )

  const unknown = await run(['--only', 'xor,nothing', '--out', folder])
  t.equal(unknown.code, 2)
  t.match(unknown.output, /neuroblas: --only: expected some of .*xor.*, got "xor,nothing"/)
})

t.test('Ctrl-C: the page has what was finished', async (t) => {
  const folder = t.testdir()
  const args = ['--only', 'depth,variance', '--out', folder]
  const { code, output } = await run(args, /^depth .*\n/m)
  t.equal(code, 130, output)
  t.match(output, 'SIGINT: stopping')
  t.match(output, 'stopped by SIGINT: 1 of 2 experiments ran, 1 of them hold what they claim: ')
  t.ok(existsSync(join(folder, 'index.html')))
  const { items } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))
  t.strictSame(
    items.map(({ item }: { item: number }) => item),
    [5],
  )
})

t.test('Ctrl-C during the first experiment: the page that is there stays', async (t) => {
  const folder = t.testdir({ 'index.html': 'old' })
  const { code, output } = await run(['--only', 'mnist', '--out', folder], /^mnist /m)
  t.equal(code, 130, output)
  t.match(output, 'stopped by SIGINT before the first experiment ended; no page written')
  t.equal(readFileSync(join(folder, 'index.html'), 'utf8'), 'old')
  t.strictSame(readdirSync(folder), ['index.html'])
})
