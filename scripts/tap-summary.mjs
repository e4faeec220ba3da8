// Reads a TAP stream: prints a line per test file and what failed in it, and counts tests.
// A test is an innermost t.test() block, or an assertion that stands beside such blocks.
// Nothing is printed without a bound: a comparison of large arrays, an assertion in a loop and a
// process that dies in the middle of its output each would bury what a reader looks for.
import { Parser } from 'tap-parser'

/** Per file; of each part of a failure; of a line. */
const MOST_FAILURES = 10
const MOST_OUTPUT_LINES = 100
const MOST_LINES = 20
const LONGEST_LINE = 300

function kindOf(result) {
  if (result.skip || result.todo) return 'skipped'
  return result.ok ? 'passed' : 'failed'
}

/** The first lines of a text, the long ones cut. */
function shorten(text, mostLines = MOST_LINES) {
  const lines = String(text).trimEnd().split('\n')
  const shown = lines.slice(0, mostLines).map((line) => {
    const rest = line.length - LONGEST_LINE
    return rest > 0 ? `${line.slice(0, LONGEST_LINE)}… (${rest} more characters)` : line
  })
  if (lines.length > mostLines) shown.push(`… (${lines.length - mostLines} more lines)`)
  return shown
}

/** What helps to understand a failure, from its diagnostics: difference, source, place. */
function explain(diag) {
  const parts = []
  if (diag.diff) parts.push(diag.diff)
  else if ('found' in diag || 'wanted' in diag) {
    parts.push(`found:  ${JSON.stringify(diag.found)}`, `wanted: ${JSON.stringify(diag.wanted)}`)
  }
  for (const key of [
    'type',
    'compare',
    'error',
    'message',
    'signal',
    'exitCode',
    'expired',
    'reason',
  ]) {
    const value = diag[key]
    if (value && !(key === 'compare' && diag.diff)) {
      parts.push(`${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    }
  }
  if (diag.source) parts.push(diag.source)
  if (diag.stack) parts.push(diag.stack)
  else if (diag.at) parts.push(`${diag.at.fileName}:${diag.at.lineNumber}:${diag.at.columnNumber}`)
  return parts.flatMap((part) => shorten(part)).map((line) => `    ${line}`)
}

/** What is printed of one test file: the first failures and the first lines of its output. */
class FileReport {
  #print
  #failures = 0
  #outputLines = 0

  constructor(print) {
    this.#print = print
  }

  failure(title, diag) {
    this.#failures++
    if (this.#failures > MOST_FAILURES) return
    this.#print([...shorten(`FAIL ${title}`, 1), ...explain(diag)].join('\n'))
  }

  output(text) {
    const left = MOST_OUTPUT_LINES - this.#outputLines
    this.#outputLines += text.trimEnd().split('\n').length
    if (left > 0) this.#print(shorten(text, left).join('\n'))
  }

  /** Says what was left out. */
  end() {
    const failures = this.#failures - MOST_FAILURES
    if (failures > 0) this.#print(`… (${failures} more failures)`)
    const lines = this.#outputLines - MOST_OUTPUT_LINES
    if (lines > 0) this.#print(`… (${lines} more lines of output)`)
  }
}

/** One level of the stream: the whole run (no path), a file (one name), or a t.test() block. */
class Level {
  #path
  #print
  #report
  #own = { passed: 0, failed: 0, skipped: 0 }
  #children = []
  // The line that closes this level in its parent; missing when the process ended before it.
  #result

  constructor(parser, path, print, report = new FileReport(print)) {
    this.#path = path
    this.#print = print
    this.#report = report
    parser.on('child', (child) => {
      // A block reports to its file, a file to a report of its own.
      const shared = path.length === 0 ? undefined : report
      this.#children.push(new Level(child, [...path, child.name], print, shared))
    })
    parser.on('assert', (result) => this.#take(result))
    parser.on('extra', (text) => {
      // Plans that tap repeats when a process ends early are noise; the rest is console output.
      if (!/^\s*1\.\.\d+/.test(text)) report.output(text)
    })
  }

  get counts() {
    const isRun = this.#path.length === 0
    const isBlock = this.#path.length > 1
    if (isBlock && this.#children.length === 0) return this.#countAsOneTest()
    const total = { ...this.#own }
    for (const child of this.#children) {
      for (const [kind, count] of Object.entries(child.counts)) total[kind] += count
    }
    if (!isRun && total.failed === 0 && this.#isBroken) total.failed = 1
    return total
  }

  get #isBroken() {
    return !this.#result || kindOf(this.#result) === 'failed'
  }

  #countAsOneTest() {
    const { passed, failed, skipped } = this.#own
    const counts = { passed: 0, failed: 0, skipped: 0 }
    if (this.#isBroken) counts.failed = 1
    else counts[skipped > 0 && passed + failed === 0 ? 'skipped' : kindOf(this.#result)] = 1
    return counts
  }

  get #hasFailedAssertion() {
    return this.#own.failed > 0 || this.#children.some((child) => child.#hasFailedAssertion)
  }

  #take(result) {
    const last = this.#children.at(-1)
    if (last && !last.#result && result.closingTestPoint) last.#close(result)
    else {
      this.#own[kindOf(result)]++
      if (kindOf(result) === 'failed') this.#fail(result.name, result.diag)
    }
  }

  #close(result) {
    this.#result = result
    // A process that crashed or timed out, a missed plan: failed without a failed assertion.
    if (this.#isBroken && !this.#hasFailedAssertion) {
      this.#fail('', { ...result.diag, reason: result.tapError })
    }
    if (this.#path.length === 1) this.#printFile()
  }

  #fail(name, diag) {
    this.#report.failure([...this.#path, name].filter(Boolean).join(' > '), diag ?? {})
  }

  #printFile() {
    this.#report.end()
    const { passed, failed, skipped } = this.counts
    const counts = [`${passed} passed`]
    if (failed > 0) counts.push(`${failed} failed`)
    if (skipped > 0) counts.push(`${skipped} skipped`)
    const status = failed > 0 ? 'FAIL' : 'ok  '
    this.#print(`${status} ${this.#path[0]}: ${counts.join(', ')}`)
  }
}

/** A writable `parser` for the stream; `counts` is complete when the stream has ended. */
export class TapSummary {
  parser = new Parser()
  #run

  constructor(print) {
    this.#run = new Level(this.parser, [], print)
  }

  get counts() {
    return this.#run.counts
  }
}
