/** Applies the encoding of a table to rows: what goes into a network, and what it is to answer. */

import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { type Pausable, pausably } from '../../base/eventLoop.js'
import { quote } from '../../base/text.js'
import { type Column, MISSING } from './column.js'
import {
  type CategoryEncoding,
  inputsOf,
  type NumberEncoding,
  type TableEncoding,
  type ValueEncoding,
  widthOf,
} from './encoding.js'
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
  requireMemory(name, `${rows.length} rows of ${width} inputs`, 4 * rows.length * width)
  const inputs = new Float32Array(rows.length * width)
  const unseen: Unseen[] = []
  let at = 0
  for (const [i, feature] of encoding.features.entries()) {
    const column = columns[i]
    if (feature.type === 'number') {
      checkNumbers(column, name)
      yield* pausably(rows.length, (row) => {
        inputs[row * width + at] = encodeNumber(feature, column.numberAt(rows[row]))
      })
    } else {
      const found = yield* encodeCategories(feature, column, rows, name, (row, position) => {
        inputs[row * width + at + position] = 1
      })
      if (found) unseen.push(found)
    }
    at += widthOf(feature)
  }
  return { inputs, unseen }
}

/** The mean stands for a missing value. */
function encodeNumber({ mean, scale }: NumberEncoding, value: number): number {
  return Number.isNaN(value) ? 0 : (value - mean) * scale
}

function* encodeCategories(
  { categories, mostFrequent }: CategoryEncoding,
  column: Column,
  rows: ArrayLike<number>,
  table: string,
  put: (row: number, position: number) => void,
): Pausable<Unseen | undefined> {
  const { texts, name, limit } = column
  if (texts === undefined) {
    throw new DataError(
      `${table}: expected at most ${limit} categories in column ${name}, got more`,
    )
  }
  const positions = new Map(categories.map((category, i) => [category, i]))
  const positionOf = texts.map((text) => positions.get(text))
  const filled = mostFrequent === undefined ? undefined : positions.get(mostFrequent)
  let [count, example] = [0, '']
  yield* pausably(rows.length, (row) => {
    const code = column.codeAt(rows[row])
    const position = code === MISSING ? filled : positionOf[code]
    if (position !== undefined) put(row, position)
    else if (code !== MISSING && count++ === 0) example = texts[code]
  })
  return count > 0 ? { column: name, count, example } : undefined
}

/** @throws DataError for a column that is not of finite numbers */
function checkNumbers({ name, firstText, firstInfinite }: Column, table: string): void {
  const wrong = firstText ?? firstInfinite
  if (wrong === undefined) return
  throw new DataError(
    `${table}: expected numbers in column ${name}, got ${quote(wrong.text)} on line ${wrong.line}`,
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
  const positions = new Map(classes.map((label, i) => [label, i]))
  const labelOf = texts.map((text) => positions.get(text) ?? positions.get(className(column, text)))
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
