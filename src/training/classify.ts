/** The outputs of a classifier or a regressor for rows in memory, as they are answered with. */
import type { ValueEncoding } from '../data/table/encoding.js'
import { applyPreprocessing, type Preprocessing } from '../data/transforms/standardize.js'
import type { Classifier } from '../io/classifier.js'
import type { Regressor } from '../io/regressor.js'
import { isProbabilistic } from '../nn/lossNames.js'
import { inEval, type Module } from '../nn/module.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkFinite } from './outputRows.js'

/** Rows that are gone through at a time. */
export const BATCH = 1000
/** What a table's encoding leaves to do. */
export const NONE: Preprocessing = { mean: [0], scale: [1] }

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

/** How rows are gone through. */
interface Going {
  batchSize?: number
  op?: string
  /** Hears after each batch of the rows that are done. */
  onRows?: (rows: number) => void
}

/** What a classifier's outputs say of the classes: softmax's probabilities of the losses that have them. */
export function classesOf(
  outputs: Tensor,
  areProbabilities: boolean,
): { scores: Tensor; labels: Tensor<'int32'> } {
  const scores = areProbabilities ? outputs.softmax() : outputs
  return { scores, labels: outputs.argmax(-1) }
}

/** An output of a regressor in the unit of its target. */
export function decodedValue(output: number, { mean, scale }: ValueEncoding): number {
  return output / scale + mean
}

/** The classes of rows one after another in one array, whose number and width fit. */
export function classify(
  { model, inputs: width, classes, loss }: Classifier,
  raw: Float32Array | Uint8Array,
  preprocessing: Preprocessing,
  going: Going = {},
): ClassScores {
  const rows = raw.length / width
  const scores = new Float32Array(rows * classes.length)
  const labels = new Int32Array(rows)
  inBatches(model, raw, width, preprocessing, going, (outputs, row) => {
    const found = classesOf(outputs, isProbabilistic(loss))
    labels.set(found.labels.data(), row)
    scores.set(found.scores.data(), row * classes.length)
  })
  checkFinite(going.op ?? 'predict', model, 'scores', scores, classes.length)
  return { labels, scores }
}

/** The values of rows one after another in one array, as the encoding gives them. */
export function regress(
  { model, inputs: width, encoding }: Regressor,
  inputs: Float32Array | Uint8Array,
  going: Going = {},
): Float32Array {
  const target = encoding.target as ValueEncoding
  const values = new Float32Array(inputs.length / width)
  inBatches(model, inputs, width, NONE, going, (outputs, row) => {
    values.set(
      outputs.data().map((value) => decodedValue(value, target)),
      row,
    )
  })
  checkFinite(going.op ?? 'predict', model, 'values', values, 1)
  return values
}

/** Calls `use` with the outputs of each batch and the row that it begins at. */
function inBatches(
  model: Module,
  raw: Float32Array | Uint8Array,
  width: number,
  preprocessing: Preprocessing,
  { batchSize = BATCH, onRows }: Going,
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
      onRows?.(end)
    }
  })
}
