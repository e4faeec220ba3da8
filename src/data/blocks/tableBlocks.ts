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
import { TABLE_OPTIONS } from '../table/table.js'
import { checkOptions, type TableOptions } from '../table/tableOptions.js'
import type { BlockSource } from './blockSource.js'
import { chosenBatches, RowEncoder } from './tableRows.js'
import { summarize } from './tableSummary.js'

/** What `tableBlocks` is told of a table. */
export interface TableBlocksOptions extends Omit<TableOptions, 'stratify' | 'groupBy' | 'time'> {
  /**
   * About this share of the rows becomes the test part, 0.2 by default: whether a row does is decided by its
   * number and the seed.
   */
  readonly testFraction?: number
}

/** A table that is read in blocks. */
export interface TableBlocks {
  /** What reports call it. */
  readonly name: string
  /** The rows to train on: inputs [width], labels or standardized values. */
  readonly train: BlockSource
  /** The rows to test on, encoded by what the training part says. */
  readonly test: BlockSource
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
  /** Frees what the source holds: connections, files. */
  close(): Promise<void>
}

const IN_MEMORY = ['stratify', 'groupBy', 'time'] as const
const { stratify: _stratify, groupBy: _groupBy, time: _time, ...OPTIONS } = TABLE_OPTIONS

/**
 * Reads a table that need not fit into memory: its parts are block sources, for `fit` and `evaluate`. Columns
 * are used and encoded as by `table`; for that, all of the source is read once. Each row is in the test part by
 * its number and the seed. What reads the source is DuckDB, also of CSV files.
 * @param source a path, or a pattern of paths, of Parquet, CSV, JSON lines or a database; or SQL
 * @throws MissingPackageError without the package that reads the source, DataError as `table`, ArgumentError for
 * an option that needs the table in memory, and others as `table`
 * @example
 * const { train, test, encoding } = await tableBlocks('events/*.parquet', { target: 'clicked' })
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, batchSize: 128, validation: test })
 */
export async function tableBlocks(source: string, given: TableBlocksOptions): Promise<TableBlocks> {
  for (const name of IN_MEMORY) {
    if (given !== null && (given as Partial<TableOptions> | undefined)?.[name] !== undefined) {
      throw new ArgumentError(
        `tableBlocks: expected a table in memory, as by table(), beside ${name}, got one in blocks`,
      )
    }
  }
  const options = optionsOf('tableBlocks', given, OPTIONS)
  const { testFraction = 0.2, seed = 0 } = options
  checkOptions(options)
  if (!(isWithin(testFraction, 0, 1) && testFraction > 0)) {
    throw new ArgumentError(
      `tableBlocks: expected testFraction in (0, 1), got ${excerpt(testFraction)}`,
    )
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`tableBlocks: expected a seed from 0 to 2^53 - 1, got ${excerpt(seed)}`)
  }
  const reader = await openReader(source, options)
  try {
    return await open(source, reader, options, { testFraction, seed })
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

async function open(
  source: string,
  reader: TableReader,
  options: TableBlocksOptions,
  { testFraction, seed }: { testFraction: number; seed: number },
): Promise<TableBlocks> {
  const version = versionOf(source)
  const { roles, encoding, classes, notes, description, choice, sizes, sum } = await summarize(
    reader,
    expectedOf(reader, options, limitsOf(options)),
    options,
    { testFraction, seed },
  )
  for (const warning of roles.warnings) {
    process.emitWarning(warning, { type: 'NeuroblasWarning' })
  }
  const name = options.name ?? basename(reader.name)
  const names = [...encoding.features.map((feature) => feature.name), encoding.target.name]
  const columnOf = new Map(reader.columns.map((column) => [column.name, column]))
  const columns = names.map((wanted) => columnOf.get(wanted) as (typeof reader.columns)[number])
  const partOf = (part: 'train' | 'test'): BlockSource => {
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
          const rows = batch[part]
          if (rows.length > 0) yield encoder.encode(batch.columns, rows, batch.first)
        }
      },
    }
  }
  return {
    name,
    train: partOf('train'),
    test: partOf('test'),
    task: roles.task,
    classes,
    encoding,
    notes,
    describe: () => description,
    close: () => reader.close(),
  }
}

/** Of a file: another text once it has changed. */
function versionOf(source: string): string {
  const found = statSync(source, { throwIfNoEntry: false })
  return found?.isFile() ? `${found.size} ${found.mtimeMs} ${found.ino}` : ''
}
