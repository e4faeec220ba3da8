/** The outputs of a module for many examples, a typed array for each of them. */
import { DivergenceError, ShapeError } from '../base/errors.js'
import { Sigmoid, Softmax } from '../nn/activations.js'
import { blameFor } from '../nn/finite.js'
import { inEval, type Module } from '../nn/module.js'
import { concat } from '../ops/layout.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { forward } from './forward.js'
import { lastOf } from './modelChecks.js'
import { type ModuleRows, readModuleInputs } from './moduleInputs.js'

/** What becomes of the outputs of a module for all rows, row by row. */
export function outputRows(
  op: string,
  model: Module,
  rows: ModuleRows,
  batchSize: number,
  shown = (outputs: Tensor) => outputs,
): Float32Array[] {
  const inputs = readModuleInputs(op, rows)
  let [all, width] = [new Float32Array(0), 0]
  inEval(model, () => {
    for (let row = 0; row < inputs.size; row += batchSize) {
      const end = Math.min(row + batchSize, inputs.size)
      noGrad(() =>
        scope(() => {
          const outputs = shown(outputsOf(op, model, inputs.part(row, end)))
          width = outputs.size / (end - row)
          if (row === 0) all = new Float32Array(inputs.size * width)
          all.set(outputs.data(), row * width)
        }),
      )
    }
  })
  checkFinite(op, model, 'outputs', all, width)
  return inRows(all, inputs.size)
}

/** The probabilities of classes, as `predictProba` gives them. */
export function probabilityRows(
  op: string,
  model: Module,
  rows: ModuleRows,
  batchSize: number,
): Float32Array[] {
  const last = lastOf(model)
  return outputRows(op, model, rows, batchSize, (outputs) => probabilities(outputs, last))
}

function probabilities(outputs: Tensor, last: Module | undefined): Tensor {
  const isSingle = outputs.size === outputs.shape[0]
  const isProbability = last instanceof Sigmoid || last instanceof Softmax
  if (!isSingle) return isProbability ? outputs : outputs.softmax()
  const column = outputs.reshape([outputs.size, 1])
  const pair = isProbability
    ? [column.neg().add(1), column]
    : [column.neg().sigmoid(), column.sigmoid()]
  return concat(pair, 1)
}

/** @throws ShapeError for outputs without a row for each example */
function outputsOf(op: string, model: Module, inputs: Tensor): Tensor {
  const outputs = forward(op, model, inputs)
  if (outputs.shape[0] === inputs.shape[0]) return outputs
  throw new ShapeError(
    `${op}: expected outputs for each of ${inputs.shape[0]} examples, got shape ${format(outputs.shape)}`,
  )
}

/** Each of so many rows of equal length, over the same memory. */
export function inRows(values: Float32Array, rows: number): Float32Array[] {
  const width = values.length / rows
  return Array.from({ length: rows }, (_, i) => values.subarray(i * width, (i + 1) * width))
}

/** Nothing must be answered by what is no number. */
export function checkFinite(
  op: string,
  model: Module,
  what: string,
  answers: Float32Array,
  width: number,
): void {
  const at = answers.findIndex((answer) => !Number.isFinite(answer))
  if (at < 0) return
  throw new DivergenceError(
    `${op}: expected finite ${what}, got ${answers[at]} for row ${Math.floor(at / width) + 1} (${blameFor(model)})`,
  )
}
