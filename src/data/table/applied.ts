/** Rows that come later, read by the encoding that a model was trained with. */

import { ArgumentError, DataError, excerpt } from '../../base/errors.js'
import { atOnce } from '../../base/eventLoop.js'
import { quote } from '../../base/text.js'
import { openIterable } from '../sources/iterable.js'
import { readerOf } from '../sources/openSource.js'
import { isReader, type SourceOptions, type TableReader } from '../sources/source.js'
import type { CellFormat } from './cells.js'
import type { Column } from './column.js'
import { type Encoded, encodeFeatures } from './encodeRows.js'
import type { TableEncoding } from './encoding.js'
import { type Frame, frameOfRows, MAX_CATEGORIES, readFrames, type TableRows } from './frame.js'
import { usableRows } from './missing.js'
import { type ReaderExpected, tableFrames } from './readerFrame.js'
import type { TableSource } from './tableOptions.js'

/** The columns of a table that an encoding wants. */
export interface Applied {
  readonly frame: Frame
  readonly features: readonly Column[]
  /** Missing where the table has no such column. */
  readonly target?: Column
}

/** How a table is read beside what its encoding says. */
export type AppliedReading = Omit<SourceOptions, keyof CellFormat | 'header' | 'name'>

/**
 * Reads a table whole and finds the columns by their names, in any order; by their positions where the
 * table that was trained on had no names, or this one has none.
 * @param whole columns of which all different texts are wanted
 * @throws DataError as `table`, and where a column is missing
 */
export async function readApplied(
  source: TableSource,
  name: string,
  encoding: TableEncoding,
  reading?: AppliedReading,
  whole?: readonly string[],
): Promise<Applied> {
  const { value } = await appliedPieces(source, name, encoding, reading, whole, Infinity).next()
  return value as Applied
}

/** Rows of a piece: enough that little is lost at its ends. */
const PIECE = 2 ** 14

/**
 * The same piece by piece, for tables that need not fit into memory.
 * @param size rows of a piece, at least, but for the last one
 * @throws DataError as `readApplied`
 */
export async function* appliedPieces(
  source: TableSource,
  name: string,
  encoding: TableEncoding,
  reading: AppliedReading = {},
  whole: readonly string[] = [],
  size = PIECE,
): AsyncGenerator<Applied> {
  const frames = await framesOf(source, name, encoding, reading, whole, size)
  for await (const frame of frames) {
    yield isByName(frame, encoding) ? byName(frame, encoding) : byPosition(frame, encoding)
  }
}

async function framesOf(
  source: TableSource,
  name: string,
  encoding: TableEncoding,
  reading: AppliedReading,
  whole: readonly string[],
  size: number,
): Promise<AsyncGenerator<Frame>> {
  const format = { ...encoding.format, ...reading }
  const opened =
    typeof source === 'string'
      ? ((await readerOf(source, { ...format, name })) ?? source)
      : await openIterable(source, name, format)
  if (typeof opened !== 'string' && isReader(opened)) {
    const { onRows } = reading
    return tableFrames(opened, { ...expectedOf(opened, encoding, whole), onRows }, size)
  }
  const names = encoding.isNamed ? encoding.features.map((feature) => feature.name) : []
  const limit = limitsOf(encoding)
  const expected = {
    names,
    limit: (column: string) => (whole.includes(column) ? Infinity : limit(column)),
  }
  return readFrames(opened, name, format, expected, size)
}

/** Whether columns are found by their names: some have names that training knew. */
function isByName(
  { columns }: { readonly columns: readonly { readonly name: string }[] },
  { isNamed, features }: TableEncoding,
): boolean {
  return isNamed && columns.some(({ name }) => features.some((feature) => feature.name === name))
}

