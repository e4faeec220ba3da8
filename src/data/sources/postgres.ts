/**
 * Tables of PostgreSQL, by `COPY (query) TO STDOUT` in its binary format: numbers are never text, and no
 * more is asked of the server than is read. Each reading is a connection of its own, which is closed with it.
 */
import { Socket } from 'node:net'
import type { Client } from 'pg'
import { DataError, NeuroblasError } from '../../base/errors.js'
import { loadPackages } from '../../base/packages.js'
import { checkNames, columnsNamed } from './columns.js'
import { CopyReader } from './postgresCopy.js'
import type { SourceBatch, SourceColumn, SourceType, TableReader } from './source.js'
import { identifier, onlyTable, tableOf } from './sql.js'

const URL_START = /^postgres(ql)?:\/\//i

/** Whether a source is a database of PostgreSQL. */
export function isPostgres(source: string): boolean {
  return URL_START.test(source)
}

type Packages = [typeof import('pg'), typeof import('pg-copy-streams')]

/** Nothing is changed, and the same query gives the same order if it can. */
const SESSION = `SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
  SET synchronize_seqscans TO off;
  SET max_parallel_workers_per_gather TO 0;
  SET client_encoding TO 'UTF8'`
/** In milliseconds. */
const PATIENCE = 10_000

interface Column extends SourceColumn {
  /** In SQL: float8, a boolean or text. */
  readonly expression: string
}

/**
 * Asks a database what the rows of a query are.
 * @param url `postgres://user:password@host:port/database`; what it lacks is taken from the environment, as by psql
 * @param query SQL, or the name of a table; by default the only table
 * @param given what errors call it; by default the URL without its password
 * @throws MissingPackageError without the packages pg and pg-copy-streams
 * @throws DataError where the database cannot be reached, or does not understand the query
 */
export async function openPostgres(
  url: string,
  query: string | undefined,
  given?: string,
): Promise<TableReader> {
  const [{ default: pg }, { to }] = await loadPackages<Packages>('table', 'pg', 'pg-copy-streams')
  const name = given ?? url.replace(/^(\w+:\/\/)[^/?]*@/, '$1').replace(/\?.*$/, '')
  const connect = () => connectTo(pg, url, name)
  const connection = await connect()
  try {
    const table = query === undefined ? await tableIn(connection, name) : tableOf(query)
    const columns = await columnsOf(connection, table)
    checkNames(name, columns)
    return new PostgresReader(name, columns, table, connect, to)
  } catch (error) {
    throw sqlError(error, name)
  } finally {
    connection.close()
  }
}

/** A client, and how it is closed at once, whatever the server is sending. */
interface Connection {
  readonly client: Client
  close(): void
}

/** @throws DataError where there is no answer */
async function connectTo(
  { Client }: Packages[0]['default'],
  url: string,
  name: string,
): Promise<Connection> {
  const socket = new Socket()
  try {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: PATIENCE,
      stream: () => socket,
    })
    // What is being read hears of it as well; a client without a listener would end the process.
    client.on('error', () => {})
    await client.connect()
    await client.query(SESSION)
    return { client, close: () => socket.destroy() }
  } catch (error) {
    socket.destroy()
    throw new DataError(
      `${name}: expected a database of PostgreSQL that answers, got "${messageOf(error)}"`,
      { cause: error },
    )
  }
}

/** The rows of a statement, as text. */
async function rowsOf({ client }: Connection, text: string, values?: unknown[]) {
  const { rows } = await client.query({ text, values, rowMode: 'array' })
  return rows.map((row: unknown[]) => row.map(String))
}

