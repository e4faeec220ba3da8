/**
 * A table as blocks of examples: `table` for what is larger than memory. One pass over the source finds what its
 * columns are and how they are encoded; each further one gives the rows, encoded.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { isWithin, optionsOf } from '../../base/arguments.js'
import { ArgumentError, DataError, excerpt } from '../../base/errors.js'
import type { Task } from '../datasetSource.js'
import { openDuckDB } from '../sources/duckdb.js'
import { requestFor } from '../sources/files.js'
import { readerOf } from '../sources/openSource.js'
import type { TableReader } from '../sources/source.js'
import type { ColumnDescription } from '../table/describe.js'
import { inputsOf, type TableEncoding } from '../table/encoding.js'
import { expectedOf, limitsOf } from '../table/readSource.js'
import type { TableSplit } from '../table/splitTable.js'
import { TABLE_OPTIONS } from '../table/table.js'
import { checkOptions, type TableOptions } from '../table/tableOptions.js'
import type { BlockSource } from './blockSource.js'
import { type Shares, TEST, TRAIN, VALIDATION } from './rowSplit.js'
import { chosenBatches, positionsOf, RowEncoder } from './tableRows.js'
import { summarize } from './tableSummary.js'

/** What `tableBlocks` is told of a table. */
export interface TableBlocksOptions extends Omit<TableOptions, 'stratify'> {
  /**
   * About this share of the rows becomes the test part, 0.2 by default: whether a row does is decided by its
   * number and the seed; beside `groupBy` by its group, beside `time` by its time.
   */
  readonly testFraction?: number
  /** About this share of all rows is set aside to validate by; none by default. */
  readonly validationFraction?: number
}

/** A table that is read in blocks. */
export interface TableBlocks {
  /** What reports call it. */
  readonly name: string
  /** The rows to train on: inputs [width], labels or standardized values. */
  readonly train: BlockSource
  /** Those to validate by, where `validationFraction` asks for them. */
  readonly validation?: BlockSource
  /** The rows to test on, encoded by what the training part says. */
  readonly test: BlockSource
  /** To tell classes apart, or to predict a number. */
  readonly task: Task
  /** The names of the classes, in the order of their labels; none in a regression. */
  readonly classes: readonly string[]
  /** How rows become inputs: plain data, to be saved with the model. */
  readonly encoding: TableEncoding
  /** What decided about the rows to test on: to be saved with the model. */
  readonly split: TableSplit
  /** What was done to rows and columns: left out, filled in. */
  readonly notes: readonly string[]
  /** What the columns are, and what they are used for. */
  describe(): readonly ColumnDescription[]
  /** Frees what the source holds: connections, files. */
  close(): Promise<void>
}

const { stratify: _, ...TABLE } = TABLE_OPTIONS
const OPTIONS: Record<keyof TableBlocksOptions, true> = { ...TABLE, validationFraction: true }

/**
 * Reads a table that need not fit into memory: its parts are block sources, for `fit` and `evaluate`. Columns
 * are used and encoded as by `table`; for that, all of the source is read once. Each row is in the test part by
 * its number and the seed, or by its group or time. What reads the source is DuckDB, also of CSV files.
 * @param source a path, or a pattern of paths, of Parquet, CSV, JSON lines or a database; or SQL
 * @throws MissingPackageError without the package that reads the source, DataError as `table`, ArgumentError for
 * an option that needs the table in memory, and others as `table`
 * @example
 * const { train, test, encoding } = await tableBlocks('events/*.parquet', { target: 'clicked' })
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, batchSize: 128, validation: test })
 */
export async function tableBlocks(source: string, given: TableBlocksOptions): Promise<TableBlocks> {
  const { blocks, warnings } = await openTableBlocks(source, given)
  for (const warning of warnings) process.emitWarning(warning, { type: 'NeuroblasWarning' })
  return blocks
}

/** A table in blocks, and what reports want to know of it. */
interface OpenTableBlocks {
  readonly blocks: TableBlocks
  /** Rows of each class to train on. */
  readonly classCounts: readonly number[]
  /** Columns that are left out; `notes` have them, too. */
  readonly warnings: readonly string[]
}

