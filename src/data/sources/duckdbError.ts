/** What DuckDB says of its mistakes, in one line. */
import { DataError, NeuroblasError, OutOfMemoryError } from '../../base/errors.js'

/** `Binder Error: Referenced column …`: a kind, and what it is about. */
const KIND = /^(\w[\w ]*) Error: /

/**
 * An error of DuckDB's as one of this library.
 * @param name what was read
 */
export function duckdbError(error: unknown, name: string): unknown {
  if (error instanceof NeuroblasError || !(error instanceof Error)) return error
  const kind = KIND.exec(error.message)?.[1] ?? ''
  // The statement, with a mark below it, and advice for DuckDB's own shell come after an empty line.
  const [told] = error.message.replace(KIND, '').split(/\n\s*\n|\nLINE |\nIf you are trying/)
  const message = told.replace(/\s*\n[\s*]*/g, ' ').trim()
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
  if (/^No files found that match/.test(message)) {
    return new DataError(`${name}: expected files, got none that match`, cause)
  }
  const expected = ['Parser', 'Binder', 'Catalog'].includes(kind)
    ? 'SQL that DuckDB understands'
    : 'a table that DuckDB can read'
  return new DataError(`${name}: expected ${expected}, got "${message}"`, cause)
}
