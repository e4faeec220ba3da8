/** What a saved model says about raw features. */

import type { Sequential } from '../nn/sequential.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'

const BATCH = 1000

export interface Scores {
  /** The chosen class of each row. */
  chosen: Int32Array
  /** Row-major [rows, classes]: probabilities where `softmax` was asked for, else raw outputs. */
  values: Float32Array
}

/**
 * Outputs for rows of preprocessed features.
 * @param softmax for a model that was trained on the cross-entropy
 */
export function classify(
  model: Sequential,
  inputs: Float32Array,
  width: number,
  classes: number,
  softmax: boolean,
): Scores {
  const rows = inputs.length / width
  const values = new Float32Array(rows * classes)
  const chosen = new Int32Array(rows)
  model.eval()
  for (let row = 0; row < rows; row += BATCH) {
    const end = Math.min(row + BATCH, rows)
    noGrad(() =>
      scope(() => {
        const x = tensor(inputs.subarray(row * width, end * width), [end - row, width])
        const outputs = model.forward(x)
        chosen.set(outputs.argmax(-1).data(), row)
        values.set((softmax ? outputs.softmax() : outputs).data(), row * classes)
      }),
    )
  }
  return { chosen, values }
}
