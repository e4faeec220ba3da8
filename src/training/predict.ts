/** `predict`: the classes of raw features, and the values of a regression. */

import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, DivergenceError, excerpt, ShapeError } from '../base/errors.js'
import { type Rows, readRows } from '../data/rows.js'
import { encodeInMemory } from '../data/table/applied.js'
import type { ValueEncoding } from '../data/table/encoding.js'
import type { TableRows } from '../data/table/frame.js'
import { unseenNotes } from '../data/table/openTable.js'
import { applyPreprocessing, type Preprocessing } from '../data/transforms/standardize.js'
import type { Classifier } from '../io/classifier.js'
import type { Regressor } from '../io/regressor.js'
import { blameFor } from '../nn/finite.js'
import { refuseTrained } from '../nn/lock.js'
import { isProbabilistic } from '../nn/lossNames.js'
import { inEval, isModule, type Module } from '../nn/module.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'

const BATCH = 1000
/** What a table's encoding leaves to do. */
const NONE: Preprocessing = { mean: [0], scale: [1] }

/** The classes of some rows, by number. */
export interface ClassScores {
  /** The chosen class of each row, as its position among the classes. */
  labels: Int32Array
  /**
   * [rows, classes], row-major: softmax's probabilities for a model trained on the cross-entropy or the
   * focal loss, else raw outputs.
   */
  scores: Float32Array
}

/** The classes of some rows, by number and by name. */
export interface Predictions extends ClassScores {
  /** The name of each row's class. */
  names: string[]
}

/**
 * The classes of new examples. Raw features go through the preprocessing that was kept with the
 * classifier; one without any gets bytes as 0 to 1 and other numbers as they are. Of a classifier that
 * was trained on a table, the rows are records by the names of its columns, or cells in the order of its
 * features; a NeuroblasWarning tells of categories that training had not.
 * @param rows [examples, ...shape of one]: nested arrays or a tensor, of raw features, or records
 * @param options.batchSize examples at a time; 1000 by default
 * @throws ShapeError when a row has not as many features as the model, DivergenceError when a score is
 * not finite, ArgumentError, BusyError while `fit` trains the model, but for its callbacks
 * @throws DataError of a table: when a row lacks a column or a value, or has text in place of a number
 * @example
 * const classifier = loadClassifier('iris.safetensors')
 * const { names, scores } = predict(classifier, [[5.1, 3.5, 1.4, 0.2]])
 */
export function predict(
  classifier: Classifier,
  rows: Rows | TableRows,
  options?: { batchSize?: number },
): Predictions
/**
 * The values that a regressor predicts for the rows of a table, in the unit of its target.
 * @param rows records by the names of the columns, or cells in the order of the features
 * @param options.batchSize examples at a time; 1000 by default
 * @throws DataError when a row lacks a column or a value, or has text in place of a number, BusyError as above
 * @example const [price] = predict(loadRegressor('houses.safetensors'), [{ rooms: 4, district: 'east' }])
 */
export function predict(
  regressor: Regressor,
  rows: Rows | TableRows,
  options?: { batchSize?: number },
): Float32Array
export function predict(
  model: Classifier | Regressor,
  rows: Rows | TableRows,
  options: { batchSize?: number } = {},
): Predictions | Float32Array {
  const { batchSize = BATCH } = optionsOf('predict', options, { batchSize: true })
  checkPredictor(model)
  checkCount('predict', 'batchSize', batchSize)
  refuseTrained('predict', model.model)
  const { inputs, preprocessing } = inputsFor(model, rows)
  if (!('classes' in model)) return regress(model, inputs, batchSize)
  const found = classify(model, inputs, preprocessing, batchSize)
  return { ...found, names: Array.from(found.labels, (label) => model.classes[label]) }
}

