/** A whole table in memory, column by column, from text or from records. */
import { types } from 'node:util'
import { requireMemory } from '../../base/availableMemory.js'
import { DataError, excerpt } from '../../base/errors.js'
import { isList } from '../../base/typedArrays.js'
import { readRecords } from '../formats/csv.js'
import { type ByteSource, readText } from '../formats/text.js'
import type { CellFormat } from './cells.js'
import { Column } from './column.js'
import { columnNames, hasHeader } from './header.js'

/** A cell of a table; null stands for no value. */
export type TableCell = string | number | boolean | Date | null | undefined
/** A row of a table by the names of its columns. */
export type TableRecord = Readonly<Record<string, TableCell>>
/** Rows of a table by the names of its columns, or in their order. */
export type TableRows = readonly (TableRecord | readonly TableCell[] | ArrayLike<number>)[]

/** How a table in a text is read. */
export interface Reading extends CellFormat {
  /** What parts the cells: `,` `;` a tab … or `' '` for any number of blanks; found by the text. */
  readonly delimiter?: string
  /** Whether the first line names the columns; found by the text. */
  readonly header?: boolean
  /** How the text is encoded, as TextDecoder calls it; utf-8, or what a byte order mark says. */
  readonly encoding?: string
  /**
   * Hears now and then of the rows that were read so far.
   * @internal
   */
  readonly onRows?: (rows: number) => void
}

/** The cells of a table. */
export interface Frame {
  /** What errors call it. */
  readonly name: string
  readonly columns: readonly Column[]
  readonly rows: number
  /** Whether the columns have names of their own, not only their positions. */
  readonly isNamed: boolean
  /** Whether the first column has the names of the rows. */
  readonly hasRowNames: boolean
}

/** What is known of a table before it is read. */
export interface Expected {
  /** Names of columns. */
  readonly names?: readonly string[]
  /** How many different texts of a column are kept. */
  readonly limit?: (name: string, position: number, width: number) => number
}

/** So many records tell whether there is a header. */
const SAMPLE = 200
/** After so many rows there must be memory for as many again. */
const PIECE = 2 ** 16
/** What to do with a table that memory does not hold. */
export const IN_BLOCKS =
  'read fewer columns (features, ignore), or the table in blocks: tableBlocks()'
/** Different texts of a column that become categories. */
export const MAX_CATEGORIES = 1000

/**
 * Reads separated text whole.
 * @throws DataError naming the line of a row with another number of cells, or where there are no rows,
 * OutOfMemoryError where there is no memory for them
 */
export async function readFrame(
  source: ByteSource,
  name: string,
  reading: Reading,
  expected?: Expected,
): Promise<Frame> {
  const { value } = await readFrames(source, name, reading, expected).next()
  return value as Frame
}

/**
 * Reads separated text piece by piece, in frames of the same columns.
 * @param size rows of a piece, at least, but for the last one
 * @throws DataError as `readFrame`
 */
export async function* readFrames(
  source: ByteSource,
  name: string,
  reading: Reading,
  { names = [], limit = () => MAX_CATEGORIES }: Expected = {},
  size = Infinity,
): AsyncGenerator<Frame> {
  const text = readText(source, name, reading.encoding)
  const head: string[][] = []
  const headLines: number[] = []
  let rows = 0
  let frame: FrameBuilder | undefined
  let isFirst = true
  const begin = () => {
    const isNamed = reading.header ?? hasHeader(head, reading, names, name)
    frame = new FrameBuilder(name, shapeOf(head, isNamed), reading, limit)
    head.forEach((cells, i) => {
      if (!isNamed || i > 0) frame?.push(cells, headLines[i])
    })
    return frame
  }
  for await (const { cells, lines } of readRecords(text, name, reading.delimiter)) {
    for (let i = 0; i < cells.length; i++) {
      if (frame) frame.push(cells[i], lines[i])
      else {
        head.push(cells[i])
        headLines.push(lines[i])
        if (head.length === SAMPLE) begin()
      }
    }
    rows += cells.length
    reading.onRows?.(rows)
    if (frame && frame.rows >= size) {
      yield frame.end()
      isFirst = false
      frame = new FrameBuilder(name, frame.shape, reading, limit)
    }
  }
  frame ??= begin()
  if (isFirst || frame.rows > 0) yield frame.end()
}

