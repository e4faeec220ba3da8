/** Weights of classes or outputs, and labels that do not count. */
import { ArgumentError, excerpt, KernelError, ShapeError } from '../base/errors.js'
import type { NumberArray } from '../base/typedArrays.js'
import { where } from '../ops/elementwise.js'
import { filled } from '../ops/raw.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import { format, sameShape } from '../tensor/shape.js'
import { type Tensor, writeElements } from '../tensor/tensor.js'
import type { Losses, Targets } from './loss.js'
import { checkOutputs } from './lossTargets.js'

/** @inline */
export type Weights = readonly number[] | NumberArray

/** Settings of losses of labels. */
export interface ClassOptions {
  /**
   * How much each class counts, numbers >= 0. A mean is divided by the sum of the weights of the
   * labels, as in PyTorch.
   */
  classWeights?: Weights
  /** A label whose examples lose nothing, and are not counted in a mean: any int32, such as -100. */
  ignoreIndex?: number
}

/** A copy of a list of weights. @throws ArgumentError for what is none */
export function readWeights(op: string, name: string, given: Weights): number[] {
  const isList = Array.isArray(given) || (ArrayBuffer.isView(given) && 'length' in given)
  const values = isList ? Array.from(given) : []
  const isWeight = (value: unknown) =>
    typeof value === 'number' && value >= 0 && Math.fround(value) < Infinity
  if (values.length > 0 && values.every(isWeight)) return values
  const at = values.findIndex((value) => !isWeight(value))
  const got = at < 0 ? excerpt(given) : `${excerpt(values[at])} at ${at}`
  throw new ArgumentError(`${op}: expected ${name} to be numbers >= 0, got ${got}`)
}

/** Checked settings of a loss of labels. @throws ArgumentError when one is out of range */
export function readClassOptions<Options extends ClassOptions>(
  op: string,
  settings: Options,
): Options {
  const { classWeights, ignoreIndex } = settings
  const isInt32 = Number.isInteger(ignoreIndex) && (ignoreIndex! | 0) === ignoreIndex
  if (ignoreIndex !== undefined && !isInt32) {
    throw new ArgumentError(
      `${op}: expected ignoreIndex to be an int32, got ${excerpt(ignoreIndex)}`,
    )
  }
  if (classWeights === undefined) return settings
  return { ...settings, classWeights: readWeights(op, 'classWeights', classWeights) }
}

/** Weights along the last axis of x, as a tensor beside it. */
export function weightsFor(op: string, x: Tensor, weights: Weights, name: string): Tensor {
  const extent = x.shape.at(-1)
  if (weights.length !== extent) {
    throw new ShapeError(
      `${op}: expected ${name} of ${extent} numbers for ${format(x.shape)}, got ${weights.length}`,
    )
  }
  const y = allocate(x, [weights.length])
  writeElements(op, y, weights)
  return y
}

/** Rows [n, classes] and their labels [n]: of more axes, all but the last are one. */
export function labelledRows(
  op: string,
  outputs: Tensor,
  labels: Targets,
): [rows: Tensor, labels: Tensor<'int32'>] {
  checkOutputs(op, outputs)
  const { shape } = outputs
  if (shape.length < 2 || !sameShape(labels.shape, shape.slice(0, -1))) {
    const isOneHot = sameShape(labels.shape, shape)
    throw new ShapeError(
      `${op}: expected outputs [batch, …, classes] and labels [batch, …], got ${format(shape)} and ${format(labels.shape)}${isOneHot ? "; one-hot rows are floats, as cast('float32') makes them" : ''}`,
    )
  }
  const ofRows = labels as Tensor<'int32'>
  if (shape.length === 2) return [outputs, ofRows]
  return [outputs.reshape([labels.size, shape.at(-1)!]), ofRows.reshape([labels.size])]
}

/** The entry of each row that its label names, times -1. */
export function negativeEntries(op: string, rows: Tensor, labels: Tensor<'int32'>): Tensor {
  return labelled(op, rows, labels).squeeze(1).neg()
}

function labelled(op: string, rows: Tensor, labels: Tensor<'int32'>): Tensor {
  try {
    return rows.gather(1, labels.unsqueeze(1))
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new KernelError(`${op}: labels: ${error.message}`, { cause: error })
  }
}

interface Smoothed extends ClassOptions {
  /** Share of a loss that is the mean over all classes. Its outputs must be log probabilities. */
  labelSmoothing?: number
}

/** Losses of labels, weighted by their classes; 0 where a label is the ignored one. */
export function lossesOfLabels(
  op: string,
  outputs: Tensor,
  targets: Targets,
  { classWeights, ignoreIndex, labelSmoothing = 0 }: Smoothed,
  lossesOf: (rows: Tensor, labels: Tensor<'int32'>) => Tensor,
): Losses {
  const [rows, given] = labelledRows(op, outputs, targets)
  const weights = classWeights && weightsFor(op, rows, classWeights, 'classWeights')
  const isKept = ignoreIndex === undefined ? undefined : given.notEqual(ignoreIndex)
  const labels = isKept ? where(isKept, given, filled(given, 0, []) as Tensor<'int32'>) : given
  const kept = (x: Tensor) => (isKept ? where(isKept, x, fullLike(x, 0, [])) : x)

  let losses = lossesOf(rows, labels)
  const own = weights?.take(labels)
  if (own) losses = losses.mul(own)
  if (labelSmoothing > 0) {
    const ofAll = (weights ? rows.mul(weights) : rows).mean(-1).neg()
    losses = losses.mul(1 - labelSmoothing).add(ofAll.mul(labelSmoothing))
  }
  const isEachOne = !own && !isKept
  return {
    each: targets.shape.length === 1 ? kept(losses) : kept(losses).reshape(targets.shape),
    divisor: isEachOne ? undefined : kept(own ?? fullLike(losses, 1)).sum(),
  }
}
