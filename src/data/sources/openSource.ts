/** Finds what a table is to be read by. */
import { ArgumentError, excerpt } from '../../base/errors.js'
import { ARROW, openArrow } from './arrow.js'
import { openDuckDB } from './duckdb.js'
import { DATABASE, isDuckDBFile, requestFor, SEPARATED } from './files.js'
import { NUMPY, openNumpy } from './numpy.js'
import { isPostgres, openPostgres } from './postgres.js'
import type { SourceOptions, TableReader } from './source.js'

const SQL = /^\s*(select|from|with)\s/i

/** Whether a text is SQL itself, no path. */
export function isSQL(source: string): boolean {
  return SQL.test(source)
}

/** Whether a text names a table, or is SQL that gives one, by its form alone. */
export function namesTable(source: string): boolean {
  return (
    [SEPARATED, DATABASE, NUMPY, ARROW].some((ending) => ending.test(source)) ||
    isDuckDBFile(source) ||
    isPostgres(source) ||
    isSQL(source)
  )
}

/**
 * What reads a source; undefined for what a table reads itself: separated text in one file or a stream,
 * and records.
 * @throws DataError where it cannot be read, MissingPackageError without the package that would
 */
export async function readerOf(
  source: unknown,
  options: SourceOptions,
): Promise<TableReader | undefined> {
  const { query, duckdb: settings, name } = options
  if (query !== undefined && (typeof query !== 'string' || query.trim() === '')) {
    throw new ArgumentError(`table: expected a query in SQL, got ${excerpt(query)}`)
  }
  if (typeof source !== 'string') return undefined
  if (isPostgres(source)) return openPostgres(source, query, name)
  if (isSQL(source)) {
    if (query === undefined) return openDuckDB({ name: name ?? 'query', query: source, settings })
    throw new ArgumentError(`table: expected one query, got ${excerpt(source)} and a second one`)
  }
  const isRead = query !== undefined && SEPARATED.test(source)
  if (DATABASE.test(source) || isDuckDBFile(source) || isRead) {
    return openDuckDB({ name: name ?? source, query, settings, ...requestFor(source, options) })
  }
  if (query !== undefined) {
    throw new ArgumentError(
      `table: expected a query over files that DuckDB reads, or a database, got one over ${source}`,
    )
  }
  if (NUMPY.test(source)) return openNumpy(source, name)
  return ARROW.test(source) ? openArrow(source, name) : undefined
}
