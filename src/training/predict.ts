/** `predict`: the classes of raw features, the values of a regression, the outputs of a module. */

import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type BlockSource, isBlockSource } from '../data/blocks/blockSource.js'
import { checkDataset } from '../data/dataset.js'
import { type Rows, readRows } from '../data/rows.js'
import { encodeInMemory } from '../data/table/applied.js'
import type { TableRows } from '../data/table/frame.js'
import { unseenNotes } from '../data/table/openTable.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import type { Classifier } from '../io/classifier.js'
import type { Regressor } from '../io/regressor.js'
import { refuseTrained } from '../nn/lock.js'
import { isProbabilistic } from '../nn/lossNames.js'
import { type AnyModule, isModule, type Module } from '../nn/module.js'
import { format } from '../tensor/shape.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'
import { BATCH, type ClassScores, classify, NONE, regress } from './classify.js'
import { isDataset, type ModuleRows, readShaped } from './moduleInputs.js'
import { inRows, outputRows, probabilityRows } from './outputRows.js'
import { blockByBlock } from './predictBlocks.js'

/** The classes of some rows, by number and by name. */
export interface Predictions extends ClassScores {
  /** The name of each row's class. */
  names: string[]
}

/**
 * What is predicted for: rows, records of a table, or a data set.
 * @inline
 */
type Asked = ModuleRows | TableRows

type Answers = Predictions | Float32Array | Float32Array[]

/** Settings of `predict` and `predictProba`. */
export interface PredictOptions {
  /** Examples at a time; 1000 by default. */
  batchSize?: number
}

/**
 * The classes of new examples. Raw features go through the preprocessing that was kept with the
 * classifier; one without any gets bytes as 0 to 1 and other numbers as they are. Of a classifier that
 * was trained on a table, the rows are records by the names of its columns, or cells in the order of its
 * features; a NeuroblasWarning tells of categories that training had not.
 * @param rows [examples, ...shape of one]: nested arrays, a tensor or `{ data, shape }`, of raw features; records; or
 *   a data set, of raw features or as `table` encoded it
 * @param options.batchSize examples at a time; 1000 by default
 * @throws ShapeError when a row has not as many features as the model, DivergenceError when a score is
 * not finite, ArgumentError, BusyError while `fit` trains the model, but for its callbacks
 * @throws DataError of a table: when a row lacks a column or a value, or has text in place of a number
 * @example
 * const classifier = loadClassifier('iris.safetensors')
 * const { names, scores } = predict(classifier, [[5.1, 3.5, 1.4, 0.2]])
 */
export function predict(classifier: Classifier, rows: Asked, options?: PredictOptions): Predictions
/**
 * The values that a regressor predicts for the rows of a table, in the unit of its target.
 * @param rows records by the names of the columns, or cells in the order of the features
 * @param options.batchSize examples at a time; 1000 by default
 * @throws DataError when a row lacks a column or a value, or has text in place of a number, BusyError as above
 * @example const [price] = predict(loadRegressor('houses.safetensors'), [{ rooms: 4, district: 'east' }])
 */
export function predict(regressor: Regressor, rows: Asked, options?: PredictOptions): Float32Array
/**
 * The outputs of a module, in `eval` and without gradients: a Float32Array for each example, row by row. Bytes of a
 * data set are multiplied by its scale, those of a tensor go from 0 to 1; other inputs go in as they are.
 * @param rows [examples, ...shape of one]: nested arrays, a tensor (int32, too, for an `Embedding`), a typed array
 *   with its shape as `{ data, shape }`, or a data set
 * @param options.batchSize examples at a time; 1000 by default
 * @throws ShapeError when the module does not take the inputs, DivergenceError, ArgumentError, BusyError as above
 * @example const [[first, second]] = predict(mlp([4, 2]), [[5.1, 3.5, 1.4, 0.2]])
 */
export function predict(
  module: Module | Module<[x: Tensor<'int32'>]>,
  rows: ModuleRows,
  options?: PredictOptions,
): Float32Array[]
/**
 * The same for examples that come in blocks, one part of them after another in the source's order. Inputs are as
 * those of a data set.
 * @example for await (const { names } of predict(classifier, test)) print(names)
 */
export function predict(
  classifier: Classifier,
  source: BlockSource,
  options?: PredictOptions,
): AsyncIterable<Predictions>
export function predict(
  regressor: Regressor,
  source: BlockSource,
  options?: PredictOptions,
): AsyncIterable<Float32Array>
export function predict(
  module: Module,
  source: BlockSource,
  options?: PredictOptions,
): AsyncIterable<Float32Array[]>
export function predict(
  model: Classifier | Regressor | AnyModule,
  rows: Asked | BlockSource,
  options: PredictOptions = {},
): Answers | AsyncIterable<Answers> {
  const batchSize = checkAsked('predict', model, options)
  if (isBlockSource(rows)) {
    return blockByBlock('predict', rows, (data) => predict(model as Module, data, options))
  }
  if (isModule(model)) return outputRows('predict', model, rows as ModuleRows, batchSize)
  const saved = model as Classifier | Regressor
  const { inputs, preprocessing } = inputsFor('predict', saved, rows)
  if (!('classes' in saved)) return regress(saved, inputs, { batchSize })
  return named(saved, classify(saved, inputs, preprocessing, { batchSize }))
}

