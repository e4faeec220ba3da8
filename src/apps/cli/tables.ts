/** Tables as the commands read them: what they are called, and what a saved model reads of them. */

import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type {
  Classifier,
  Preprocessing,
  Regressor,
  TableEncoding,
  TableSource,
} from '../../index.js'
import {
  describeTable,
  encodedPieces,
  isPostgres,
  isSQL,
  namesTable,
  preprocessingOf,
  type SourceOptions,
  UnseenTally,
} from '../../internal.js'
import { UsageError } from './options.js'
import { RowBar } from './rowBar.js'
import { note } from './table.js'
import type { ReadingOptions } from './tableOptions.js'

/** A table that is piped in. */
export const PIPE = '-'

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
export function readingOf(
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

/** What a model without an encoding reads a table by: its features, and perhaps a class after them. */
export function encodingOf(saved: Classifier | Regressor): TableEncoding {
  return (
    saved.encoding ?? numericEncoding(saved.inputs, preprocessingOf(saved as Classifier, false))
  )
}

/**
 * How columns of numbers are read.
 * @param names of the columns; without them, the first columns of a table, and perhaps a class after them
 */
export function numericEncoding(
  count: number,
  { mean, scale }: Preprocessing,
  names?: readonly string[],
): TableEncoding {
  const at = (list: Preprocessing['mean'], i: number) => list[list.length > 1 ? i : 0]
  const columns = names ?? Array.from({ length: count + 1 }, (_, i) => `${i}`)
  return {
    columns,
    isNamed: names !== undefined,
    features: columns
      .slice(0, count)
      .map((name, i) => ({ name, type: 'number', mean: at(mean, i), scale: at(scale, i) })),
    target: { name: `${count}` },
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

/**
 * The inputs of a model for all rows of a table, some after others; a bar tells how many rows were read.
 * Notes tell of categories that training had not.
 */
export async function* piecesFor(
  encoding: TableEncoding,
  source: string,
  options: ReadingOptions,
): AsyncGenerator<Float32Array> {
  const [from, { name = source, ...reading }] = readingOf(source, options)
  const unseen = new UnseenTally()
  const bar = new RowBar(`predicting ${basename(name)}`)
  const how = { ...reading, onRows: bar.update }
  try {
    for await (const inputs of encodedPieces(from, name, encoding, how, unseen)) {
      // What is printed now begins on a line of its own.
      bar.close()
      yield inputs
    }
  } finally {
    bar.close()
  }
  for (const text of unseen.notes(name)) note(text)
}
