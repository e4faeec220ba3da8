/** A table that is read and understood: what its columns are, which rows are used. Encodes parts of it. */
import { basename } from 'node:path'
import { inParts, type Pausable, pausably } from '../../base/eventLoop.js'
import type { Dataset } from '../dataset.js'
import { checkFormat } from './cells.js'
import { type Column, MISSING } from './column.js'
import { type ColumnDescription, describeColumns } from './describe.js'
import { encodeFeatures, encodeLabels, encodeValues, type Unseen } from './encodeRows.js'
import { inputsOf, type TableEncoding } from './encoding.js'
import { type EncodingOptions, fitEncoding } from './fitEncoding.js'
import { type Frame, MAX_CATEGORIES } from './frame.js'
import { usableRows } from './missing.js'
import { frameOf, limitsOf } from './readSource.js'
import { type ColumnReference, classesOf, columnAt, type Roles, rolesOf } from './roles.js'
import { type Parts, splitOf, splitTable, type TableSplit } from './splitTable.js'
import { checkOptions, HASH_BITS, type TableOptions, type TableSource } from './tableOptions.js'

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
