/** `predict`: the classes of raw features. */

import { checkCount, refuseUnknown } from '../base/arguments.js'
import { DivergenceError, ShapeError } from '../base/errors.js'
import { type Rows, readRows } from '../data/rows.js'
import { applyPreprocessing, type Preprocessing } from '../data/transforms/standardize.js'
import type { Classifier } from '../io/classifier.js'
import { blameFor } from '../nn/finite.js'
import type { Module } from '../nn/module.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { Tensor } from '../tensor/tensor.js'

const BATCH = 1000

/** The classes of some rows, by number. */
export interface ClassScores {
  /** The chosen class of each row, as its position among the classes. */
  labels: Int32Array
  /**
   * [rows, classes], row-major: softmax's probabilities for a model trained on the cross-entropy, else
   * raw outputs.
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
 * classifier. A classifier without any gets bytes as 0 to 1 and other numbers as they are.
 * @param rows [examples, ...shape of one]: nested arrays or a tensor, of raw features
 * @param options.batchSize examples at a time; 1000 by default
 * @throws ShapeError when a row has not as many features as the model, DivergenceError when a score is
 * not finite, ArgumentError
 * @example
 * const classifier = loadClassifier('iris.safetensors')
 * const { names, scores } = predict(classifier, [[5.1, 3.5, 1.4, 0.2]])
 */
export function predict(
  classifier: Classifier,
  rows: Rows,
  options: { batchSize?: number } = {},
): Predictions {
  refuseUnknown('predict', options, ['batchSize'])
  const { batchSize = BATCH } = options
  checkCount('predict', 'batchSize', batchSize)
  const { values, shape } = readRows('predict', rows)
  const { inputs: width, classes } = classifier
  if (values.length !== shape[0] * width) {
    throw new ShapeError(
      `predict: expected rows of ${width} features, got shape [${shape.join(', ')}]`,
    )
  }
  const isBytes = rows instanceof Tensor && rows.dtype === 'uint8'
  const found = classify(classifier, values, preprocessingOf(classifier, isBytes), batchSize)
  return { ...found, names: Array.from(found.labels, (label) => classes[label]) }
}

/** A model that says nothing gets images as they are usually scaled, and other rows as they are. */
export function preprocessingOf(
  { preprocessing }: Pick<Classifier, 'preprocessing'>,
  isBytes: boolean,
): Preprocessing {
  return preprocessing ?? { mean: [0], scale: [isBytes ? 1 / 255 : 1] }
}

/** The same for rows one after another in one array, whose number and width fit. */
export function classify(
  { model, inputs: width, classes, loss }: Classifier,
  raw: Float32Array | Uint8Array,
  preprocessing: Preprocessing,
  batchSize = BATCH,
): ClassScores {
  const rows = raw.length / width
  const scores = new Float32Array(rows * classes.length)
  const labels = new Int32Array(rows)
  return inEval(model, () => {
    for (let row = 0; row < rows; row += batchSize) {
      const end = Math.min(row + batchSize, rows)
      const part = raw.subarray(row * width, end * width)
      noGrad(() =>
        scope(() => {
          const x = tensor(applyPreprocessing(part, width, preprocessing), [end - row, width])
          const outputs = model.forward(x)
          labels.set(outputs.argmax(-1).data(), row)
          const shown = loss === 'cross-entropy' ? outputs.softmax() : outputs
          scores.set(shown.data(), row * classes.length)
        }),
      )
    }
    checkScores(model, scores, classes.length)
    return { labels, scores }
  })
}

/** A class must not be chosen by what is no number. */
function checkScores(model: Module, scores: Float32Array, classes: number): void {
  const at = scores.findIndex((score) => !Number.isFinite(score))
  if (at < 0) return
  throw new DivergenceError(
    `predict: expected finite scores, got ${scores[at]} for row ${Math.floor(at / classes) + 1} (${blameFor(model)})`,
  )
}

function inEval<T>(model: Module, fn: () => T): T {
  const wasTraining = model.training
  model.eval()
  try {
    return fn()
  } finally {
    model.train(wasTraining)
  }
}
