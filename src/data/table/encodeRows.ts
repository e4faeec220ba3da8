/** Applies the encoding of a table to rows: what goes into a network, and what it is to answer. */

import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { type Pausable, pausably } from '../../base/eventLoop.js'
import { quote } from '../../base/text.js'
import { type Column, type Found, MISSING, placeOf } from './column.js'
import { partOf } from './dates.js'
import {
  type CategoryEncoding,
  type DateEncoding,
  type FeatureEncoding,
  inputsOf,
  type NumberEncoding,
  ownWidthOf,
  type TableEncoding,
  type TextEncoding,
  type ValueEncoding,
  widthOf,
} from './encoding.js'
import { IN_BLOCKS } from './frame.js'
import { hashText } from './hashedText.js'
import { className } from './roles.js'

/** A column with categories that training had not. */
export interface Unseen {
  readonly column: string
  /** Cells, and the first of them. */
  readonly count: number
  readonly example: string
}

/** Inputs row by row, and what the columns had that the encoding has not. */
export interface Encoded {
  /** [rows, inputs] */
  readonly inputs: Float32Array
  readonly unseen: readonly Unseen[]
}

/** What encoding asks of a column. */
export type Cells = Pick<
  Column,
  | ('name' | 'limit' | 'texts' | 'isDate' | 'firstText' | 'firstInfinite' | 'firstUndated')
  | ('numberAt' | 'codeAt' | 'isMissing' | 'unit')
>

/** Rows of a column to be encoded, and where its inputs go. */
interface Work {
  /** What errors call the table. */
  readonly table: string
  readonly column: Cells
  readonly rows: ArrayLike<number>
  /** @param position among the inputs of the feature */
  readonly put: (row: number, position: number, value: number) => void
}

/**
 * @param columns those of the encoding's features, in their order
 * @param name what errors call the table
 * @throws DataError for text in a column of numbers, OutOfMemoryError when there is no memory for them
 */
export function* encodeFeatures(
  encoding: TableEncoding,
  columns: readonly Column[],
  rows: ArrayLike<number>,
  name: string,
): Pausable<Encoded> {
  const width = inputsOf(encoding)
  requireMemory(name, `${rows.length} rows of ${width} inputs`, 4 * rows.length * width, IN_BLOCKS)
  const inputs = new Float32Array(rows.length * width)
  const unseen: Unseen[] = []
  let start = 0
  for (const [i, feature] of encoding.features.entries()) {
    const [column, begin] = [columns[i], start]
    const put = (row: number, position: number, value: number) => {
      inputs[row * width + begin + position] = value
    }
    const found = yield* encodeFeature(feature, { table: name, column, rows, put })
    if (found) unseen.push(found)
    start += widthOf(feature)
  }
  return { inputs, unseen }
}

/** The inputs of one feature, which are 0 before. */
export function* encodeFeature(feature: FeatureEncoding, work: Work): Pausable<Unseen | undefined> {
  if (feature.indicator) {
    const { column, rows, put } = work
    const last = ownWidthOf(feature)
    yield* pausably(rows.length, (row) => put(row, last, column.isMissing(rows[row]) ? 1 : 0))
  }
  if (feature.type === 'category') return yield* encodeCategories(feature, work)
  if (feature.type === 'number') yield* encodeNumbers(feature, work)
  else if (feature.type === 'date') yield* encodeDates(feature, work)
  else yield* encodeTexts(feature, work)
}

/** The mean stands for a missing value. */
function* encodeNumbers({ mean, scale }: NumberEncoding, work: Work): Pausable<void> {
  const { column, rows, table, put } = work
  checkNumbers(column, table)
  yield* pausably(rows.length, (row) => {
    const value = column.numberAt(rows[row])
    put(row, 0, Number.isNaN(value) ? 0 : (value - mean) * scale)
  })
}

