/**
 * Tables that DuckDB reads: Parquet, JSON and CSV files, SQL over them, and its own databases. It reads
 * what is on this machine, changes nothing, and downloads none of its extensions.
 */
import { DataError } from '../../base/errors.js'
import { columnsNamed } from './columns.js'
import { DuckDBSession } from './duckdbSession.js'
import { type ReadColumn, readColumn } from './duckdbVectors.js'
import type { DuckDBSettings, SourceBatch, SourceColumn, TableReader } from './source.js'

/** What is to be read. */
export interface DuckDBRequest {
  /** What errors call it. */
  readonly name: string
  /** The path of a database of DuckDB's; files and SQL need none. */
  readonly database?: string
  /** In SQL, what the query sees as the table `data`: `read_parquet('…')`. */
  readonly relation?: string
  /** SQL, or the name of a table; by default all of `data`, or of the only table of the database. */
  readonly query?: string
  /** Whether DuckDB knows the number of rows without reading them. */
  readonly isCounted?: boolean
  readonly settings?: DuckDBSettings
  /** Looks at the files before they are read. */
  readonly check?: (session: DuckDBSession) => Promise<void>
}

interface Column extends SourceColumn {
  readonly read?: ReadColumn
}

/**
 * Opens what DuckDB is to read: afterwards its columns and their types are known.
 * @throws MissingPackageError without the package @duckdb/node-api
 * @throws DataError where there is no such file or table, or the SQL cannot be run
 */
export async function openDuckDB(request: DuckDBRequest): Promise<TableReader> {
  const { name, settings = {}, database, relation, query, isCounted, check } = request
  const session = await DuckDBSession.open(name, settings, database)
  try {
    await check?.(session)
    if (relation !== undefined) await session.run(`CREATE VIEW data AS FROM ${relation}`)
    // A comment at its end must not hide what follows.
    const table = `(${await selection(session, request)}\n)`
    const described = await session.texts(
      `SELECT column_name, column_type FROM (DESCRIBE FROM ${table})`,
      2,
    )
    const columns = described.map(([name, declared]) => {
      const read = readColumn(identifier(name), declared)
      return { name, type: read?.type ?? ('other' as const), declared, read }
    })
    const isKnown = isCounted && query === undefined
    const counted = isKnown && (await session.texts(`SELECT count(*)::VARCHAR FROM ${table}`, 1))
    return new DuckDBReader(session, columns, table, counted ? Number(counted[0][0]) : undefined)
  } catch (error) {
    session.close()
    throw error
  }
}

/** A statement whose rows are the table. */
async function selection(session: DuckDBSession, request: DuckDBRequest): Promise<string> {
  const { query, relation, name } = request
  if (query !== undefined) {
    return TABLE_NAME.test(query.trim()) ? `FROM ${query}` : query.trim().replace(/[;\s]+$/, '')
  }
  if (relation !== undefined) return 'FROM data'
  const tables = await session.texts(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1",
    1,
  )
  if (tables.length === 1) return `FROM ${identifier(tables[0][0])}`
  const names = tables.slice(0, 20).join(', ')
  throw new DataError(
    `${name}: expected one table, or the name of one as query, got ${names || 'none'}`,
  )
}

/** Also with its schema before it; each name may be in quotes. */
export const TABLE_NAME =
  /^([\p{L}_][\p{L}\p{N}_$]*|"([^"]|"")+")(\.([\p{L}_][\p{L}\p{N}_$]*|"([^"]|"")+"))*$/u

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

class DuckDBReader implements TableReader {
  readonly isNamed = true
  readonly isRepeatable = true

  constructor(
    readonly session: DuckDBSession,
    readonly columns: readonly Column[],
    readonly table: string,
    readonly rows?: number,
  ) {}

  get name(): string {
    return this.session.name
  }

  batches(names?: readonly string[]): AsyncIterable<SourceBatch> {
    const { session, table } = this
    const reads = columnsNamed(this.name, this.columns, names).map(({ read }) => read as ReadColumn)
    const expressions = reads.map(({ expression }) => expression).join(', ')
    return session.stream(
      `SELECT ${expressions} FROM ${table}`,
      reads.map(({ reader }) => reader(session.bindings)),
    )
  }

  async close(): Promise<void> {
    this.session.close()
  }
}
