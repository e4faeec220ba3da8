/** The columns of a source, read whole into those of a table. Numbers stay numbers, text stays text. */
import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import { columnsNamed } from '../sources/columns.js'
import {
  isTexts,
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
/** After so many rows there must be memory for as many again. */
const PIECE = 2 ** 16

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
 * Reads a source, which is closed afterwards.
 * @throws DataError where it cannot be read or has no rows, OutOfMemoryError where there is no memory for them
 */
export async function readTable(reader: TableReader, expected: ReaderExpected): Promise<Frame> {
  try {
    return await frameOf(reader, expected)
  } finally {
    await reader.close()
  }
}

async function frameOf(reader: TableReader, expected: ReaderExpected): Promise<Frame> {
  const { name, isNamed } = reader
  const read = columnsNamed(name, reader.columns, expected.names)
  const { limit, isParsed, format = {} } = expected
  const columns = new Map(
    reader.columns.map((column, i) => {
      const isPlain = isParsed?.(column.name) !== true
      const made = new Column(column.name, format, limit(column, i), isPlain)
      made.unit = 'row'
      if (!expected.names.includes(column.name)) made.unread = UNREAD[column.type]
      return [column.name, made]
    }),
  )
  const fillers = read.map((column) =>
    filler(name, columns.get(column.name) as Column, column.type),
  )
  const width = read.reduce(
    (sum, { type }) => sum + (type === 'text' ? BYTES.text : BYTES.number),
    0,
  )
  if (reader.rows !== undefined) {
    const what = `${reader.rows} rows of ${read.length} columns`
    requireMemory(name, what, reader.rows * width, IN_BLOCKS)
  }
  const yieldIfDue = yielder()
  let rows = 0
  let checked = 0
  for await (const batch of reader.batches(expected.names)) {
    batch.columns.forEach((values, i) => {
      fillers[i](values, rows + 1)
    })
    rows += batch.rows
    expected.onRows?.(rows)
    if (rows >= checked + PIECE) {
      requireMemory(
        name,
        `rows after the first ${rows}`,
        Math.max(2 ** 24, PIECE * width),
        IN_BLOCKS,
      )
      checked = rows
    }
    await yieldIfDue()
  }
  if (rows === 0) throw new DataError(`${name}: expected rows, got none`)
  return { name, columns: [...columns.values()], rows, isNamed, hasRowNames: false }
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
