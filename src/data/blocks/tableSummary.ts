/** What a table is, found in a pass over it: roles of its columns, their encoding, how many rows there are. */
import { crc32 } from 'node:zlib'
import { ArgumentError, DataError } from '../../base/errors.js'
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
import { missingNotes, refuseMissing } from '../table/missing.js'
import { encodingOptionsOf } from '../table/openTable.js'
import { type ReaderExpected, UNREAD } from '../table/readerFrame.js'
import { classesOf, columnAt, type Roles, rolesOf, sorted } from '../table/roles.js'
import type { TableOptions } from '../table/tableOptions.js'
import { ColumnSummary } from './columnSummary.js'
import { type Shares, TEST } from './rowSplit.js'
import { chosenBatches, positionsOf, type RowChoice } from './tableRows.js'
import { timesOfParts } from './timeSplit.js'

/** What is found. */
export interface TableSummary {
  readonly roles: Roles
  readonly encoding: TableEncoding
  readonly classes: readonly string[]
  readonly notes: readonly string[]
  readonly description: readonly ColumnDescription[]
  readonly choice: RowChoice
  /** Rows of the parts. */
  readonly sizes: { readonly train: number; readonly validation: number; readonly test: number }
  /** Rows of each class to train on. */
  readonly classCounts: readonly number[]
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
  shares: Shares,
): Promise<TableSummary> {
  const parts = { ...shares, ...(await splitOf(reader, options, shares)) }
  const limitOf = (column: SourceColumn) => {
    const kept = limit(column, reader.columns.indexOf(column))
    // Text whose words are hashed needs none.
    return Number.isFinite(kept) ? kept : 0
  }
  const { onRows } = options
  const all = await pass(reader, names, limitOf, { ...parts, needed: [] }, onRows)
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
  if (missing === 'refuse') refuseMissing(frame, lacking)
  const choice = { ...parts, needed: needed.map((column) => column.name) }
  const used = [...features, target].map((column) => column.name)
  const chosen = needed.length === 0 ? all : await pass(reader, used, limitOf, choice, onRows)
  const { train, validation, test } = chosen.sizes
  const kept = train + validation + test
  const notes = missingNotes(name, lacking, all.rows, kept, missing, target.name)
  const isValidated = (shares.validationFraction ?? 0) > 0
  if (train === 0 || test === 0 || (isValidated && validation === 0)) {
    throw new DataError(
      `${name}: expected rows in each part, got ${train} to train${isValidated ? `, ${validation} to validate` : ''} and ${test} to test on; take another testFraction or seed`,
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
    classCounts: classes.map((label) => found(target).countsOf(label)[0]),
    sum: chosen.sum,
  }
}

/** How rows are parted: by their numbers, by the groups of a column, or by its times. */
async function splitOf(
  reader: TableReader,
  { groupBy, time }: TableOptions,
  shares: Shares,
): Promise<Pick<RowChoice, 'split' | 'validFrom'>> {
  if (groupBy !== undefined && time !== undefined) {
    throw new ArgumentError('tableBlocks: expected one of groupBy and time, got both')
  }
  if (groupBy !== undefined) {
    return { split: { by: 'hash', column: columnAt(reader, groupBy, 'groupBy').name } }
  }
  if (time === undefined) return { split: { by: 'hash' } }
  const column = columnAt(reader, time, 'time').name
  const { from, validFrom } = await timesOfParts(reader, column, shares)
  return { split: { by: 'time', column, from }, validFrom }
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
  onRows?: (rows: number) => void,
): Promise<Pass> {
  const columnOf = new Map(reader.columns.map((column) => [column.name, column]))
  const summaries = names.map((name) => {
    const column = columnOf.get(name) as SourceColumn
    return new ColumnSummary(column, limitOf(column))
  })
  const yieldIfDue = yielder()
  const checksum = new Checksum()
  let rows = 0
  const sizes = { train: 0, validation: 0, test: 0 }
  for await (const batch of chosenBatches(reader, names, choice)) {
    for (const [i, values] of batch.columns.entries()) {
      summaries[i].add(values, batch)
      checksum.add(values, i)
    }
    rows += batch.parts.length
    onRows?.(rows)
    sizes.train += batch.train.length
    const tested = positionsOf(batch.parts, (part) => part === TEST).length
    sizes.test += tested
    sizes.validation += batch.others.length - tested
    await yieldIfDue()
  }
  if (rows === 0) throw new DataError(`${reader.name}: expected rows, got none`)
  for (const summary of summaries) summary.end()
  return { summaries, rows, sizes, sum: checksum.sum }
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