/** The columns of a text, by its first rows. */
interface FrameShape {
  readonly names: readonly string[]
  readonly isNamed: boolean
  readonly hasRowNames: boolean
}

function shapeOf(head: readonly string[][], isNamed: boolean): FrameShape {
  const [first = [], second = first] = head
  const more = isNamed && second.length === first.length + 1
  // As R writes them, a header has no name for the names of the rows; else a last cell is empty.
  const hasRowNames = more && second[second.length - 1] !== ''
  const padded = hasRowNames ? ['', ...first] : more ? [...first, ''] : first
  const names = isNamed ? columnNames(padded) : first.map((_, i) => `${i}`)
  return { names, isNamed, hasRowNames }
}

/** Puts rows into columns. */
class FrameBuilder {
  rows = 0
  readonly #columns: Column[]

  constructor(
    readonly name: string,
    readonly shape: FrameShape,
    format: CellFormat,
    limit: (name: string, position: number, width: number) => number,
  ) {
    const { names } = shape
    this.#columns = names.map((name, i) => new Column(name, format, limit(name, i, names.length)))
  }

  push(cells: readonly string[], line: number): void {
    const columns = this.#columns
    if (cells.length > columns.length) {
      throw new DataError(
        `${this.name}: expected at most ${columns.length} cells on line ${line} as in the first row, got ${cells.length}`,
      )
    }
    // As pandas.read_csv has it, the last values of a row that is too short are missing.
    for (let i = 0; i < columns.length; i++) columns[i].push(cells[i] ?? '', line)
    if (++this.rows % PIECE === 0) {
      const bytes = Math.max(2 ** 24, 8 * PIECE * columns.length)
      requireMemory(this.name, `rows after the first ${this.rows}`, bytes, IN_BLOCKS)
    }
  }

  end(): Frame {
    const { name, rows } = this
    const { isNamed, hasRowNames } = this.shape
    if (rows > 0) return { name, columns: this.#columns, rows, isNamed, hasRowNames }
    throw new DataError(
      `${name}: expected rows${isNamed ? ' after the line of names' : ''}, got none`,
    )
  }
}

/**
 * Reads rows that are in memory.
 * @param names of the columns, all of which each row must have
 * @param first the number that errors give the first row
 * @throws DataError where a row lacks one of the columns, or a cell is none
 */
export function frameOfRows(
  rows: TableRows,
  names: readonly string[],
  name: string,
  format: CellFormat,
  limit: Expected['limit'] = () => MAX_CATEGORIES,
  first = 0,
): Frame {
  const columns = names.map((name, i) => new Column(name, format, limit(name, i, names.length)))
  for (const column of columns) column.unit = 'row'
  rows.forEach((row, i) => {
    const number = first + i
    checkRow(row, names, number, name)
    columns.forEach((column, i) => {
      const cell = isList(row) ? row[i] : (row as TableRecord)[column.name]
      pushCell(column, cell, number, name)
    })
  })
  return { name, columns, rows: rows.length, isNamed: true, hasRowNames: false }
}

function checkRow(row: unknown, names: readonly string[], number: number, name: string): void {
  const isArray = isList(row)
  if (isArray ? row.length === names.length : typeof row === 'object' && row !== null) {
    const absent = isArray ? undefined : names.find((key) => !Object.hasOwn(row as object, key))
    if (absent === undefined) return
    throw new DataError(
      `${name}: expected ${absent} in every row (null where it is missing), got ${excerpt(row)} in row ${number}`,
    )
  }
  throw new DataError(
    `${name}: expected rows of ${names.length} cells (${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}), got ${excerpt(row)} in row ${number}`,
  )
}

function pushCell(column: Column, cell: unknown, row: number, name: string): void {
  if (cell === null || cell === undefined || Number.isNaN(cell)) column.pushMissing('null', row)
  else if (typeof cell === 'number') column.pushNumber(cell, row)
  else if (types.isDate(cell) && !Number.isNaN(cell.getTime())) column.pushDate(cell.getTime(), row)
  else if (typeof cell === 'string' || typeof cell === 'boolean') column.push(String(cell), row)
  else {
    throw new DataError(
      `${name}: expected a number, a text, a boolean, a date or null for ${column.name}, got ${excerpt(cell)} in row ${row}`,
    )
  }
}
