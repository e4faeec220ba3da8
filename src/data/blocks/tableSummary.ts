/** What a table is, found in a pass over it: roles of its columns, their encoding, how many rows there are. */
import { crc32 } from 'node:zlib'
import { DataError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import {
  isTexts,
  type SourceColumn,
  type SourceValues,
  type TableReader,
} from '../sources/source.js'
import { Column } from '../table/column.js'
import type { ColumnDescription } from '../table/describe.js'
import type { FeatureEncoding, TableEncoding } from '../table/encoding.js'
import {
  categoryEncoding,
  dateEncoding,
  type EncodingOptions,
  standardizing,
} from '../table/fitEncoding.js'
import { missingNotes } from '../table/missing.js'
import { encodingOptionsOf } from '../table/openTable.js'
import { type ReaderExpected, UNREAD } from '../table/readerFrame.js'
import { classesOf, type Roles, rolesOf, sorted } from '../table/roles.js'
import type { TableOptions } from '../table/tableOptions.js'
import { ColumnSummary } from './columnSummary.js'
import { chosenBatches, type RowChoice } from './tableRows.js'

/** What is found. */
export interface TableSummary {
  readonly roles: Roles
  readonly encoding: TableEncoding
  readonly classes: readonly string[]
  readonly notes: readonly string[]
  readonly description: readonly ColumnDescription[]
  readonly choice: RowChoice
  /** Rows of the parts. */
  readonly sizes: { readonly train: number; readonly test: number }
  /** A checksum of all values, in their order. */
  readonly sum: number
}

/** A pass over some columns. */
interface Pass {
  readonly summaries: readonly ColumnSummary[]
  readonly rows: number
  readonly sizes: TableSummary['sizes']
  readonly sum: number
}

/** @throws DataError where columns are not what they are taken for, or values are missing and that is refused */
export async function summarize(
  reader: TableReader,
  { names, limit }: ReaderExpected,
  options: TableOptions,
  parts: Pick<RowChoice, 'testFraction' | 'seed'>,
): Promise<TableSummary> {
  const limitOf = (column: SourceColumn) => {
    const kept = limit(column, reader.columns.indexOf(column))
    // Text whose words are hashed needs none.
    return Number.isFinite(kept) ? kept : 0
  }
  const all = await pass(reader, names, limitOf, { ...parts, needed: [] })
  const { name, isNamed } = reader
  const columnOf = new Map(all.summaries.map(({ column }) => [column.name, column]))
  const columns = reader.columns.map((column) => columnOf.get(column.name) ?? unread(column))
  const frame = { name, columns, rows: all.rows, isNamed, hasRowNames: false }
  const roles = rolesOf(frame, options)
  const { missing = 'refuse' } = options
  const { target, features, text } = roles
  const lacking = [...features.filter((column) => !text.has(column)), target].filter(
    (column) => column.missing > 0,
  )
  const needed = missing === 'drop' ? lacking : lacking.filter((column) => column === target)
  if (missing === 'refuse') missingNotes(frame, lacking, needed, 0, missing, target)
  const choice = { ...parts, needed: needed.map((column) => column.name) }
  const used = [...features, target].map((column) => column.name)
  const chosen = needed.length === 0 ? all : await pass(reader, used, limitOf, choice)
  const { train, test } = chosen.sizes
  const notes = missingNotes(frame, lacking, needed, train + test, missing, target)
  if (train === 0 || test === 0) {
    throw new DataError(
      `${name}: expected rows to train and to test on, got ${train} and ${test}; take another testFraction or seed`,
    )
  }
  const summaryOf = new Map(chosen.summaries.map((summary) => [summary.column.name, summary]))
  const found = (column: Column) => summaryOf.get(column.name) as ColumnSummary
  const classes = roles.task === 'regress' ? [] : classesOf(found(target).column)
  const how = encodingOptionsOf(options)
  const encodings = features.map((column) => encodingOf(found(column), how, text.has(column)))
  const encoding: TableEncoding = {
    columns: columns.map((column) => column.name),
    isNamed,
    features: encodings,
    target:
      roles.task === 'regress'
        ? { name: target.name, ...standardizing(found(target).training.figures) }
        : { name: target.name },
    missing,
    format: how.format,
  }
  const unseen = encodings.flatMap((feature) => unseenNotes(name, feature, summaryOf))
  return {
    roles,
    encoding,
    classes,
    notes: [...roles.warnings, ...notes, ...unseen],
    description: describe(columns, roles, all.summaries),
    choice,
    sizes: chosen.sizes,
    sum: chosen.sum,
  }
}

function unread({ name, type }: SourceColumn): Column {
  const column = new Column(name, {}, 0, true)
  column.unread = UNREAD[type]
  return column
}

async function pass(
  reader: TableReader,
  names: readonly string[],
  limitOf: (column: SourceColumn) => number,
  choice: RowChoice,
): Promise<Pass> {
  const columnOf = new Map(reader.columns.map((column) => [column.name, column]))
  const summaries = names.map((name) => {
    const column = columnOf.get(name) as SourceColumn
    return new ColumnSummary(column, limitOf(column))
  })
  const yieldIfDue = yielder()
  const checksum = new Checksum()
  let [rows, train, test] = [0, 0, 0]
  for await (const batch of chosenBatches(reader, names, choice)) {
    for (const [i, values] of batch.columns.entries()) {
      summaries[i].add(values, batch)
      checksum.add(values, i)
    }
    rows += batch.parts.length
    train += batch.train.length
    test += batch.test.length
    await yieldIfDue()
  }
  if (rows === 0) throw new DataError(`${reader.name}: expected rows, got none`)
  for (const summary of summaries) summary.end()
  return { summaries, rows, sizes: { train, test }, sum: checksum.sum }
}

/** A checksum of all values that go by, in their order. */
class Checksum {
  sum = 0
  /** The texts of each column, and how many of them went in. */
  readonly #texts = new Map<number, { texts: readonly string[]; count: number }>()

  add(values: SourceValues, column: number): void {
    const { buffer, byteOffset, byteLength } = isTexts(values) ? values.codes : values
    this.sum = crc32(new Uint8Array(buffer, byteOffset, byteLength), this.sum)
    if (!isTexts(values)) return
    const { texts } = values
    const before = this.#texts.get(column)
    const begin = before?.texts === texts ? before.count : 0
    if (begin < texts.length) this.sum = crc32(JSON.stringify(texts.slice(begin)), this.sum)
    this.#texts.set(column, { texts, count: texts.length })
  }
}

function encodingOf(
  summary: ColumnSummary,
  { embedAbove, hashBits, addIndicator }: EncodingOptions,
  isText: boolean,
): FeatureEncoding {
  const { column, training } = summary
  const { name, texts = [] } = column
  const indicator =
    addIndicator && summary.missingInTraining > 0 ? { indicator: true as const } : {}
  if (isText) return { name, type: 'text', bits: hashBits, ...indicator }
  if (column.isNumeric) {
    return { name, type: 'number', ...standardizing(training.figures), ...indicator }
  }
  if (column.isDate) {
    return { ...dateEncoding(name, summary.figuresOfParts), ...indicator }
  }
  const countOf = (text: string) => summary.countsOf(text)[0]
  return { ...categoryEncoding(name, texts, countOf, embedAbove), ...indicator }
}

function unseenNotes(
  table: string,
  feature: FeatureEncoding,
  summaryOf: ReadonlyMap<string, ColumnSummary>,
): string[] {
  if (feature.type !== 'category') return []
  const summary = summaryOf.get(feature.name) as ColumnSummary
  const { texts = [] } = summary.column
  const unseen = texts.filter((text) => summary.countsOf(text)[0] === 0)
  const count = unseen.reduce((sum, text) => sum + summary.countsOf(text)[1], 0)
  if (count === 0) return []
  return [
    `${table}: column ${feature.name} has ${count} cell${count > 1 ? 's' : ''} with categories that training had not, such as ${JSON.stringify(unseen[0])}`,
  ]
}

function describe(
  columns: readonly Column[],
  roles: Roles,
  summaries: readonly ColumnSummary[],
): ColumnDescription[] {
  const summaryOf = new Map(summaries.map((summary) => [summary.column, summary]))
  return columns.map((column) => {
    const { name, missing } = column
    const reason = roles.ignored.get(column)
    const use = reason !== undefined ? 'ignored' : column === roles.target ? 'target' : 'feature'
    const given = { name, use, ...(reason !== undefined && { reason }), missing } as const
    const summary = summaryOf.get(column)
    if (summary === undefined) return { ...given, type: column.unread ?? 'text' }
    if (roles.text.has(column)) {
      return { ...given, type: 'text', example: column.firstText?.text }
    }
    if (column.isNumeric) return { ...given, type: 'number', ...summary.figures }
    if (column.isDate) return { ...given, type: 'date', ...summary.span }
    const { texts } = column
    if (texts === undefined) return { ...given, type: 'text', example: column.firstText?.text }
    const categories = sorted(texts)
    const counts = categories.map((text) => summary.countsOf(text).reduce((a, b) => a + b))
    return { ...given, type: 'category', categories, counts }
  })
}
