/** Tables as the commands read them: the parts to train on, what a saved model reads. */

import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import {
  type Classifier,
  type ColumnDescription,
  DataError,
  type Dataset,
  type Preprocessing,
  type Regressor,
  type TableEncoding,
  type TableSource,
  type TableSplit,
  type Task,
} from '../../index.js'
import {
  type Applied,
  describeTable,
  encodeRows,
  inParts,
  isPostgres,
  isSQL,
  namesTable,
  neededOf,
  OpenTable,
  partsOf,
  preprocessingOf,
  readApplied,
  type SourceOptions,
  unseenNotes,
  usableRows,
} from '../../internal.js'
import { TEST_SHARE, validationShare } from './data.js'
import { UsageError } from './options.js'
import { withRowBar } from './rowBar.js'
import { EMBED_ABOVE, NAMES, type ReadingOptions, type TableSettings } from './tableOptions.js'

/** A table that is piped in. */
const PIPE = '-'

/** Whether a source is a table, by the form of its name. */
export function isTable(source: string): boolean {
  return source === PIPE || namesTable(source)
}

const ENDINGS =
  /(\.(csv|tsv|tab|data|txt|parquet|pq|json|jsonl|ndjson|duckdb|ddb|db|npy|npz|arrow|feather)|\.gz|\.zst)+$/i

