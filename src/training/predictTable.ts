/** `predictTable`: what a model says of the rows of a table, which need not fit into memory. */
import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { isList } from '../base/typedArrays.js'
import { isIterable } from '../data/sources/iterable.js'
import type { SourceOptions } from '../data/sources/source.js'
import { encodedPieces, UnseenTally } from '../data/table/encodedPieces.js'
import type { TableEncoding } from '../data/table/encoding.js'
import type { TableSource } from '../data/table/tableOptions.js'
import type { Classifier } from '../io/classifier.js'
import type { Regressor } from '../io/regressor.js'
import { refuseTrained } from '../nn/lock.js'
import { classify, NONE, regress } from './classify.js'
import { checkPredictor, named, type Predictions } from './predict.js'

/** How `predictTable` reads a table. */
export interface PredictTableOptions
  extends Pick<SourceOptions, 'name' | 'query' | 'duckdb' | 'delimiter' | 'encoding'> {
  /** Examples at a time; 1000 by default. */
  readonly batchSize?: number
}

const OPTIONS: Record<keyof PredictTableOptions, true> = {
  ...{ name: true, query: true, duckdb: true, delimiter: true, encoding: true },
  batchSize: true,
}

/**
 * The classes of the rows of a table, or of a regressor the values, for some thousand rows after others, in the table's
 * order: it may be larger than memory. Columns are found by their names, in any order, and others are ignored, the
 * target among them, which may be missing. A NeuroblasWarning in the end tells of categories that training had not.
 * @param source as `table` takes it: a path, a pattern of paths, SQL, a database, a stream, an iterable of rows
 * @throws ArgumentError for a model that was not trained on a table
 * @throws DataError where the table lacks a column or a value, or has text in place of a number, by the line or row;
 *   BusyError while `fit` trains the model
 * @example
 * for await (const { names } of predictTable(loadClassifier('late.safetensors'), 'trips/*.parquet')) count(names)
 */
export function predictTable(
  classifier: Classifier,
  source: TableSource,
  options?: PredictTableOptions,
): AsyncGenerator<Predictions>
export function predictTable(
  regressor: Regressor,
  source: TableSource,
  options?: PredictTableOptions,
): AsyncGenerator<Float32Array>
export function predictTable(
  model: Classifier | Regressor,
  source: TableSource,
  options: PredictTableOptions = {},
): AsyncGenerator<Predictions | Float32Array> {
  const op = 'predictTable'
  const { batchSize = 1000, ...reading } = optionsOf(op, options, OPTIONS)
  checkPredictor(op, model)
  checkCount(op, 'batchSize', batchSize)
  if (typeof source !== 'string' && !isList(source) && !isIterable(source)) {
    throw new ArgumentError(
      `${op}: expected a path, SQL, an iterable of bytes or of rows, or records, got ${excerpt(source)}`,
    )
  }
  const { encoding } = model
  if (encoding === undefined) {
    throw new ArgumentError(
      `${op}: expected a model that was trained on a table, got ${excerpt(model)}`,
    )
  }
  return answers(model, encoding, source, reading, batchSize)
}

async function* answers(
  model: Classifier | Regressor,
  encoding: TableEncoding,
  source: TableSource,
  { name = typeof source === 'string' ? source : 'table', ...reading }: SourceOptions,
  batchSize: number,
): AsyncGenerator<Predictions | Float32Array> {
  const op = 'predictTable'
  const unseen = new UnseenTally()
  for await (const inputs of encodedPieces(source, name, encoding, reading, unseen)) {
    refuseTrained(op, model.model)
    yield 'classes' in model
      ? named(model, classify(model, inputs, NONE, { batchSize, op }))
      : regress(model, inputs, { batchSize, op })
  }
  for (const note of unseen.notes(name)) {
    process.emitWarning(note, { type: 'NeuroblasWarning' })
  }
}
