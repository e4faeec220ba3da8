/**
 * `table`: other people's data for training. It reads a table, decides what its columns are, parts the
 * rows, and encodes them by what the training part says.
 */
import { optionsOf } from '../../base/arguments.js'
import type { Dataset } from '../dataset.js'
import type { Task } from '../datasetSource.js'
import type { ColumnDescription } from './describe.js'
import type { TableEncoding } from './encoding.js'
import { OpenTable, unseenNotes } from './openTable.js'
import { summaryOf } from './summary.js'
import type { TableOptions, TableSource } from './tableOptions.js'

/** A table, ready for training. */
export interface Table {
  /** What reports call it. */
  readonly name: string
  /** The rows to train on: inputs [width], labels or standardized values. */
  readonly train: Dataset
  /** The rows to test on, encoded by what the training part says. */
  readonly test: Dataset
  /** To tell classes apart, or to predict a number. */
  readonly task: Task
  /** The names of the classes, in the order of their labels; none in a regression. */
  readonly classes: readonly string[]
  /** How rows become inputs: plain data, to be saved with the model. */
  readonly encoding: TableEncoding
  /** What was done to rows and columns: left out, filled in. */
  readonly notes: readonly string[]
  /** What the columns are, and what they are used for. */
  describe(): readonly ColumnDescription[]
  /** The same as lines of text, to be printed. */
  summary(): string
}

export const TABLE_OPTIONS: Record<keyof TableOptions, true> = {
  delimiter: true,
  header: true,
  encoding: true,
  missingValues: true,
  decimal: true,
  thousands: true,
  target: true,
  task: true,
  features: true,
  ignore: true,
  missing: true,
  addIndicator: true,
  text: true,
  hashBits: true,
  embedAbove: true,
  stratify: true,
  groupBy: true,
  time: true,
  testFraction: true,
  seed: true,
  name: true,
  query: true,
  duckdb: true,
  onRows: true,
}

/**
 * Reads a table for training. Numbers are standardized, categories become columns of 0 and 1 or an index to
 * embed, dates become the parts of them that vary, text is hashed and missing values are filled in where that is
 * asked for; what this takes is found in the training part alone and
 * kept in `encoding`. A header, the delimiter and the types of the columns are found by the text, as
 * `pandas.read_csv` reads it; what is left out by itself (row numbers, names, free text) is told by a
 * NeuroblasWarning and in `notes`.
 * @param source a path, a stream of bytes, or records
 * @throws DataError when the table cannot be read, has rows longer than the first or misses values, or its
 * target or columns
 * are not what they are taken for
 * @throws ArgumentError for an option that does not exist or a column that is not there
 * @example
 * const { train, test, classes, encoding } = await table('flowers.csv', { target: 'species' })
 */
export async function table(source: TableSource, given: TableOptions): Promise<Table> {
  const options = optionsOf('table', given, TABLE_OPTIONS)
  const { testFraction = 0.2, seed = 0 } = options
  const opened = await OpenTable.open(source, options)
  for (const warning of opened.roles.warnings) {
    process.emitWarning(warning, { type: 'NeuroblasWarning' })
  }
  const { train, test } = await opened.parts(opened.rows, testFraction, seed)
  const encoding = await opened.fit(train)
  const { name, classes, roles, description } = opened
  const encoded = await opened.encode(test, encoding)
  return {
    name,
    train: (await opened.encode(train, encoding)).data,
    test: encoded.data,
    task: roles.task,
    classes,
    encoding,
    notes: [...roles.warnings, ...opened.notes, ...unseenNotes(name, encoded.unseen)],
    describe: () => description,
    summary: () => summaryOf(description, opened.frame.rows),
  }
}
