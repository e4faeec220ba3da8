/** Files that DuckDB reads as tables, by the ends of their names. */
import { existsSync } from 'node:fs'
import { DataError } from '../../base/errors.js'
import { quote } from '../../base/text.js'
import { MISSING_VALUES } from '../table/cells.js'
import type { Reading } from '../table/frame.js'
import type { DuckDBRequest } from './duckdb.js'
import type { DuckDBSession } from './duckdbSession.js'
import { literal } from './sql.js'

const PARQUET = /\.(parquet|pq)$/i
const JSON_FILE = /\.(json|jsonl|ndjson)(\.gz|\.zst)?$/i
/** Separated text: what the library's own reader takes, one file at a time. */
export const SEPARATED = /\.(csv|tsv|tab|data|txt)(\.gz|\.zst)?$/i
export const DATABASE = /\.(duckdb|ddb|db)$/i
const GLOB = /[*?[]/

/** Whether it stands for several files. */
export function isGlob(path: string): boolean {
  return GLOB.test(path) && !existsSync(path)
}

/** Whether it is a path, or a pattern of paths, that DuckDB reads by its end. */
export function isDuckDBFile(path: string): boolean {
  return PARQUET.test(path) || JSON_FILE.test(path) || (isGlob(path) && SEPARATED.test(path))
}

/** What DuckDB is to read of a path, or of a pattern of paths. */
export function requestFor(path: string, format: Reading): Omit<DuckDBRequest, 'name'> {
  if (DATABASE.test(path)) return { database: path }
  if (PARQUET.test(path)) {
    return {
      relation: `read_parquet(${pattern(path)})`,
      isCounted: true,
      ...(isGlob(path) && { check: (session) => checkSameColumns(session, path) }),
    }
  }
  // All rows are read to find the types: one that comes late would be an error otherwise.
  if (JSON_FILE.test(path)) return { relation: `read_json(${pattern(path)}, sample_size = -1)` }
  return { relation: `read_csv(${[pattern(path), ...csvOptions(format)].join(', ')})` }
}

/** In SQL; the characters of patterns in the name of a file stand for themselves. */
function pattern(path: string): string {
  return literal(existsSync(path) ? path.replace(/[*?[]/g, '[$&]') : path)
}

function csvOptions(format: Reading): string[] {
  const { missingValues = MISSING_VALUES, delimiter, header, encoding, decimal, thousands } = format
  return [
    'sample_size = -1',
    `nullstr = [${missingValues.map(literal).join(', ')}]`,
    ...(delimiter === undefined ? [] : [`delim = ${literal(delimiter)}`]),
    ...(header === undefined ? [] : [`header = ${header}`]),
    ...(encoding === undefined ? [] : [`encoding = ${literal(encoding)}`]),
    ...(decimal === undefined ? [] : [`decimal_separator = ${literal(decimal)}`]),
    ...(thousands === undefined ? [] : [`thousands = ${literal(thousands)}`]),
  ]
}

/**
 * DuckDB takes the columns of the first file, and leaves out what others have besides.
 * @throws DataError naming a file of Parquet with other columns than the first has
 */
async function checkSameColumns(session: DuckDBSession, path: string): Promise<void> {
  const found = await session.texts(
    `SELECT file_name, name FROM parquet_schema(${pattern(path)}) WHERE repetition_type IS NOT NULL`,
    2,
  )
  const namesOf = new Map<string, Set<string>>()
  for (const [file, name] of found) {
    namesOf.set(file, (namesOf.get(file) ?? new Set()).add(name))
  }
  const [[first, names]] = namesOf
  for (const [file, own] of namesOf) {
    const more = [...own].filter((name) => !names.has(name))
    const less = [...names].filter((name) => !own.has(name))
    if (more.length + less.length === 0) continue
    const told = [
      ...(less.length > 0 ? [`none of ${less.slice(0, 8).map(quote).join(', ')}`] : []),
      ...(more.length > 0 ? [`${more.slice(0, 8).map(quote).join(', ')} besides`] : []),
    ]
    throw new DataError(`${file}: expected the columns of ${first}, got ${told.join(' and ')}`)
  }
}