async function tableIn(connection: Connection, name: string): Promise<string> {
  const tables = await rowsOf(
    connection,
    `SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  )
  const names = tables.map(([table]) => table)
  return onlyTable(name, names)
}

/** The columns of a query, by the description that the server gives of it. */
async function columnsOf(connection: Connection, table: string): Promise<Column[]> {
  const { fields } = await connection.client.query(`SELECT * FROM ${table} LIMIT 0`)
  const types = await rowsOf(
    connection,
    'SELECT oid, typname, typcategory FROM pg_type WHERE oid = ANY($1)',
    [fields.map(({ dataTypeID }) => dataTypeID)],
  )
  const typeOf = new Map(types.map(([oid, ...type]) => [Number(oid), type]))
  return fields.map(({ name, dataTypeID }) => {
    const [declared = 'unknown', category = ''] = typeOf.get(dataTypeID) ?? []
    return { name, declared, ...readingOf(identifier(name), declared, category) }
  })
}

/**
 * How a column is read.
 * @param declared its name in pg_type
 * @param category its `typcategory`: https://www.postgresql.org/docs/current/catalog-pg-type.html
 */
function readingOf(
  name: string,
  declared: string,
  category: string,
): { type: SourceType; expression: string } {
  const seconds = `extract(epoch FROM ${name})::float8`
  if (declared === 'money') return { type: 'number', expression: `${name}::numeric::float8` }
  // Also of this category are the names of what is in the database.
  if (category === 'N' && !/^reg/.test(declared)) {
    return { type: 'number', expression: `${name}::float8` }
  }
  if (category === 'B') return { type: 'boolean', expression: name }
  if (/^timetz$|^time$/.test(declared)) return { type: 'date', expression: `${seconds} * 1000` }
  if (category === 'D') {
    return { type: 'date', expression: `CASE WHEN isfinite(${name}) THEN ${seconds} * 1000 END` }
  }
  if (category === 'T') return { type: 'number', expression: seconds }
  if ('SE'.includes(category || '?') || declared === 'uuid') {
    return { type: 'text', expression: `${name}::text` }
  }
  return { type: 'other', expression: name }
}

class PostgresReader implements TableReader {
  readonly isNamed = true
  readonly isRepeatable = true
  readonly #open = new Set<Connection>()

  constructor(
    readonly name: string,
    readonly columns: readonly Column[],
    readonly table: string,
    readonly connect: () => Promise<Connection>,
    readonly copyTo: Packages[1]['to'],
  ) {}

  batches(names?: readonly string[]): AsyncIterable<SourceBatch> {
    return this.#read(columnsNamed(this.name, this.columns, names))
  }

  async *#read(columns: readonly Column[]): AsyncGenerator<SourceBatch> {
    const reader = new CopyReader(
      this.name,
      columns.map(({ type }) => type),
    )
    const expressions = columns.map(({ expression }) => expression).join(', ')
    const connection = await this.connect()
    this.#open.add(connection)
    try {
      const copy = `COPY (SELECT ${expressions} FROM ${this.table}) TO STDOUT (FORMAT binary)`
      for await (const piece of connection.client.query(this.copyTo(copy)))
        yield* reader.read(piece)
      yield* reader.end()
    } catch (error) {
      throw reader.rows === 0
        ? sqlError(error, this.name)
        : lostError(error, this.name, reader.rows)
    } finally {
      this.#open.delete(connection)
      connection.close()
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#open) connection.close()
  }
}

/** Of several addresses that were tried, or of one. */
function messageOf(error: unknown): string {
  const { message, errors } = error as AggregateError
  return message || (errors ?? []).map((one: Error) => one.message).join(', ')
}

function sqlError(error: unknown, name: string): unknown {
  if (error instanceof NeuroblasError) return error
  return new DataError(
    `${name}: expected a query that PostgreSQL can answer, got "${messageOf(error)}"`,
    { cause: error },
  )
}

function lostError(error: unknown, name: string, rows: number): unknown {
  if (error instanceof NeuroblasError) return error
  return new DataError(
    `${name}: expected all rows of the query, got "${messageOf(error)}" after row ${rows}`,
    { cause: error },
  )
}
