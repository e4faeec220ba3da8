/** SQL as it is put together for DuckDB and PostgreSQL. */
import { DataError } from '../../base/errors.js'

const NAME = String.raw`([\p{L}_][\p{L}\p{N}_$]*|"([^"]|"")+")`
/** Also with its schema before it; each name may be in quotes. */
const TABLE_NAME = new RegExp(String.raw`^${NAME}(\.${NAME})*$`, 'u')

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The rows of a query, or of a table that is named, as a table to select from. */
export function tableOf(query: string): string {
  const plain = query.trim().replace(/[;\s]+$/, '')
  // A comment at its end must not hide the bracket.
  return `(${TABLE_NAME.test(plain) ? `SELECT * FROM ${plain}` : plain}\n) AS data`
}

/**
 * The table of a database that has one.
 * @param tables in SQL
 * @throws DataError where there is none, or a choice
 */
export function onlyTable(database: string, tables: readonly string[]): string {
  if (tables.length === 1) return tableOf(tables[0])
  const names = `${tables.slice(0, 20).join(', ')}${tables.length > 20 ? ', …' : ''}`
  throw new DataError(
    `${database}: expected a query, or the name of a table as one, got tables ${names || 'of no name: it has none'}`,
  )
}