/** @throws as `tableBlocks` */
export async function openTableBlocks(
  source: string,
  given: TableBlocksOptions,
): Promise<OpenTableBlocks> {
  if ((given as Partial<TableOptions> | undefined)?.stratify !== undefined) {
    throw new ArgumentError(
      'tableBlocks: expected a table in memory, as by table(), beside stratify, got one in blocks',
    )
  }
  const options = optionsOf('tableBlocks', given, OPTIONS)
  const { testFraction = 0.2, validationFraction = 0, seed = 0 } = options
  checkOptions(options)
  if (!(isWithin(testFraction, 0, 1) && testFraction > 0)) {
    throw new ArgumentError(
      `tableBlocks: expected testFraction in (0, 1), got ${excerpt(testFraction)}`,
    )
  }
  if (!(isWithin(validationFraction, 0, 1) && testFraction + validationFraction < 1)) {
    throw new ArgumentError(
      `tableBlocks: expected validationFraction in [0, ${1 - testFraction}), got ${excerpt(validationFraction)}`,
    )
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`tableBlocks: expected a seed from 0 to 2^53 - 1, got ${excerpt(seed)}`)
  }
  const reader = await openReader(source, options)
  try {
    return await open(source, reader, options, { testFraction, validationFraction, seed })
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function openReader(source: string, options: TableBlocksOptions): Promise<TableReader> {
  const reader = await readerOf(source, options)
  if (reader?.isRepeatable) return reader
  if (reader) {
    await reader.close()
    throw new ArgumentError(
      `tableBlocks: expected a source that can be read again, got ${reader.name}, which comes once`,
    )
  }
  if (typeof source !== 'string') {
    throw new ArgumentError(`tableBlocks: expected a path or SQL, got ${excerpt(source)}`)
  }
  const { name = source, duckdb: settings } = options
  return openDuckDB({ name, settings, ...requestFor(source, options) })
}

const PARTS = { train: TRAIN, validation: VALIDATION, test: TEST }

async function open(
  source: string,
  reader: TableReader,
  options: TableBlocksOptions,
  shares: Shares,
): Promise<OpenTableBlocks> {
  const version = versionOf(source)
  const expected = expectedOf(reader, options, limitsOf(options))
  const found = await summarize(reader, expected, options, shares)
  const { roles, encoding, classes, classCounts, notes, description, choice, sizes, sum } = found
  const name = options.name ?? basename(reader.name)
  const names = [...encoding.features.map((feature) => feature.name), encoding.target.name]
  const columnOf = new Map(reader.columns.map((column) => [column.name, column]))
  const columns = names.map((wanted) => columnOf.get(wanted) as (typeof reader.columns)[number])
  const partOf = (part: keyof typeof PARTS): BlockSource => {
    const content = JSON.stringify({ encoding, classes, choice, sum, part })
    return {
      name: `${name} (${part})`,
      size: sizes[part],
      inputShape: [inputsOf(encoding)],
      ...(roles.task === 'classify' ? { classes } : { targetShape: [1] }),
      digest: createHash('sha256').update(content).digest('hex'),
      async *blocks() {
        if (versionOf(source) !== version) {
          throw new DataError(
            `${name}: expected the file as tableBlocks() found it, got one that has changed since`,
          )
        }
        const encoder = new RowEncoder(name, encoding, columns, classes)
        for await (const batch of chosenBatches(reader, names, choice)) {
          const rows = positionsOf(batch.parts, (of) => of === PARTS[part])
          if (rows.length > 0) yield encoder.encode(batch.columns, rows, batch.first)
        }
      },
    }
  }
  const blocks: TableBlocks = {
    name,
    train: partOf('train'),
    ...(sizes.validation > 0 && { validation: partOf('validation') }),
    test: partOf('test'),
    task: roles.task,
    split: choice.split,
    classes,
    encoding,
    notes,
    describe: () => description,
    close: () => reader.close(),
  }
  return { blocks, classCounts, warnings: roles.warnings }
}

/** Of a file: another text once it has changed. */
function versionOf(source: string): string {
  const found = statSync(source, { throwIfNoEntry: false })
  return found?.isFile() ? `${found.size} ${found.mtimeMs} ${found.ino}` : ''
}
