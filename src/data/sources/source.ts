/**
 * What a table is read from, whatever holds it: its columns with their types, and their values in batches
 * of typed arrays.
 */
import type { NumberArray } from '../../base/typedArrays.js'
import type { Reading } from '../table/frame.js'

/** What the values of a column are; `other` can not be read (lists, bytes). */
export type SourceType = 'number' | 'boolean' | 'text' | 'date' | 'other'

/** A column of a source. */
export interface SourceColumn {
  /** Different from those of the other columns. */
  readonly name: string
  /** What its values are. */
  readonly type: SourceType
  /** What the source itself calls its type, for messages. */
  readonly declared: string
}

/** Values of a column of text: `texts[codes[row]]`; the code -1 stands for no value. */
export interface TextValues {
  /** Different from each other. Batches may share one list, which only grows then. */
  readonly texts: readonly string[]
  /** One for each row. */
  readonly codes: Int32Array
}

/**
 * Some values of a column. Numbers are themselves, booleans 0 or 1, dates milliseconds since 1970 in UTC (a
 * time of day since midnight); NaN stands for no value.
 */
export type SourceValues = NumberArray | TextValues

/** Some rows of a table, column by column. */
export interface SourceBatch {
  /** At least 1. */
  readonly rows: number
  /** In the order in which they were asked for; they are the caller's to keep, unless only borrowed. */
  readonly columns: readonly SourceValues[]
}

/** A table that can be read. */
export interface TableReader {
  /** What errors and reports call it. */
  readonly name: string
  /** All that there are, in their order. */
  readonly columns: readonly SourceColumn[]
  /** Whether the columns have names of their own, not only their positions. */
  readonly isNamed: boolean
  /** Whether `batches` may be called again, and gives the same rows in the same order. */
  readonly isRepeatable: boolean
  /** The number of rows, where the source knows it. */
  readonly rows?: number
  /**
   * Reads the table from its first row on, in the source's order; leaving the loop stops the reading.
   * @param names the columns to read; all by default
   * @param isBorrowed whether values need to hold until the next batch is asked for alone
   * @throws DataError where it cannot be read, or a column can not
   */
  batches(names?: readonly string[], isBorrowed?: boolean): AsyncIterable<SourceBatch>
  /** Frees what the source holds: connections, files. */
  close(): Promise<void>
}

/** Whether it is a table that can be read, no stream of bytes. */
export function isReader(source: TableReader | AsyncIterable<Uint8Array>): source is TableReader {
  return 'batches' in source
}

/** Whether these are values of a column of text. */
export function isTexts(values: SourceValues): values is TextValues {
  return !ArrayBuffer.isView(values)
}

/**
 * Settings of DuckDB by its own names (https://duckdb.org/docs/stable/configuration/overview), such as
 * `threads` (as many as the machine has by default), `memory_limit` (`'400MB'`; a quarter of what is
 * available) and `temp_directory`, a folder for what is larger.
 */
export type DuckDBSettings = Readonly<Record<string, string | number | boolean>>

/** How a source that is no records is read. */
export interface SourceOptions extends Reading {
  /**
   * SQL, or the name of a table of a database. Over a file, or files, these are the table `data`:
   * `select * from data where year > 2020`.
   */
  readonly query?: string
  /** Settings of DuckDB, where it does the reading. */
  readonly duckdb?: DuckDBSettings
  /** What reports and errors call the table; by default the name of the file. */
  readonly name?: string
}