/** Classes by name, too. */
export function named({ classes }: Classifier, found: ClassScores): Predictions {
  return { ...found, names: Array.from(found.labels, (label) => classes[label]) }
}

/**
 * The probabilities of the classes, a Float32Array for each example: softmax of several outputs, and of a single one
 * 1 - p and p of sigmoid, as scikit-learn's predict_proba. A module that ends with `Softmax` or `Sigmoid` gives them
 * itself; several outputs behind a `Sigmoid` are probabilities each.
 * @param rows as `predict` takes them
 * @param options.batchSize examples at a time; 1000 by default
 * @throws ArgumentError for a regressor and for a classifier whose loss knows no probabilities; others as `predict`
 * @example const [[no, yes]] = predictProba(mlp([4, 1]), [[5.1, 3.5, 1.4, 0.2]])
 */
export function predictProba(
  model: Classifier | Module,
  rows: Asked,
  options?: PredictOptions,
): Float32Array[]
/**
 * The same for examples that come in blocks, one part of them after another in the source's order. Inputs are as
 * those of a data set.
 * @example for await (const rows of predictProba(classifier, test)) for (const [no, yes] of rows) print(yes)
 */
export function predictProba(
  model: Classifier | Module,
  source: BlockSource,
  options?: PredictOptions,
): AsyncIterable<Float32Array[]>
export function predictProba(
  model: Classifier | Module,
  rows: Asked | BlockSource,
  options: PredictOptions = {},
): Float32Array[] | AsyncIterable<Float32Array[]> {
  const op = 'predictProba'
  const batchSize = checkAsked(op, model, options)
  if (!isModule(model)) requireProbabilities(op, model)
  if (isBlockSource(rows)) {
    return blockByBlock(op, rows, (data) => predictProba(model, data, options))
  }
  if (isModule(model)) return probabilityRows(op, model, rows as ModuleRows, batchSize)
  const { inputs, preprocessing } = inputsFor(op, model, rows)
  const { labels, scores } = classify(model, inputs, preprocessing, { batchSize, op })
  return inRows(scores, labels.length)
}

/** @throws ArgumentError */
function requireProbabilities(op: string, { classes, loss }: Classifier): void {
  if (classes !== undefined && isProbabilistic(loss)) return
  const found = classes ? `one of the loss ${loss}` : 'a regressor'
  throw new ArgumentError(
    `${op}: expected a classifier that was trained on the cross-entropy, got ${found}`,
  )
}

/** @returns the batch size @throws ArgumentError, BusyError */
function checkAsked(
  op: string,
  model: Classifier | Regressor | Module,
  options: PredictOptions,
): number {
  const { batchSize = BATCH } = optionsOf(op, options, { batchSize: true })
  if (!isModule(model)) checkPredictor(op, model)
  checkCount(op, 'batchSize', batchSize)
  refuseTrained(op, isModule(model) ? model : model.model)
  return batchSize
}

/** What goes into the model but for the preprocessing that is still to be done. */
function inputsFor(
  op: string,
  model: Classifier | Regressor,
  rows: Asked,
): { inputs: Float32Array | Uint8Array; preprocessing: Preprocessing } {
  const { encoding, inputs: width } = model
  if (isDataset(rows)) {
    const { inputs, size, scale } = checkDataset(op, rows)
    requireWidth(op, width, inputs.length, [size, ...rows.inputShape])
    if (encoding) return { inputs, preprocessing: NONE }
    const { preprocessing } = model as Classifier
    return { inputs, preprocessing: preprocessing ?? { mean: [0], scale: [scale] } }
  }
  if (encoding) {
    const cells = isTensor(rows) ? rowsOf(op, rows) : (rows as TableRows)
    const { inputs, unseen } = encodeInMemory(op, cells, encoding)
    for (const note of unseenNotes(op, unseen)) {
      process.emitWarning(note, { type: 'NeuroblasWarning' })
    }
    return { inputs, preprocessing: NONE }
  }
  const { values, shape } = readShaped(op, rows as Rows)
  requireWidth(op, width, values.length, shape)
  const isBytes = isTensor(rows) && rows.dtype === 'uint8'
  return { inputs: values, preprocessing: preprocessingOf(model as Classifier, isBytes) }
}

function requireWidth(op: string, width: number, values: number, shape: readonly number[]): void {
  if (values === shape[0] * width) return
  throw new ShapeError(`${op}: expected rows of ${width} features, got shape ${format(shape)}`)
}

function rowsOf(op: string, rows: Rows): number[][] {
  const { values, shape } = readRows(op, rows)
  const width = values.length / shape[0]
  return Array.from({ length: shape[0] }, (_, i) => [...values.slice(i * width, (i + 1) * width)])
}

export function checkPredictor(op: string, given: Classifier | Regressor): void {
  const { model, inputs } = given ?? {}
  if (isModule(model) && Number.isInteger(inputs)) return
  throw new ArgumentError(
    `${op}: expected a classifier, as loadClassifier() gives it, a regressor or a module, got ${excerpt(given)}`,
  )
}

/** A model that says nothing gets images as they are usually scaled, and other rows as they are. */
export function preprocessingOf(
  { preprocessing }: { readonly preprocessing?: Preprocessing },
  isBytes: boolean,
): Preprocessing {
  return preprocessing ?? { mean: [0], scale: [isBytes ? 1 / 255 : 1] }
}
