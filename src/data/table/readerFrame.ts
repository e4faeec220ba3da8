/** The columns of a source, read whole into those of a table. Numbers stay numbers, text stays text. */
import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import { columnsNamed } from '../sources/columns.js'
import {
  isTexts,
  type SourceBatch,
  type SourceColumn,
  type SourceType,
  type SourceValues,
  type TableReader,
} from '../sources/source.js'
import type { CellFormat } from './cells.js'
import { Column } from './column.js'
import { type Frame, IN_BLOCKS } from './frame.js'

/** Bytes of a cell in memory: the code of a text, or a number. */
const BYTES = { text: 4, number: 8 }
/** What columns of a type are called in a table. */
export const UNREAD = {
  number: 'number',
  boolean: 'category',
  date: 'date',
  text: 'text',
  other: 'text',
} as const
/** The last time that a Date can be, in milliseconds. */
const LATEST = 8.64e15
/** After so many rows there must be memory for as many again, and for what the source itself may take meanwhile. */
const PIECE = 2 ** 16
const ROOM = 2 ** 26

/** Which columns are read, and how. */
export interface ReaderExpected {
  /** The columns to read; the others are known by their names alone. */
  readonly names: readonly string[]
  /** How many different texts of a column are kept. */
  readonly limit: (column: SourceColumn, position: number) => number
  /** Whether the texts of a column may be numbers, as those of a CSV file are; not by default. */
  readonly isParsed?: (name: string) => boolean
  readonly format?: CellFormat
  /** Hears now and then of the rows that were read so far. */
  readonly onRows?: (rows: number) => void
}

/**
 * Reads a source whole, which is closed afterwards.
 * @throws DataError where it cannot be read or has no rows, OutOfMemoryError where there is no memory for them
 */
export async function readTable(reader: TableReader, expected: ReaderExpected): Promise<Frame> {
  const frames = tableFrames(reader, expected)
  try {
    const { value } = await frames.next()
    return value as Frame
  } finally {
    await frames.return(undefined)
  }
}

/**
 * Reads a source piece by piece, in frames of the same columns; it is closed afterwards.
 * @param size rows of a piece, at least, but for the last one
 * @throws DataError, OutOfMemoryError as `readTable`
 */
export async function* tableFrames(
  reader: TableReader,
  expected: ReaderExpected,
  size = Infinity,
): AsyncGenerator<Frame> {
  const yieldIfDue = yielder()
  try {
    let frame = new TableFrame(reader, expected, 0)
    if (size === Infinity) frame.requireRoom()
    for await (const batch of reader.batches(expected.names)) {
      frame.add(batch)
      expected.onRows?.(frame.first + frame.rows)
      await yieldIfDue()
      if (frame.rows < size) continue
      yield frame
      frame = new TableFrame(reader, expected, frame.first + frame.rows)
    }
    if (frame.first + frame.rows === 0) {
      throw new DataError(`${reader.name}: expected rows, got none`)
    }
    if (frame.rows > 0) yield frame
  } finally {
    await reader.close()
  }
}

/** Rows of a source while they are put into columns. */
class TableFrame implements Frame {
  readonly name: string
  readonly isNamed: boolean
  readonly hasRowNames = false
  readonly columns: readonly Column[]
  rows = 0
  readonly #fillers: ((values: SourceValues, row: number) => void)[]
  /** Bytes of a row, and for how many rows there was room. */
  readonly #bytes: number
  #checked = 0

  /** @param first rows before this piece */
  constructor(
    readonly reader: TableReader,
    { names, limit, isParsed, format = {} }: ReaderExpected,
    readonly first: number,
  ) {
    const { name, isNamed, columns } = reader
    this.name = name
    this.isNamed = isNamed
    this.columns = columns.map((column, i) => {
      const isPlain = isParsed?.(column.name) !== true
      const made = new Column(column.name, format, limit(column, i), isPlain)
      made.unit = 'row'
      if (!names.includes(column.name)) made.unread = UNREAD[column.type]
      return made
    })
    const read = columnsNamed(name, columns, names)
    this.#fillers = read.map((column) =>
      filler(name, this.columns[columns.indexOf(column)], column.type),
    )
    const bytes = read.map(({ type }) => (type === 'text' ? BYTES.text : BYTES.number))
    this.#bytes = bytes.reduce((a, b) => a + b, 0)
  }

  /** @throws OutOfMemoryError where it is known that there is no memory for all rows */
  requireRoom(): void {
    const { rows } = this.reader
    if (rows === undefined) return
    const what = `${rows} rows of ${this.#fillers.length} columns`
    requireMemory(this.name, what, rows * this.#bytes, IN_BLOCKS)
  }

  add({ rows, columns }: SourceBatch): void {
    columns.forEach((values, i) => {
      this.#fillers[i](values, this.first + this.rows + 1)
    })
    this.rows += rows
    if (this.rows < this.#checked + PIECE) return
    const bytes = Math.max(ROOM, PIECE * this.#bytes)
    requireMemory(this.name, `rows after the first ${this.rows}`, bytes, IN_BLOCKS)
    this.#checked = this.rows
  }
}

/** Puts the values of a batch into a column; `row` is the number of its first one. */
function filler(
  table: string,
  column: Column,
  type: SourceType,
): (values: SourceValues, row: number) => void {
  const booleans = ['false', 'true']
  const push = {
    number: (value: number, row: number) => column.pushNumber(value, row),
    boolean: (value: number, row: number) => column.push(booleans[value], row),
    date: (value: number, row: number) => {
      if (Math.abs(value) <= LATEST) return column.pushDate(value, row)
      throw new DataError(
        `${table}: expected dates from the year -271821 to 275760 in column ${column.name}, got one outside in row ${row}`,
      )
    },
  }
  return (values, row) => {
    if (isTexts(values)) {
      const { texts, codes } = values
      codes.forEach((code, i) => {
        if (code < 0) column.pushMissing('null', row + i)
        else column.push(texts[code], row + i)
      })
      return
    }
    const pushOne = push[type as keyof typeof push]
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) column.pushMissing('null', row + i)
      else pushOne(values[i], row + i)
    }
  }
}
