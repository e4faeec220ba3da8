/** What `npm test` prints of a run: every failure once, and never more than a screen or two of it. */
import t from 'tap'
import { type Counts, TapSummary } from '../../scripts/tap-summary.mjs'

/** The lines that are printed of a TAP stream, and what is counted in it. */
function summarize(stream: string): { lines: string[]; counts: Counts } {
  const printed: string[] = []
  const summary = new TapSummary((text) => printed.push(text))
  summary.parser.write(stream)
  summary.parser.end()
  return { lines: printed.flatMap((text) => text.split('\n')), counts: summary.counts }
}

const indent = (text: string, width = 4) => text.replace(/^(?=.)/gm, ' '.repeat(width))
const block = (name: string, ok: boolean, inside: string) =>
  `# Subtest: ${name}\n${indent(inside)}${ok ? 'ok' : 'not ok'} 1 - ${name} # time=1ms\n`
const file = (name: string, ok: boolean, inside: string) =>
  `TAP version 14\n${block(name, ok, `${inside}1..1\n`)}1..1\n`
const diagnostics = (lines: string) => `  ---\n${indent(lines, 2)}  ...\n`
const numbered = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i + 1)).join('')

t.test('a line per file, and what is a test', async (t) => {
  const inside = numbered(2, (i) => `ok ${i} - assertion ${i}\n`)
  const { lines, counts } = summarize(
    file('a.test.ts', true, block('adds', true, `${inside}1..2\n`)),
  )
  t.strictSame(lines, ['ok   a.test.ts: 1 passed'])
  t.strictSame(counts, { passed: 1, failed: 0, skipped: 0 }, 'a block is one test')
  const beside = summarize(file('a.test.ts', true, 'ok 1 - an assertion\n'))
  t.strictSame(beside.counts, { passed: 1, failed: 0, skipped: 0 })
  const skipped = summarize(file('a.test.ts', true, 'ok 1 - on Windows # SKIP\n'))
  t.strictSame(skipped.lines, ['ok   a.test.ts: 0 passed, 1 skipped'])
  t.strictSame(skipped.counts, { passed: 0, failed: 0, skipped: 1 })
})

t.test('a failure is printed once, with its difference, source and place', async (t) => {
  const failure = diagnostics(
    'compare: ===\ndiff: |\n  --- expected\n  +++ actual\n  -2\n  +1\nsource: |\n  t.equal(1, 2)\nat:\n  fileName: a.test.ts\n  lineNumber: 7\n  columnNumber: 3\n',
  )
  const inside = block('adds', false, `not ok 1 - one and one\n${failure}1..1\n`)
  const { lines, counts } = summarize(file('a.test.ts', false, inside))
  t.strictSame(lines, [
    'FAIL a.test.ts > adds > one and one',
    '    --- expected',
    '    +++ actual',
    '    -2',
    '    +1',
    '    t.equal(1, 2)',
    '    a.test.ts:7:3',
    'FAIL a.test.ts: 0 passed, 1 failed',
  ])
  t.strictSame(counts, { passed: 0, failed: 1, skipped: 0 })
})

t.test('a difference of large arrays leaves its first lines, and the place', async (t) => {
  const diff = numbered(10_000, (i) => `  -${i},\n  +${i + 1},\n`)
  const failure = diagnostics(`diff: |\n${diff}stack: |\n  a.test.ts:7:3\n`)
  const { lines } = summarize(file('a.test.ts', false, `not ok 1 - arrays\n${failure}`))
  t.strictSame(lines.slice(0, 3), ['FAIL a.test.ts > arrays', '    -1,', '    +2,'])
  t.ok(lines.includes('    … (19980 more lines)'))
  t.equal(lines.at(-2), '    a.test.ts:7:3')
  t.ok(lines.length < 30, `${lines.length} lines`)
})

t.test('a long line is cut', async (t) => {
  const failure = diagnostics(`found: "${'x'.repeat(50_000)}"\nwanted: y\n`)
  const { lines } = summarize(file('a.test.ts', false, `not ok 1 - ${'n'.repeat(999)}\n${failure}`))
  t.match(lines[0], /^FAIL a\.test\.ts > n+… \(\d+ more characters\)$/)
  t.match(lines[1], /^ {4}found: {2}"x+… \(\d+ more characters\)$/)
  for (const line of lines) t.ok(line.length < 350, `${line.length} characters`)
})

t.test('an assertion that fails in a loop is printed ten times, and counted', async (t) => {
  const inside = numbered(3000, (i) => `not ok ${i} - number ${i}\n`)
  const { lines, counts } = summarize(file('a.test.ts', false, inside))
  const shown = Array.from({ length: 10 }, (_, i) => `FAIL a.test.ts > number ${i + 1}`)
  t.strictSame(lines, [...shown, '… (2990 more failures)', 'FAIL a.test.ts: 0 passed, 3000 failed'])
  t.equal(counts.failed, 3000)
})

t.test('a process that ends in the middle of its output', async (t) => {
  // As tap writes it: the diagnostics have no end, so that they are no diagnostics.
  const cut = `not ok 1 - arrays\n  ---\n  diff: |\n${numbered(23_000, (i) => `    -${i},\n`)}`
  const stream = `TAP version 14\n# Subtest: a.test.ts\n${indent(cut)}not ok 1 - a.test.ts # time=1ms\n${diagnostics('signal: SIGKILL\n')}1..1\n`
  const { lines, counts } = summarize(stream)
  t.ok(lines.length < 130, `${lines.length} lines`)
  t.match(lines.join('\n'), /\d+ more lines/)
  t.equal(lines.filter((line) => line === 'FAIL a.test.ts > arrays').length, 1)
  t.match(lines.at(-1), /^FAIL a\.test\.ts: 0 passed, 1 failed$/)
  t.equal(counts.failed, 1)
})

t.test('a file that fails without a failed assertion says why', async (t) => {
  const stream = `TAP version 14\n# Subtest: a.test.ts\n    ok 1 - before\nnot ok 1 - a.test.ts # time=1ms\n${diagnostics('signal: SIGSEGV\n')}1..1\n`
  const { lines, counts } = summarize(stream)
  t.equal(lines[0], 'FAIL a.test.ts')
  t.ok(lines.includes('    signal: SIGSEGV'))
  t.strictSame(counts, { passed: 1, failed: 1, skipped: 0 })
})