/** What goes into the model but for the preprocessing that is still to be done. */
function inputsFor(
  model: Classifier | Regressor,
  rows: Rows | TableRows,
): { inputs: Float32Array; preprocessing: Preprocessing } {
  const { encoding, inputs: width } = model
  if (encoding) {
    const cells = isTensor(rows) ? rowsOf(rows) : (rows as TableRows)
    const { inputs, unseen } = encodeInMemory('predict', cells, encoding)
    for (const note of unseenNotes('predict', unseen)) {
      process.emitWarning(note, { type: 'NeuroblasWarning' })
    }
    return { inputs, preprocessing: NONE }
  }
  const { values, shape } = readRows('predict', rows as Rows)
  if (values.length !== shape[0] * width) {
    throw new ShapeError(
      `predict: expected rows of ${width} features, got shape [${shape.join(', ')}]`,
    )
  }
  const isBytes = isTensor(rows) && rows.dtype === 'uint8'
  return { inputs: values, preprocessing: preprocessingOf(model as Classifier, isBytes) }
}

function rowsOf(rows: Rows): number[][] {
  const { values, shape } = readRows('predict', rows)
  const width = values.length / shape[0]
  return Array.from({ length: shape[0] }, (_, i) => [...values.slice(i * width, (i + 1) * width)])
}

function checkPredictor(given: Classifier | Regressor): void {
  const { model, inputs } = given ?? {}
  if (isModule(model) && Number.isInteger(inputs)) return
  throw new ArgumentError(
    `predict: expected a classifier, as loadClassifier() gives it, or a regressor, got ${excerpt(given)}`,
  )
}

/** A model that says nothing gets images as they are usually scaled, and other rows as they are. */
export function preprocessingOf(
  { preprocessing }: { readonly preprocessing?: Preprocessing },
  isBytes: boolean,
): Preprocessing {
  return preprocessing ?? { mean: [0], scale: [isBytes ? 1 / 255 : 1] }
}

/** The classes of rows one after another in one array, whose number and width fit. */
export function classify(
  { model, inputs: width, classes, loss }: Classifier,
  raw: Float32Array | Uint8Array,
  preprocessing: Preprocessing,
  batchSize = BATCH,
): ClassScores {
  const rows = raw.length / width
  const scores = new Float32Array(rows * classes.length)
  const labels = new Int32Array(rows)
  inBatches(model, raw, width, preprocessing, batchSize, (outputs, row) => {
    labels.set(outputs.argmax(-1).data(), row)
    const shown = isProbabilistic(loss) ? outputs.softmax() : outputs
    scores.set(shown.data(), row * classes.length)
  })
  checkFinite(model, 'scores', scores, classes.length)
  return { labels, scores }
}

/** The values of rows one after another in one array, as the encoding gives them. */
export function regress(
  { model, inputs: width, encoding }: Regressor,
  inputs: Float32Array,
  batchSize = BATCH,
): Float32Array {
  const { mean, scale } = encoding.target as ValueEncoding
  const values = new Float32Array(inputs.length / width)
  inBatches(model, inputs, width, NONE, batchSize, (outputs, row) => {
    values.set(
      outputs.data().map((value) => value / scale + mean),
      row,
    )
  })
  checkFinite(model, 'values', values, 1)
  return values
}

/** Calls `use` with the outputs of each batch and the row that it begins at. */
function inBatches(
  model: Module,
  raw: Float32Array | Uint8Array,
  width: number,
  preprocessing: Preprocessing,
  batchSize: number,
  use: (outputs: Tensor, row: number) => void,
): void {
  const rows = raw.length / width
  inEval(model, () => {
    for (let row = 0; row < rows; row += batchSize) {
      const end = Math.min(row + batchSize, rows)
      const part = raw.subarray(row * width, end * width)
      noGrad(() =>
        scope(() => {
          const x = tensor(applyPreprocessing(part, width, preprocessing), [end - row, width])
          use(model.forward(x), row)
        }),
      )
    }
  })
}

/** Nothing must be answered by what is no number. */
function checkFinite(model: Module, what: string, answers: Float32Array, width: number): void {
  const at = answers.findIndex((answer) => !Number.isFinite(answer))
  if (at < 0) return
  throw new DivergenceError(
    `predict: expected finite ${what}, got ${answers[at]} for row ${Math.floor(at / width) + 1} (${blameFor(model)})`,
  )
}
