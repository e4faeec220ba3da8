/** A table that is read and understood: what its columns are, which rows are used. Encodes parts of it. */
import { basename } from 'node:path'
import { ArgumentError, excerpt } from '../../base/errors.js'
import { inParts, type Pausable, pausably } from '../../base/eventLoop.js'
import type { Dataset } from '../dataset.js'
import type { Task } from '../datasetSource.js'
import type { ByteSource } from '../formats/text.js'
import { isIterable, openIterable } from '../sources/iterable.js'
import { readerOf } from '../sources/openSource.js'
import { isReader, type SourceOptions, type TableReader } from '../sources/source.js'
import { checkFormat } from './cells.js'
import { type Column, MISSING } from './column.js'
import { type ColumnDescription, describeColumns } from './describe.js'
import { encodeFeatures, encodeLabels, encodeValues, type Unseen } from './encodeRows.js'
import { inputsOf, isHashBits, type TableEncoding } from './encoding.js'
import { type EncodingOptions, fitEncoding } from './fitEncoding.js'
import {
  type Frame,
  frameOfRows,
  MAX_CATEGORIES,
  readFrame,
  type TableCell,
  type TableRecord,
  type TableRows,
} from './frame.js'
import { type MissingPolicy, missingPolicies, usableRows } from './missing.js'
import { type ReaderExpected, readTable } from './readerFrame.js'
import {
  type ColumnReference,
  classesOf,
  columnAt,
  POSITION,
  type Roles,
  rolesOf,
} from './roles.js'
import { type Parts, splitOf, splitTable, type TableSplit } from './splitTable.js'

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

/** Different texts of a target that become classes. */
const MAX_CLASSES = 65536
/** Text has 2^8 inputs where nothing is said. */
const HASH_BITS = 8

export class OpenTable {
  private constructor(
    /** What reports call it. */
    readonly name: string,
    readonly frame: Frame,
    readonly roles: Roles,
    /** Rows of the frame that are used. */
    readonly rows: Int32Array,
    /** What is to be said of the others. */
    readonly notes: readonly string[],
    readonly split: TableSplit,
    readonly options: TableOptions,
    /** The names of the classes; none in a regression. */
    readonly classes: readonly string[],
    readonly description: readonly ColumnDescription[],
  ) {}

  /** @throws DataError, ArgumentError as `table` */
  static async open(source: TableSource, options: TableOptions): Promise<OpenTable> {
    const { missing = 'refuse', stratify, groupBy, time } = options
    checkOptions(options)
    const frame = await frameOf(source, options, limitsOf(options))
    const roles = rolesOf(frame, options)
    const nameOf = (reference: ColumnReference | undefined, option: string) =>
      reference === undefined ? undefined : columnAt(frame, reference, option).name
    const by = { stratify, groupBy: nameOf(groupBy, 'groupBy'), time: nameOf(time, 'time') }
    const split = splitOf(by, roles.task === 'classify')
    const needed = roles.features.filter((column) => !roles.text.has(column))
    const { rows, notes } = await inParts(usableRows(frame, needed, roles.target, missing))
    const classes = roles.task === 'regress' ? [] : await inParts(classesIn(roles.target, rows))
    const description = await inParts(describeColumns(frame, roles))
    const name = options.name ?? basename(frame.name)
    return new OpenTable(name, frame, roles, rows, notes, split, options, classes, description)
  }

  /**
   * Parts rows of the frame.
   * @throws ArgumentError, DataError as `splitTable`
   */
  async parts(rows: Int32Array, testFraction: number, seed: number): Promise<Parts> {
    return partsOf(this.frame, this.roles.target, this.split, rows, testFraction, seed)
  }

  /** @param rows of the frame, of the training part */
  fit(rows: Int32Array): Promise<TableEncoding> {
    return inParts(fitEncoding(this.frame, this.roles, rows, encodingOptionsOf(this.options)))
  }

  /** @param rows of the frame */
  encode(rows: Int32Array, encoding: TableEncoding): Promise<EncodedRows> {
    const { name, frame, classes, roles } = this
    return encodeRows({ name, frame, classes, encoding, ...roles, rows })
  }
}

/** How an encoding is to be fitted. */
export function encodingOptionsOf(options: TableOptions): EncodingOptions {
  const { missingValues, decimal, thousands } = options
  const format = {
    ...(missingValues && { missingValues }),
    ...(decimal && { decimal }),
    ...(thousands && { thousands }),
  }
  const { missing = 'refuse', addIndicator = false } = options
  const { embedAbove = Infinity, hashBits = HASH_BITS } = options
  return { missing, addIndicator, format, embedAbove, hashBits }
}

/** How many different texts of a column are kept, by its name, position, and the number of columns. */
type TextLimit = (name: string, position: number, width: number) => number

export function limitsOf({ target, text = [], groupBy }: TableOptions): TextLimit {
  return (name: string, position: number, width: number) => {
    const isOneOf = (references: readonly (ColumnReference | undefined)[]) =>
      references.some(
        (reference) =>
          name === reference || [position, position - width].includes(Number(reference)),
      )
    if (isOneOf([...text, groupBy])) return Infinity
    return isOneOf([target]) ? MAX_CLASSES : MAX_CATEGORIES
  }
}

/**
 * Parts rows of a table, each part as rows of the frame.
 * @throws ArgumentError, DataError as `splitTable`
 */
