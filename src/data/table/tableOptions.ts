/** What `table` is told: where a table comes from, what its columns are for; the checks of it. */
import { ArgumentError, excerpt } from '../../base/errors.js'
import type { Task } from '../datasetSource.js'
import type { ByteSource } from '../formats/text.js'
import type { SourceOptions } from '../sources/source.js'
import { checkFormat } from './cells.js'
import { isHashBits } from './encoding.js'
import type { TableCell, TableRecord, TableRows } from './frame.js'
import { type MissingPolicy, missingPolicies } from './missing.js'
import type { ColumnReference } from './roles.js'

/**
 * Where a table comes from:
 * - the path of a file of separated text (.csv, .tsv, .data, .txt, gzipped or not), or its bytes as a stream;
 * - a path, or a pattern of paths such as `events/*.parquet`, of Parquet, JSON, JSON lines or separated text; SQL
 *   (`select … from 'events/*.parquet'`); a database (.duckdb), with `query`: by `@duckdb/node-api`;
 * - `postgres://…` with `query`: by `pg` and `pg-copy-streams`;
 * - a file of NumPy's (.npy, .npz), or of Arrow's (.arrow, .feather): the latter by `apache-arrow`;
 * - records, or an iterable, also an async one, of rows (objects, or lists of cells) or of many rows at a time
 *   (lists of them, or objects with a list for each column).
 */
export type TableSource =
  | ByteSource
  | readonly TableRecord[]
  | AsyncIterable<TableChunk>
  | Iterable<TableChunk>

/** A row of a table, or many of them. */
export type TableChunk =
  | TableRows[number]
  | TableRows
  | Readonly<Record<string, ArrayLike<TableCell>>>

/** What `table` is told of a table. */
export interface TableOptions extends SourceOptions {
  /** The column to predict: its name, or its position from 0 on; a negative one from the end. */
  readonly target: ColumnReference
  /**
   * To tell classes apart, or to predict a number. Text makes classes, and so do up to 20 different
   * whole numbers; of other numbers it must be said.
   */
  readonly task?: Task
  /** The columns to predict from; by default all others that can be used. */
  readonly features?: readonly ColumnReference[]
  /** Columns that are left out. */
  readonly ignore?: readonly ColumnReference[]
  /** What is done where values are missing; the table is refused by default. */
  readonly missing?: MissingPolicy
  /**
   * Beside `missing: 'impute'`: whether a column that misses values in the training rows gets one more input,
   * which is 1 where the value is missing, as by scikit-learn's `SimpleImputer(add_indicator=True)`; false by
   * default.
   */
  readonly addIndicator?: boolean
  /** Columns of text whose words are hashed into inputs; without it, free text is left out. */
  readonly text?: readonly ColumnReference[]
  /** A column of text has 2^hashBits inputs, from 1 to 20; 8 by default. */
  readonly hashBits?: number
  /**
   * A column with more categories than these gives one index, to be embedded by a network of `tableNetwork`;
   * by default all become columns of 0 and 1, which any network can be given.
   */
  readonly embedAbove?: number
  /** Whether each class has its share in the test part; false by default. Values have no classes. */
  readonly stratify?: boolean
  /** A column of groups, such as patients: each is in one part as a whole. By itself it is no feature. */
  readonly groupBy?: ColumnReference
  /** A column of numbers or dates: the latest rows are the test part. Of numbers, it is no feature by itself. */
  readonly time?: ColumnReference
  /** Share of the rows that become the test part; 0.2 by default. */
  readonly testFraction?: number
  /** Draws the test part; from 0 to 2^53 - 1, 0 by default. */
  readonly seed?: number
}

/** Text has 2^8 inputs where nothing is said. */
export const HASH_BITS = 8

/** @throws ArgumentError for an option of another type */
export function checkOptions(options: TableOptions): void {
  const { target, missing, features, ignore, text, groupBy, time, header, name } = options
  const { hashBits = HASH_BITS, embedAbove = Infinity } = options
  const { stratify = false, addIndicator = false } = options
  checkFormat('table', options)
  const expect = (ok: boolean, what: string, value: unknown) => {
    if (!ok) throw new ArgumentError(`table: expected ${what}, got ${excerpt(value)}`)
  }
  const isColumn = (value: unknown) => typeof value === 'string' || Number.isInteger(value)
  const isColumns = (value: unknown) =>
    value === undefined || (Array.isArray(value) && value.every(isColumn))
  expect(isColumn(target), 'target as the name or the position of a column', target)
  expect(isColumns(features), 'features as a list of columns', features)
  expect(isColumns(ignore), 'ignore as a list of columns', ignore)
  expect(isColumns(text), 'text as a list of columns', text)
  const isColumnOrNone = (value: unknown) => value === undefined || isColumn(value)
  expect(isColumnOrNone(groupBy), 'groupBy as the name or the position of a column', groupBy)
  expect(isColumnOrNone(time), 'time as the name or the position of a column', time)
  expect(isHashBits(hashBits), 'hashBits from 1 to 20', hashBits)
  const isCount = Number.isInteger(embedAbove) || embedAbove === Infinity
  expect(isCount && embedAbove >= 0, 'embedAbove as a number of categories', embedAbove)
  expect(typeof addIndicator === 'boolean', 'addIndicator true or false', addIndicator)
  expect(!addIndicator || missing === 'impute', "addIndicator beside missing: 'impute'", missing)
  expect(typeof stratify === 'boolean', 'stratify true or false', stratify)
  const policies = `missing ${missingPolicies.join(', ')}`
  expect(missing === undefined || missingPolicies.includes(missing), policies, missing)
  expect(header === undefined || typeof header === 'boolean', 'header true or false', header)
  expect(name === undefined || typeof name === 'string', 'name as a text', name)
}