/** What is read of a source: where columns are known by their names, those that are needed. */
function expectedOf(
  reader: TableReader,
  encoding: TableEncoding,
  whole: readonly string[],
): ReaderExpected {
  const { features, target, format } = encoding
  const needed = new Set([...features.map(({ name }) => name), target.name, ...whole])
  const named = reader.columns.map(({ name }) => name)
  const isNumber = (name: string) => features.find((f) => f.name === name)?.type === 'number'
  const limit = limitsOf(encoding)
  return {
    names: isByName(reader, encoding) ? named.filter((name) => needed.has(name)) : named,
    limit: ({ name }) => (whole.includes(name) ? Infinity : isNumber(name) ? 0 : limit(name)),
    isParsed: (name) => isNumber(name) || (name === target.name && 'mean' in target),
    format,
  }
}

/**
 * All words of text are wanted; where the columns of a table have no names, nobody knows yet which are text.
 */
function limitsOf({ isNamed, features }: TableEncoding): (name: string) => number {
  const others = features.filter((feature) => feature.type !== 'text')
  const limited = new Set(isNamed ? others.map((feature) => feature.name) : [])
  const hasText = others.length < features.length
  return (name) => (hasText && !limited.has(name) ? Infinity : MAX_CATEGORIES)
}

function byName(frame: Frame, { features, target }: TableEncoding): Applied {
  const columnOf = new Map(frame.columns.map((column) => [column.name, column]))
  const absent = features.filter(({ name }) => !columnOf.has(name)).map(({ name }) => quote(name))
  if (absent.length > 0) {
    const names = frame.columns.map((column) => quote(column.name))
    throw new DataError(
      `${frame.name}: expected a column ${absent.slice(0, 8).join(' and ')} as in training, got ${names.slice(0, 20).join(', ')}`,
    )
  }
  return {
    frame,
    features: features.map(({ name }) => columnOf.get(name) as Column),
    target: columnOf.get(target.name),
  }
}

function byPosition(frame: Frame, { columns, features, target }: TableEncoding): Applied {
  const found = frame.columns.length
  const at = columns.indexOf(target.name)
  if (found === columns.length || found === columns.length - 1) {
    const rest = found === columns.length ? columns : columns.filter((_, i) => i !== at)
    const columnOf = (name: string) => frame.columns[rest.indexOf(name)]
    return {
      frame,
      features: features.map(({ name }) => columnOf(name)),
      target: found === columns.length ? columnOf(target.name) : undefined,
    }
  }
  if (found === features.length) return { frame, features: frame.columns }
  throw new DataError(
    `${frame.name}: expected ${features.length} columns, the features, or ${columns.length}, as in training, got ${found}`,
  )
}

/** The features that must have a value: text without words is text, too. */
export function neededOf(encoding: TableEncoding, features: readonly Column[]): Column[] {
  return features.filter((_, i) => encoding.features[i].type !== 'text')
}

const ADVICE = 'a model that was trained with missing: impute fills them in'

/**
 * Inputs for all rows, in their order.
 * @throws DataError where a value is missing that training had no way to fill in
 */
export function encodeAll(
  { frame, features }: Pick<Applied, 'frame' | 'features'>,
  encoding: TableEncoding,
): Encoded {
  const policy = encoding.missing === 'impute' ? 'impute' : 'refuse'
  if (frame.rows === 0) throw new DataError(`${frame.name}: expected rows, got none`)
  const needed = neededOf(encoding, features)
  const { rows } = atOnce(usableRows(frame, needed, undefined, policy, ADVICE))
  return atOnce(encodeFeatures(encoding, features, rows, frame.name))
}

/**
 * Inputs for rows in memory.
 * @throws ArgumentError for what is no array of rows
 * @throws DataError for a row that lacks a column or a value, or whose value is none of its type
 */
export function encodeInMemory(op: string, rows: TableRows, encoding: TableEncoding): Encoded {
  if (!Array.isArray(rows)) {
    throw new ArgumentError(`${op}: expected rows of a table, got ${excerpt(rows)}`)
  }
  const names = encoding.features.map((feature) => feature.name)
  const frame = frameOfRows(rows, names, op, encoding.format, limitsOf(encoding))
  return encodeAll({ frame, features: frame.columns }, encoding)
}
