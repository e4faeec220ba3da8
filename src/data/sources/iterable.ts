/**
 * Tables that come as rows from an iterable, such as a generator or a cursor of a database: objects by the
 * names of their columns, or lists of cells; one by one, or many at a time, also as an object with a list for
 * each column.
 */
import { types } from 'node:util'
import { ArgumentError, DataError, excerpt } from '../../base/errors.js'
import { quote } from '../../base/text.js'
import { isList, kindOfTypedArray } from '../../base/typedArrays.js'
import type { CellFormat } from '../table/cells.js'
import type { Column } from '../table/column.js'
import { frameOfRows, type TableRows } from '../table/frame.js'
import { columnsNamed } from './columns.js'
import { isJSON, readJSON } from './json.js'
import type { SourceBatch, SourceColumn, SourceType, SourceValues, TableReader } from './source.js'

type Iterated = AsyncIterable<unknown> | Iterable<unknown>
type Row = TableRows[number]

/** So many rows show what the columns are. */
const SAMPLE = 10_000
/** Rows of a batch, at least. */
const ROWS = 2048
/** Different texts that are kept to tell what a column is. */
const FEW_TEXTS = 3

/** Whether it can be iterated over, and is neither a text nor a list. */
export function isIterable(source: unknown): source is Iterated {
  if (typeof source !== 'object' || source === null || isList(source)) return false
  return Symbol.asyncIterator in source || Symbol.iterator in source
}

/**
 * What an iterable is to be read by; the bytes of separated text are given back as they are.
 * @throws DataError for elements that are neither bytes nor rows
 */
export async function openIterable(
  source: Iterated,
  name: string,
  format: CellFormat,
): Promise<TableReader | AsyncIterable<Uint8Array>> {
  const elements = (async function* () {
    yield* source
  })()
  const { value: first, done } = await elements.next()
  const all = (async function* () {
    try {
      if (!done) yield first
      yield* elements
    } finally {
      await elements.return(undefined)
    }
  })()
  if (!done && kindOfTypedArray(first) !== 'Uint8Array') return openRows(all, name, format)
  const bytes = all as AsyncIterable<Uint8Array>
  if (done || !isJSON(first as Uint8Array)) return bytes
  return openRows(readJSON(bytes, name), name, format, true)
}

/**
 * A table of the rows of an iterable, which can be read once. What its columns are is found in the first
 * 10,000 rows.
 * @param isSparse whether a row may lack columns, which are those of all these rows then
 * @throws DataError for elements that are no rows
 */
async function openRows(
  all: AsyncGenerator<unknown>,
  name: string,
  format: CellFormat,
  isSparse = false,
): Promise<TableReader> {
  const groups = rowsIn(all, name)
  const sample: Row[] = []
  while (sample.length < SAMPLE) {
    const { value, done } = await groups.next()
    if (done) break
    for (const row of value) sample.push(row)
  }
  if (sample.length === 0) throw new DataError(`${name}: expected rows, got none`)
  const isNamed = !isList(sample[0])
  const names = isSparse ? [...new Set(sample.flatMap(Object.keys))] : Object.keys(sample[0])
  const frameFrom = (given: readonly Row[], first: number, limit: number) => {
    const rows = isSparse ? given.map((row, i) => filled(row, names, first + i, name)) : given
    return frameOfRows(rows, names, name, format, () => limit, first)
  }
  const frame = frameFrom(sample, 1, FEW_TEXTS)
  const columns = frame.columns.map((column, i): SourceColumn => {
    const isBoolean = sample.some((row) => typeof cellOf(row, names[i], i) === 'boolean')
    const type = typeOf(column, isBoolean)
    return { name: names[i], type, declared: type }
  })
  let isRead = false
  return {
    name,
    columns,
    isNamed,
    isRepeatable: false,
    batches: (wanted) => {
      if (isRead) throw new ArgumentError(`${name}: expected to read it once, got a second time`)
      isRead = true
      const read = columnsNamed(name, columns, wanted)
      return batchesOf(sample, groups, (rows, start) => {
        const { columns } = frameFrom(rows, start, Infinity)
        const columnOf = new Map(columns.map((column) => [column.name, column]))
        return read.map((column) =>
          valuesOf(columnOf.get(column.name) as Column, column.type, name, start),
        )
      })
    },
    close: async () => {
      await groups.return(undefined)
      await all.return(undefined)
    },
  }
}

