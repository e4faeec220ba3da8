/** A database opened through DuckDB's bindings, and statements run over it. */
import { existsSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import type { Connection, Database } from '@duckdb/node-bindings'
import { availableMemory } from '../../base/availableMemory.js'
import { ArgumentError } from '../../base/errors.js'
import { ownFile, requireFrom } from '../../base/packageFolder.js'
import { loadPackages } from '../../base/packages.js'
import { removeLeftOvers, temporaryIn } from '../../io/temporaries.js'
import { duckdbError } from './duckdbError.js'
import { type Bindings, readChunk, textReader, type VectorReader } from './duckdbVectors.js'
import type { DuckDBSettings, SourceBatch, TextValues } from './source.js'

/** Below it DuckDB can hardly read a file. */
const LEAST_MEMORY = 128 * 2 ** 20

export class DuckDBSession {
  readonly #connections = new Set<Connection>()
  #isClosed = false

  private constructor(
    /** What errors call what is read. */
    readonly name: string,
    readonly bindings: Bindings,
    readonly database: Database,
    /** A folder that DuckDB may make. */
    readonly temporary: string,
  ) {}

  /**
   * @param path of a database, which is not changed; without it one that is in memory
   * @throws MissingPackageError without the package @duckdb/node-api, DataError for what is no database
   */
  static async open(name: string, settings: DuckDBSettings, path?: string): Promise<DuckDBSession> {
    await loadPackages('table', '@duckdb/node-api')
    // A package of theirs, which need not lie where this one would find it.
    const theirs = requireFrom(requireFrom(ownFile()).resolve('@duckdb/node-api'))
    const bindings: Bindings = theirs('@duckdb/node-bindings')
    const folder = tmpdir()
    if (existsSync(folder)) removeLeftOvers(folder)
    const temporary = temporaryIn(folder)
    const config = bindings.create_config()
    const memory = Math.max(LEAST_MEMORY, Math.floor(availableMemory().available / 4))
    const all = {
      threads: availableParallelism(),
      memory_limit: `${memory}B`,
      temp_directory: temporary,
      ...settings,
      // Nothing is ever downloaded.
      autoinstall_known_extensions: false,
      autoload_known_extensions: false,
      ...(path !== undefined && { access_mode: 'READ_ONLY' }),
    }
    try {
      for (const [key, value] of Object.entries(all)) bindings.set_config(config, key, `${value}`)
      const database = await bindings.open(path ?? ':memory:', config)
      return new DuckDBSession(name, bindings, database, temporary)
    } catch (error) {
      throw duckdbError(error, name)
    }
  }

  /**
   * The rows of a statement as they come, in its order. Leaving the loop stops it.
   * @param readers of the columns' vectors
   * @throws DataError where DuckDB cannot run it
   */
  async *stream(sql: string, readers: readonly VectorReader[]): AsyncGenerator<SourceBatch> {
    const { bindings } = this
    if (this.#isClosed) {
      throw new ArgumentError(
        `${this.name}: expected a table that is open, got one that was closed`,
      )
    }
    const connection = await bindings.connect(this.database)
    this.#connections.add(connection)
    let isOpen = false
    let next: ReturnType<Bindings['fetch_chunk']> = Promise.resolve(null)
    try {
      const statement = await bindings.prepare(connection, sql)
      const result = await bindings.execute_prepared_streaming(statement)
      bindings.destroy_prepare_sync(statement)
      isOpen = true
      next = bindings.fetch_chunk(result)
      for (;;) {
        const chunk = await next
        // The last one has no rows, and no columns either.
        if (chunk === null || bindings.data_chunk_get_size(chunk) === 0) break
        // The next one is decoded on another thread while this one is used.
        next = bindings.fetch_chunk(result)
        next.catch(() => {})
        yield readChunk(bindings, chunk, readers)
        // Being asked for once more it stays until here, with what is borrowed from it.
        bindings.data_chunk_get_size(chunk)
      }
      isOpen = false
    } catch (error) {
      isOpen = false
      throw duckdbError(error, this.name)
    } finally {
      await next.catch(() => {})
      // Another statement ends one that was left, which would stay in memory until it is collected.
      if (isOpen) await bindings.query(connection, 'SELECT 1').catch(() => {})
      this.#disconnect(connection)
    }
  }

  /** Runs a statement that gives no rows. */
  async run(sql: string): Promise<void> {
    for await (const _ of this.stream(sql, [])) {
    }
  }

  /** All rows of a statement with so many columns of text. */
  async texts(sql: string, width: number): Promise<string[][]> {
    const readers = Array.from({ length: width }, () => textReader(this.bindings))
    const rows: string[][] = []
    for await (const batch of this.stream(sql, readers)) {
      const columns = batch.columns as TextValues[]
      for (let row = 0; row < batch.rows; row++) {
        rows.push(columns.map(({ texts, codes }) => texts[codes[row]]))
      }
    }
    return rows
  }

  /** Ends what is being read, and frees all. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#connections) {
      this.bindings.interrupt(connection)
      this.#disconnect(connection)
    }
    this.bindings.close_sync(this.database)
    rmSync(this.temporary, { recursive: true, force: true })
  }

  #disconnect(connection: Connection): void {
    if (this.#connections.delete(connection)) this.bindings.disconnect_sync(connection)
  }
}