function* encodeDates({ parts, mean, scale }: DateEncoding, work: Work): Pausable<void> {
  const { column, rows, table, put } = work
  checkCells(column, table, 'dates', column.isDate ? undefined : column.firstUndated)
  yield* pausably(rows.length, (row) => {
    const time = column.numberAt(rows[row])
    if (Number.isNaN(time)) return
    let position = 0
    for (const part of parts) {
      const value = partOf(time, part)
      if (part === 'year') put(row, position++, (value - mean) * scale)
      else {
        put(row, position++, Math.sin(2 * Math.PI * value))
        put(row, position++, Math.cos(2 * Math.PI * value))
      }
    }
  })
}

function* encodeTexts({ bits }: TextEncoding, { column, rows, put }: Work): Pausable<void> {
  const { texts = [] } = column
  const hashed: Map<number, number>[] = []
  yield* pausably(rows.length, (row) => {
    const code = column.codeAt(rows[row])
    if (code === MISSING) return
    hashed[code] ??= hashText(texts[code], bits)
    for (const [position, value] of hashed[code]) put(row, position, value)
  })
}

function* encodeCategories(
  { categories, mostFrequent, embedded }: CategoryEncoding,
  { column, rows, table, put }: Work,
): Pausable<Unseen | undefined> {
  const { texts, name, limit } = column
  if (texts === undefined) {
    throw new DataError(
      `${table}: expected at most ${limit} categories in column ${name}, got more`,
    )
  }
  const positions = positionsOf(categories)
  const positionOf = texts.map(positions)
  const filled = mostFrequent === undefined ? undefined : positions(mostFrequent)
  let [count, example] = [0, '']
  yield* pausably(rows.length, (row) => {
    const code = column.codeAt(rows[row])
    const position = code === MISSING ? filled : positionOf[code]
    if (position === undefined) {
      if (code !== MISSING && count++ === 0) example = texts[code]
    } else if (embedded) put(row, 0, position + 1)
    else put(row, position, 1)
  })
  return count > 0 ? { column: name, count, example } : undefined
}

const BOOLEAN = /^(true|false)$/i

/** Finds the position of a text among others; True and true are one, for files and programs write both. */
function positionsOf(names: readonly string[]): (text: string) => number | undefined {
  const positions = new Map(names.map((name, i) => [name, i]))
  const booleans = new Map(
    names.flatMap((name, i) => (BOOLEAN.test(name) ? [[name.toLowerCase(), i]] : [])),
  )
  return (text) =>
    positions.get(text) ?? (BOOLEAN.test(text) ? booleans.get(text.toLowerCase()) : undefined)
}

/** @throws DataError for a column that is not of finite numbers */
function checkNumbers(column: Cells, table: string): void {
  checkCells(column, table, 'numbers', column.firstText ?? column.firstInfinite)
}

function checkCells(column: Cells, table: string, what: string, wrong?: Found): void {
  if (wrong === undefined) return
  throw new DataError(
    `${table}: expected ${what} in column ${column.name}, got ${quote(wrong.text)} ${placeOf(column, wrong)}`,
  )
}

/**
 * The class of each row, as its position among them.
 * @throws DataError for another class
 */
export function* encodeLabels(
  column: Column,
  classes: readonly string[],
  rows: ArrayLike<number>,
  table: string,
): Pausable<Int32Array> {
  const { name, texts = [] } = column
  const positions = positionsOf(classes)
  const labelOf = texts.map((text) => positions(text) ?? positions(className(column, text)))
  const labels = new Int32Array(rows.length)
  yield* pausably(rows.length, (row) => {
    const code = column.codeAt(rows[row])
    const label = code === MISSING ? undefined : labelOf[code]
    if (label === undefined) {
      const found = code === MISSING ? 'another value' : quote(texts[code])
      throw new DataError(
        `${table}: expected one of the classes ${classes.join(', ')} in column ${name}, got ${found}`,
      )
    }
    labels[row] = label
  })
  return labels
}

/**
 * Values to regress on, standardized; [rows, 1].
 * @throws DataError for a column that is not of finite numbers
 */
export function* encodeValues(
  column: Column,
  { mean, scale }: ValueEncoding,
  rows: ArrayLike<number>,
  table: string,
): Pausable<Float32Array> {
  checkNumbers(column, table)
  const values = new Float32Array(rows.length)
  yield* pausably(rows.length, (row) => {
    values[row] = (column.numberAt(rows[row]) - mean) * scale
  })
  return values
}
