/** Reads the batches that metrics are given: labels, outputs for classes, and values. */
import { ArgumentError, ShapeError } from '../base/errors.js'
import type { NumberArray } from '../base/typedArrays.js'
import { format, type Shape, sizeOf } from '../tensor/shape.js'
import { readValues, type ShapedValues } from '../tensor/shapedValues.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'

/** @inline */
type Nested = readonly (number | boolean | ArrayLike<number> | Nested)[]

/**
 * Predictions or targets of a batch, which is the first axis: a tensor, arrays, or a typed array, with its
 * shape where it has more axes than one.
 */
export type BatchValues = Nested | ArrayLike<number> | Tensor | Tensor<'int32'> | ShapedValues

interface Values {
  values: NumberArray
  shape: Shape
}

/** Beyond this a label is taken for a mistake. */
const MAX_CLASSES = 65536

function read(op: string, given: BatchValues): Values {
  if (isTensor(given)) return { values: given.data() as NumberArray, shape: given.shape }
  return readValues(op, given)
}

/** @param perRow values of each row @throws ArgumentError for the first that is not accepted */
function check(
  values: ArrayLike<number>,
  perRow: number,
  accepts: (value: number) => boolean,
  message: (got: string) => string,
): void {
  for (let i = 0; i < values.length; i++) {
    if (accepts(values[i])) continue
    throw new ArgumentError(message(`${values[i]} at row ${Math.floor(i / perRow)}`))
  }
}

const isNumber = (value: number) => !Number.isNaN(value)
const isLabel = (value: number) => Number.isInteger(value) && value >= 0 && value < MAX_CLASSES

/** Scores of classes, and the class that each row of them belongs to. */
export interface ScoredBatch {
  /** Row-major [rows, width]. */
  scores: NumberArray
  /** Scores per row; one is that of class 1 of two. */
  width: number
  /** Of each row. */
  labels: ArrayLike<number>
}

/**
 * Outputs [batch, …, classes], or of two classes the scores [batch] of class 1, and their labels: [batch, …],
 * or rows with a 1 at the label.
 * @throws ShapeError, ArgumentError
 */
export function readScored(op: string, outputs: BatchValues, targets: BatchValues): ScoredBatch {
  const { values, shape } = read(`${op}: outputs`, outputs)
  const width = shape.length > 1 ? shape[shape.length - 1] : 1
  if (width === 0) {
    throw new ShapeError(`${op}: expected outputs [batch, classes], got shape ${format(shape)}`)
  }
  check(values, width, isNumber, (got) => `${op}: expected outputs that are numbers, got ${got}`)
  return { scores: values, width, labels: readLabels(op, targets, shape, width) }
}

/** A batch whose rows were taken for classes. */
export interface LabelledBatch {
  predicted: ArrayLike<number>
  labels: ArrayLike<number>
  /** That outputs or labels tell of. */
  classes: number
}

/**
 * Predicted classes and labels. Predictions are labels [batch], or outputs [batch, …, classes], of which the
 * first largest counts; a single one means class 1 where it is above the threshold.
 * @throws ShapeError, ArgumentError
 */
export function readLabelled(
  op: string,
  outputs: BatchValues,
  targets: BatchValues,
  threshold: number,
): LabelledBatch {
  const { values, shape } = read(`${op}: outputs`, outputs)
  if (shape.length < 2) {
    check(
      values,
      1,
      isLabel,
      (got) => `${op}: expected predicted labels, or outputs [batch, classes], got ${got}`,
    )
    const labels = readLabels(op, targets, shape, Infinity)
    let classes = 0
    for (let i = 0; i < labels.length; i++)
      classes = Math.max(classes, values[i] + 1, labels[i] + 1)
    return { predicted: values, labels, classes }
  }
  const { scores, width, labels } = readScored(op, { data: values, shape }, targets)
  const predicted = new Int32Array(labels.length)
  for (let row = 0; row < predicted.length; row++) {
    const begin = row * width
    if (width === 1) predicted[row] = scores[begin] > threshold ? 1 : 0
    else predicted[row] = largest(scores, begin, begin + width) - begin
  }
  return { predicted, labels, classes: Math.max(width, 2) }
}

/** The position of the first largest. */
function largest(values: ArrayLike<number>, begin: number, end: number): number {
  let at = begin
  for (let i = begin + 1; i < end; i++) if (values[i] > values[at]) at = i
  return at
}

function readLabels(
  op: string,
  given: BatchValues,
  shape: Shape,
  width: number,
): ArrayLike<number> {
  const { values, shape: targetShape } = read(`${op}: targets`, given)
  const rows = Number.isFinite(width) ? sizeOf(shape) / width : sizeOf(shape)
  const isOneHot = width > 1 && format(targetShape) === format(shape) && shape.length > 1
  if (!isOneHot && values.length !== rows) {
    throw new ShapeError(
      `${op}: expected a label for each of ${rows} predictions, got targets of shape ${format(targetShape)}`,
    )
  }
  const hint = '; values are measured by mae, mse, r2 and the like'
  if (isOneHot) return labelsOfRows(op, values, width, hint)
  check(values, 1, isLabel, (got) => `${op}: expected labels from 0, got ${got}${hint}`)
  const limit = width === 1 ? 2 : width
  check(
    values,
    1,
    (label) => label < limit,
    (got) => `${op}: expected labels in 0..${limit - 1} for outputs ${format(shape)}, got ${got}`,
  )
  return values
}

function labelsOfRows(op: string, values: NumberArray, width: number, hint: string): Int32Array {
  const labels = new Int32Array(values.length / width)
  for (let row = 0; row < labels.length; row++) {
    const begin = row * width
    const at = largest(values, begin, begin + width)
    for (let i = begin; i < begin + width; i++) {
      if (values[i] === (i === at ? 1 : 0)) continue
      throw new ArgumentError(
        `${op}: expected labels, or rows with a single 1, got ${values[i]} at row ${row}${hint}`,
      )
    }
    labels[row] = at - begin
  }
  return labels
}

/** Values, and what they should have been. */
export interface PairedBatch {
  /** Row-major [rows, columns]. */
  predicted: NumberArray
  /** The same of the targets. */
  targets: NumberArray
  columns: number
}

/**
 * Predicted values and targets of one shape; an axis of one value may be left out.
 * @throws ShapeError, ArgumentError
 */
export function readPaired(op: string, outputs: BatchValues, targets: BatchValues): PairedBatch {
  const [predicted, wanted] = [read(`${op}: outputs`, outputs), read(`${op}: targets`, targets)]
  if (predicted.shape.length === 0) {
    throw new ShapeError(`${op}: expected outputs [batch, …], got a scalar`)
  }
  const plain = (shape: Shape) => format(shape.filter((extent, i) => i === 0 || extent !== 1))
  if (plain(predicted.shape) !== plain(wanted.shape)) {
    const isLabels = predicted.shape.length > wanted.shape.length
    throw new ShapeError(
      `${op}: expected targets of the outputs' shape ${format(predicted.shape)}, got ${format(wanted.shape)}` +
        `${isLabels ? '; labels of classes are measured by accuracy, f1 and the like' : ''}`,
    )
  }
  const columns = sizeOf(predicted.shape.slice(1))
  for (const [what, { values }] of Object.entries({ outputs: predicted, targets: wanted })) {
    check(values, columns, Number.isFinite, (got) => `${op}: expected finite ${what}, got ${got}`)
  }
  return { predicted: predicted.values, targets: wanted.values, columns }
}