export async function partsOf(
  frame: Frame,
  target: Column,
  split: TableSplit,
  rows: Int32Array,
  testFraction: number,
  seed: number,
): Promise<Parts> {
  const column = split.column === undefined ? target : columnAt(frame, split.column, 'the split')
  const work = splitTable(split, column, rows, testFraction, seed, frame.name)
  const { train, test } = await inParts(work)
  return { train: train.map((i) => rows[i]), test: test.map((i) => rows[i]) }
}

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

/** Of the rows that are used. */
function* classesIn(target: Column, rows: Int32Array): Pausable<string[]> {
  const { texts = [] } = target
  const isUsed = new Uint8Array(texts.length)
  yield* pausably(rows.length, (i) => {
    const code = target.codeAt(rows[i])
    if (code !== MISSING) isUsed[code] = 1
  })
  return classesOf(
    target,
    texts.filter((_, code) => isUsed[code]),
  )
}

/**
 * What is read of a source: what is asked for, or all that is not ignored.
 * @throws ArgumentError for a column that is not there
 */
export function expectedOf(
  reader: TableReader,
  options: Partial<TableOptions>,
  limit: TextLimit,
): ReaderExpected {
  const { target, features, ignore = [], text = [], groupBy, time } = options
  const { columns } = reader
  const at = (references: readonly (ColumnReference | undefined)[], option: string) =>
    references.flatMap((reference) =>
      reference === undefined ? [] : columnAt(reader, reference, option).name,
    )
  const ignored = at(ignore, 'ignore')
  const used = [
    ...at([target], 'target'),
    ...at(features ?? [], 'features'),
    ...at(text, 'text'),
    ...at([groupBy], 'groupBy'),
    ...at([time], 'time'),
  ]
  const names = columns
    .map(({ name }) => name)
    .filter((name) => used.includes(name) || !(features || ignored.includes(name)))
  return {
    names,
    // Numbers need no texts, unless they are classes.
    limit: ({ name, type }, position) => {
      const kept = limit(name, position, columns.length)
      return kept === MAX_CATEGORIES && (type === 'number' || type === 'date') ? 0 : kept
    },
  }
}

async function frameOf(
  source: TableSource,
  options: Partial<TableOptions>,
  limit: TextLimit,
): Promise<Frame> {
  const reader = await readerOf(source, options)
  if (reader) {
    const { onRows } = options
    return readTable(reader, { ...expectedOf(reader, options, limit), onRows })
  }
  const { name = 'table', target, features = [], ignore = [], text = [], groupBy, time } = options
  const references = [target, ...features, ...ignore, ...text, groupBy, time]
  const names = references
    .filter((reference) => reference !== undefined && !POSITION.test(String(reference)))
    .map(String)
  if (typeof source === 'string') return readFrame(source, source, options, { names, limit })
  if (Array.isArray(source)) {
    if (source.length === 0) throw new ArgumentError('table: expected records, got none')
    const keys = Object.keys(source[0] ?? {})
    return frameOfRows(source, keys, name, options, limit)
  }
  if (!isIterable(source)) {
    throw new ArgumentError(
      `table: expected a path, SQL, an iterable of bytes or of rows, or records, got ${excerpt(source)}`,
    )
  }
  const opened = await openIterable(source, name, options)
  return isReader(opened)
    ? readTable(opened, expectedOf(opened, options, limit))
    : readFrame(opened, name, options, { names, limit })
}

/**
 * What the columns of a table are; with a target, also what they are used for.
 * @throws DataError, ArgumentError as `table`
 */
export async function describeTable(
  source: TableSource,
  options: Partial<TableOptions>,
): Promise<{ name: string; rows: number; columns: readonly ColumnDescription[] }> {
  const { target, name } = options
  if (target !== undefined) {
    const opened = await OpenTable.open(source, { missing: 'impute', ...options, target })
    return { name: opened.name, rows: opened.frame.rows, columns: opened.description }
  }
  checkFormat('table', options)
  const frame = await frameOf(source, options, () => MAX_CATEGORIES)
  const columns = await inParts(describeColumns(frame))
  return { name: name ?? basename(frame.name), rows: frame.rows, columns }
}

export interface EncodedRows {
  readonly data: Dataset
  /** What the columns had that training had not. */
  readonly unseen: readonly Unseen[]
}

/** A data set of some rows of a table, made piece by piece, so that the event loop goes on meanwhile. */
export async function encodeRows(from: {
  readonly name: string
  readonly frame: Frame
  readonly features: readonly Column[]
  readonly target: Column
  readonly classes: readonly string[]
  readonly encoding: TableEncoding
  readonly rows: Int32Array
}): Promise<EncodedRows> {
  const { name, frame, features, target, classes, encoding, rows } = from
  const { inputs, unseen } = await inParts(encodeFeatures(encoding, features, rows, frame.name))
  const isRegression = 'mean' in encoding.target
  const data: Dataset = {
    name,
    size: rows.length,
    inputs,
    inputShape: [inputsOf(encoding)],
    scale: 1,
    targets: await inParts<Int32Array | Float32Array>(
      'mean' in encoding.target
        ? encodeValues(target, encoding.target, rows, frame.name)
        : encodeLabels(target, classes, rows, frame.name),
    ),
    targetShape: isRegression ? [1] : [],
    classes,
  }
  return { data, unseen }
}

/** What is said of categories that training had not. */
export function unseenNotes(name: string, unseen: readonly Unseen[]): string[] {
  return unseen.map(
    ({ column, count, example }) =>
      `${name}: column ${column} has ${count} cell${count > 1 ? 's' : ''} with categories that training had not, such as ${JSON.stringify(example)}`,
  )
}