/** A row with all columns. */
function filled(row: Row, names: readonly string[], number: number, table: string): Row {
  const other = Object.keys(row).find((key) => !names.includes(key))
  if (other === undefined)
    return Object.fromEntries(names.map((key) => [key, cellOf(row, key, -1) ?? null])) as Row
  throw new DataError(
    `${table}: expected the columns ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''} as in the first rows, got ${quote(other)} in row ${number}`,
  )
}

const cellOf = (row: Row, name: string, position: number): unknown =>
  isList(row) ? row[position] : (row as Record<string, unknown>)[name]

function typeOf({ isNumeric, isDate, texts }: Column, isBoolean: boolean): SourceType {
  if (isNumeric) return 'number'
  if (isDate) return 'date'
  const isTwo = texts?.every((text) => text === 'true' || text === 'false')
  return isBoolean && isTwo ? 'boolean' : 'text'
}

async function* batchesOf(
  sample: readonly Row[],
  groups: AsyncIterable<readonly Row[]>,
  read: (rows: readonly Row[], start: number) => SourceValues[],
): AsyncGenerator<SourceBatch> {
  let [waiting, start] = [[...sample], 1]
  const take = (): SourceBatch => {
    const rows = waiting
    const columns = read(rows, start)
    start += rows.length
    waiting = []
    return { rows: rows.length, columns }
  }
  for await (const rows of groups) {
    for (const row of rows) waiting.push(row)
    if (waiting.length >= ROWS) yield take()
  }
  if (waiting.length > 0) yield take()
}

/** @throws DataError for a cell that is of another type than those of the sample */
function valuesOf(column: Column, type: SourceType, table: string, start: number): SourceValues {
  const { rows, name, texts = [], firstText, firstUndated } = column
  if (type === 'text') {
    return { texts, codes: Int32Array.from({ length: rows }, (_, i) => column.codeAt(i)) }
  }
  if (type === 'boolean') {
    const values = texts.map((text) => ['false', 'true'].indexOf(text))
    const codes = Float64Array.from({ length: rows }, (_, i) => column.codeAt(i))
    const other = values.indexOf(-1)
    if (other >= 0)
      throw otherType(table, name, 'true or false', texts[other], start + codes.indexOf(other))
    return codes.map((code) => (code < 0 ? Number.NaN : values[code]))
  }
  const wrong = type === 'date' ? firstUndated : firstText
  if (wrong) throw otherType(table, name, `a ${type}`, wrong.text, wrong.line)
  return Float64Array.from({ length: rows }, (_, i) => column.numberAt(i))
}

function otherType(table: string, name: string, expected: string, found: string, row: number) {
  return new DataError(
    `${table}: expected ${expected} in column ${name} as in the first rows, got ${excerpt(found)} in row ${row}`,
  )
}

/** Rows, some at a time. */
async function* rowsIn(elements: AsyncIterable<unknown>, name: string): AsyncGenerator<Row[]> {
  for await (const element of elements) {
    if (isList(element) && element.length === 0) continue
    if (isList(element)) yield isRow(element[0]) ? (Array.from(element) as Row[]) : [element as Row]
    else if (isRow(element)) yield listsIn(element) ?? [element as Row]
    else {
      throw new DataError(
        `${name}: expected rows as objects or lists, or many of them, got ${excerpt(element)}`,
      )
    }
  }
}

function isRow(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isDate(value)
}

/** The rows of an object that has a list for each column; undefined for a single row. */
function listsIn(element: object): Row[] | undefined {
  const entries = Object.entries(element)
  if (entries.length === 0 || !entries.every(([, cells]) => isList(cells))) return undefined
  const length = Math.max(...entries.map(([, cells]) => cells.length))
  // A list that is too short lacks cells, which the rows are told of.
  return Array.from({ length }, (_, i) =>
    Object.fromEntries(
      entries.flatMap(([key, cells]) => (i < cells.length ? [[key, cells[i]]] : [])),
    ),
  )
}
