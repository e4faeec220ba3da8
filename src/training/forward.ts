/** A model asked about a batch of a data set, and what is said where they do not fit. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import type { ExampleForm } from '../data/dataset.js'
import { classLimit, type Loss, type TargetKind, type Targets, traitsOf } from '../nn/losses.js'
import type { Module } from '../nn/module.js'
import { format } from '../tensor/shape.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'

/**
 * The model's outputs for inputs, of a data set where there is one.
 * @throws ShapeError that names layer and data when the inputs do not fit, ArgumentError when the model
 *   gives no tensor
 */
export function forward(op: string, model: Module, inputs: Tensor, data?: ExampleForm): Tensor {
  if (typeof model.forward !== 'function') {
    throw new ArgumentError(
      `${op}: expected a model with a method forward, got ${model.constructor.name} without`,
    )
  }
  let outputs: unknown
  try {
    outputs = model.forward(inputs)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const examples = data
      ? `; examples of the data set '${data.name}' have shape ${format(data.inputShape)}`
      : ''
    throw new ShapeError(`${op}: ${error.message}${examples}`, { cause: error })
  }
  if (isTensor(outputs)) return outputs
  throw new ArgumentError(
    `${op}: expected model.forward to return a tensor, got ${excerpt(outputs)}`,
  )
}

/**
 * The loss of a batch.
 * @param sampleWeights of its examples
 * @throws ArgumentError when it is no tensor, or leaves the weights alone, ShapeError when it is no scalar
 */
export function lossOf(
  op: string,
  loss: Loss<TargetKind>,
  outputs: Tensor,
  targets: Targets,
  sampleWeights?: Tensor,
): Tensor {
  const value: unknown = sampleWeights
    ? weightedLoss(op, loss, outputs, targets, sampleWeights)
    : loss(outputs, targets)
  if (!isTensor(value)) {
    throw new ArgumentError(`${op}: expected a loss that returns a tensor, got ${excerpt(value)}`)
  }
  if (value.size === 1) return value
  throw new ShapeError(
    `${op}: expected a loss that gives a scalar, the mean of the batch, got shape ${format(value.shape)}`,
  )
}

function weightedLoss(
  op: string,
  loss: Loss<TargetKind>,
  outputs: Tensor,
  targets: Targets,
  sampleWeights: Tensor,
): unknown {
  let isAsked = false
  const value: unknown = loss(outputs, targets, {
    get sampleWeights() {
      isAsked = true
      return sampleWeights
    },
  })
  if (isAsked) return value
  throw new ArgumentError(
    `${op}: expected a loss that takes { sampleWeights } as its third argument, as those of the library do, got ${loss.name || 'one'} without`,
  )
}

/**
 * Refuses labels that outputs [batch, classes] have no place for.
 * @throws ArgumentError that says how targets become values
 */
export function checkLabels(
  op: string,
  { name, targets, classes }: ExampleForm,
  outputs: Tensor,
  loss: Loss<TargetKind>,
): void {
  const width = outputs.shape.length === 2 ? outputs.shape[1] : Infinity
  const limit = classLimit(loss, width)
  if (kindOfTypedArray(targets) !== 'Int32Array' || classes.length <= limit) return
  const { ignoreIndex } = traitsOf(loss)
  const row = targets.findIndex((label) => label >= limit && label !== ignoreIndex)
  if (row < 0) return
  throw new ArgumentError(
    `${op}: expected labels in 0..${limit - 1} for ${width} output${width === 1 ? '' : 's'}, got ${targets[row]} at row ${row} of '${name}'; classes need an output each, values to predict are given as dataset({ …, task: 'regress' })`,
  )
}