/** The name of a table's file without what says that it is one; empty for SQL, a pattern, and what is no file. */
export function stemOf(source: string): string {
  const stem = basename(source).replace(ENDINGS, '')
  return source === PIPE || /[\s*?[:]/.test(source) ? '' : stem
}

/**
 * What reports call a table; a model knows what it was trained on by it. Two queries are not the same rows, and
 * a URL has a password.
 */
export function nameOf(source: string, sql?: string): string {
  const isQuery = source === sql || isSQL(source)
  const text = (sql ?? source).trim()
  const query = `query ${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
  if (isQuery) return query
  const plain = isPostgres(source) ? source.replace(/\?.*$/, '') : source
  const name = source === PIPE ? 'standard input' : basename(plain)
  return sql === undefined ? name : `${name}, ${query}`
}

/**
 * What a command was told to read.
 * @param what the argument, which may be left out beside SQL
 */
export function sourceOf(given: string | undefined, what: string, sql?: string): string {
  const source = given ?? sql
  if (source !== undefined) return source
  throw new UsageError(`missing required argument '${what}'`)
}

/** The table that a command reads, and how it does by its options. */
function readingOf(
  source: string,
  { delimiter, encoding, sql }: ReadingOptions,
): [TableSource, SourceOptions] {
  if (source === PIPE && sql !== undefined) {
    throw new UsageError('--sql: expected over files or a database, got standard input')
  }
  const isNamed = sql !== undefined || source === PIPE || isSQL(source) || isPostgres(source)
  const how = {
    ...(delimiter !== undefined && { delimiter }),
    ...(encoding !== undefined && { encoding }),
    ...(sql !== undefined && sql !== source && { query: sql }),
    ...(isNamed && { name: nameOf(source, sql) }),
  }
  return [source === PIPE ? process.stdin : source, how]
}

/** A table parted for training, and what is to be said of it. */
export interface TableProblem {
  readonly name: string
  readonly target: string
  readonly task: Task
  readonly classes: readonly string[]
  readonly encoding: TableEncoding
  readonly split: TableSplit
  readonly columns: readonly ColumnDescription[]
  readonly notes: readonly string[]
  readonly train: Dataset
  readonly validation: Dataset
  readonly test: Dataset
}

/** The three parts of a table, encoded by what the first says. */
export async function readTableProblem(
  source: string,
  { target = '-1', sql, ...settings }: TableSettings,
  seed: number,
): Promise<TableProblem> {
  const asked = Object.fromEntries(
    NAMES.filter((name) => settings[name as 'task'] !== undefined).map((name) => [
      name,
      settings[name as 'task'],
    ]),
  )
  const stratify = settings.groupBy === undefined && settings.time === undefined
  const { missing = 'impute' } = settings
  const filling = { missing, addIndicator: missing === 'impute' }
  const how = { embedAbove: EMBED_ABOVE, ...asked, ...filling, target, stratify }
  const [from, named] = readingOf(source, { sql })
  const reading = { ...how, ...named }
  const opened = await withRowBar(`reading ${nameOf(source, sql)}`, undefined, (onRows) =>
    OpenTable.open(from, { ...reading, onRows }),
  )
  const { name, roles, rows, classes } = opened
  const outer = await opened.parts(rows, TEST_SHARE, seed)
  const share = validationShare(name, outer.train.length)
  const inner = await opened.parts(outer.train, share, seed)
  const [train, validation, testRows] = [inner.train, inner.test, outer.test]
  const encoding = await opened.fit(train)
  const parts = []
  for (const part of [train, validation, testRows]) parts.push(await opened.encode(part, encoding))
  const unseen = parts.flatMap((part) => unseenNotes(name, part.unseen))
  return {
    name,
    target: roles.target.name,
    task: roles.task,
    classes,
    encoding,
    split: opened.split,
    columns: opened.description,
    notes: [...choiceNotes(opened, target), ...roles.warnings, ...opened.notes, ...unseen],
    train: parts[0].data,
    validation: parts[1].data,
    test: parts[2].data,
  }
}

/** The last column is said to be taken where others could be meant. */
function choiceNotes({ name, roles }: OpenTable, target: string): string[] {
  const others = roles.features.filter(
    (column) => !column.isNumeric || /^(class|target|label|y)$/i.test(column.name),
  )
  if (target !== '-1' || roles.task !== 'classify' || others.length === 0) return []
  const names = others.slice(0, 5).map((column) => column.name)
  const more = others.length > 5 ? ', …' : ''
  return [
    `${name}: took the last column, ${roles.target.name}, for the target; --target takes another, such as ${names.join(', ')}${more}`,
  ]
}

/** What a model without an encoding reads a table by: its features, and perhaps a class after them. */
function encodingOf(saved: Classifier | Regressor): TableEncoding {
  if (saved.encoding) return saved.encoding
  const { mean, scale } = preprocessingOf(saved as Classifier, false)
  const at = (list: Preprocessing['mean'], i: number) => list[list.length > 1 ? i : 0]
  const columns = Array.from({ length: saved.inputs + 1 }, (_, i) => `${i}`)
  return {
    columns,
    isNamed: false,
    features: columns
      .slice(0, -1)
      .map((name, i) => ({ name, type: 'number', mean: at(mean, i), scale: at(scale, i) })),
    target: { name: `${saved.inputs}` },
    missing: 'refuse',
    format: {},
  }
}

/** What the columns of a table are. */
export function describeSource(
  source: string,
  target: string | undefined,
  options: ReadingOptions,
) {
  const [from, reading] = readingOf(source, options)
  const asked = target === undefined ? {} : { target }
  return describeTable(from, { ...reading, ...asked })
}

/** A table as a saved model reads it. */
export async function readFor(
  saved: Classifier | Regressor,
  source: string,
  options: ReadingOptions,
): Promise<{ applied: Applied; encoding: TableEncoding }> {
  const [from, { name = source, ...reading }] = readingOf(source, options)
  const encoding = encodingOf(saved)
  // By these columns, rows are told apart.
  const whole = [encoding.target.name, ...(saved.split?.column ? [saved.split.column] : [])]
  const applied = await withRowBar(`reading ${basename(name)}`, undefined, (onRows) =>
    readApplied(from, name, encoding, { ...reading, onRows }, whole),
  )
  return { applied, encoding }
}

/** The rows of a table that a model has not been trained on, with their targets. */
export async function unseenRows(
  saved: Classifier | Regressor,
  source: string,
  options: ReadingOptions,
): Promise<{ data: Dataset; notes: string[] }> {
  const { applied, encoding } = await readFor(saved, source, options)
  const { frame, features, target } = applied
  if (target === undefined) {
    throw new DataError(
      `${frame.name}: expected the target ${encoding.target.name}, got no such column`,
    )
  }
  const needed = neededOf(encoding, features)
  const usable = await inParts(usableRows(frame, needed, target, encoding.missing))
  const name = nameOf(source, options.sql)
  const isTrainingSet = saved.dataset === name
  const { seed = 0, split = { by: 'chance' } } = saved
  const rows = isTrainingSet
    ? (await partsOf(frame, target, split, usable.rows, TEST_SHARE, seed)).test
    : usable.rows
  const classes = 'classes' in saved ? saved.classes : []
  const { data, unseen } = await encodeRows({
    name,
    frame,
    features,
    target,
    classes,
    encoding,
    rows,
  })
  return { data, notes: [...usable.notes, ...unseenNotes(name, unseen)] }
}
