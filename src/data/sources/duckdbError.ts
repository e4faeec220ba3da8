/** What DuckDB says of its mistakes, in one line. */
import { DataError, NeuroblasError, OutOfMemoryError } from '../../base/errors.js'

/** `Binder Error: Referenced column …`: a kind, and what it is about. */
const KIND = /^(\w[\w ]*) Error: /

/** Characters of what DuckDB says. */
const LONGEST = 500

/**
 * An error of DuckDB's as one of this library.
 * @param name what was read
 */
export function duckdbError(error: unknown, name: string): unknown {
  if (error instanceof NeuroblasError || !(error instanceof Error)) return error
  const kind = KIND.exec(error.message)?.[1] ?? ''
  // The statement, with a mark below it, and advice for DuckDB's own shell come after an empty line.
  const [told] = error.message.replace(KIND, '').split(/\n\s*\n|\nLINE |\nIf you are trying/)
  const message = excerptOf(told)
  const cause = { cause: error }
  if (kind === 'Out of Memory') {
    return new OutOfMemoryError(
      `${name}: expected to read it within the memory that DuckDB may use, got "${message}"; raise memory_limit, or select less`,
      cause,
    )
  }
  if (kind === 'Missing Extension') {
    return new DataError(
      `${name}: expected what DuckDB reads without further extensions (files on this machine), got "${message}"; nothing is downloaded`,
      cause,
    )
  }
  const inFile = csvError(error.message)
  if (inFile !== undefined) return new DataError(inFile, cause)
  if (/^No files found that match/.test(message)) {
    return new DataError(`${name}: expected files, got none that match`, cause)
  }
  const expected = ['Parser', 'Binder', 'Catalog'].includes(kind)
    ? 'SQL that DuckDB understands'
    : 'a table that DuckDB can read'
  return new DataError(`${name}: expected ${expected}, got "${message}"`, cause)
}

/** What is said of a file of separated text, by its name; undefined of anything else. */
function csvError(message: string): string | undefined {
  const mismatch = /^Main file schema: (.*)\nCurrent file: (.*)$/m.exec(message)
  if (mismatch) {
    const [, first, file] = mismatch
    const names = [...message.matchAll(/^Column with name: (".*") is missing$/gm)].map(
      ([, of]) => of,
    )
    return `${file}: expected the columns of ${first}, got none of ${names.slice(0, 8).join(', ')}; or a row with another number of cells`
  }
  const [, line, told] = /CSV Error on Line: (\d+)\n(.*?)(\n\s*\n|$)/s.exec(message) ?? []
  const file = /^ {2}file = (.*)$/m.exec(message)?.[1]
  if (line === undefined || file === undefined) return undefined
  const reason = excerptOf(told.replace(/^Original Line: .*\n/, ''))
  return `${file}: expected rows of separated text, got "${reason}" on line ${line}`
}

/** In one line, which is not too long. */
function excerptOf(text: string): string {
  const line = text.replace(/\s*\n[\s*]*/g, ' ').trim()
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}
