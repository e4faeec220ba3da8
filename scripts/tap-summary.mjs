// Reads a TAP stream: prints a line per test file and every failure in full, and counts tests.
// A test is an innermost t.test() block, or an assertion that stands beside such blocks.
import { Parser } from 'tap-parser'

function kindOf(result) {
  if (result.skip || result.todo) return 'skipped'
  return result.ok ? 'passed' : 'failed'
}

/** What helps to understand a failure, from its diagnostics: difference, source, place. */
function explain(diag) {
  const lines = []
  if (diag.diff) lines.push(diag.diff)
  else if ('found' in diag || 'wanted' in diag) {
    lines.push(`found:  ${JSON.stringify(diag.found)}`, `wanted: ${JSON.stringify(diag.wanted)}`)
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
      lines.push(`${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    }
  }
  if (diag.source) lines.push(diag.source)
  if (diag.stack) lines.push(diag.stack)
  else if (diag.at) lines.push(`${diag.at.fileName}:${diag.at.lineNumber}:${diag.at.columnNumber}`)
  return lines.map((line) => String(line).trimEnd().replace(/^/gm, '    ')).join('\n')
}

/** One level of the stream: the whole run (no path), a file (one name), or a t.test() block. */
class Level {
  #path
  #print
  #own = { passed: 0, failed: 0, skipped: 0 }
  #children = []
  // The line that closes this level in its parent; missing when the process ended before it.
  #result

  constructor(parser, path, print) {
    this.#path = path
    this.#print = print
    parser.on('child', (child) => {
      this.#children.push(new Level(child, [...path, child.name], print))
    })
    parser.on('assert', (result) => this.#take(result))
    parser.on('extra', (text) => {
      // Plans that tap repeats when a process ends early are noise; the rest is console output.
      if (!/^1\.\.\d+/.test(text)) print(text.trimEnd())
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

  get #hasPrintedFailure() {
    return this.#own.failed > 0 || this.#children.some((child) => child.#hasPrintedFailure)
  }

  #take(result) {
    const last = this.#children.at(-1)
    if (last && !last.#result && result.closingTestPoint) last.#close(result)
    else {
      this.#own[kindOf(result)]++
      if (kindOf(result) === 'failed') this.#printFailure(result.name, result.diag)
    }
  }

  #close(result) {
    this.#result = result
    // A process that crashed or timed out, a missed plan: failed without a failed assertion.
    if (this.#isBroken && !this.#hasPrintedFailure) {
      this.#printFailure('', { ...result.diag, reason: result.tapError })
    }
    if (this.#path.length === 1) this.#printFile()
  }

  #printFailure(name, diag) {
    const title = [...this.#path, name].filter(Boolean).join(' > ')
    this.#print(`FAIL ${title}\n${explain(diag ?? {})}`.trimEnd())
  }

  #printFile() {
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
