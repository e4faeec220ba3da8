/**
 * Tables that DuckDB reads: Parquet, JSON and CSV files, SQL over them, and its own databases. It reads
 * what is on this machine, changes nothing, and downloads none of its extensions.
 */
import { columnsNamed } from './columns.js'
import { DuckDBSession } from './duckdbSession.js'
import { type ReadColumn, readColumn } from './duckdbVectors.js'
import type { DuckDBSettings, SourceBatch, SourceColumn, TableReader } from './source.js'
import { identifier, onlyTable, tableOf } from './sql.js'

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
    const table = await tableIn(session, request)
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

/** The rows that are asked for, as a table to select from. */
async function tableIn(
  session: DuckDBSession,
  { name, query, relation }: DuckDBRequest,
): Promise<string> {
  if (query !== undefined) return tableOf(query)
  if (relation !== undefined) return 'data'
  const tables = await session.texts(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1",
    1,
  )
  return onlyTable(
    name,
    tables.map(([table]) => identifier(table)),
  )
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

  batches(names?: readonly string[], isBorrowed = false): AsyncIterable<SourceBatch> {
    const { session, table } = this
    const reads = columnsNamed(this.name, this.columns, names).map(({ read }) => read as ReadColumn)
    const expressions = reads.map(({ expression }) => expression).join(', ')
    return session.stream(
      `SELECT ${expressions} FROM ${table}`,
      reads.map(({ reader }) => reader(session.bindings, isBorrowed)),
    )
  }

  async close(): Promise<void> {
    this.session.close()
  }
}
