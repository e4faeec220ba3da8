/** Losses and metrics as Keras names them, on what a model computes before its last activation. */
import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  hinge,
  huber,
  type Loss,
  mae,
  mse,
  predictedClasses,
  softmaxCrossEntropy,
  type Targets,
  type Tensor,
} from '../../index.js'
import type { ActivationName } from './layers.js'
import type { Loss as LossObject } from './lossClasses.js'
import { type Named, named } from './names.js'

/** What targets are: a class label per example, or values, or signs, in the shape of the outputs. */
type Kind = 'labels' | 'values' | 'signs'

interface Known {
  loss: Loss
  kind: Kind
  /** The last activation that belongs to the loss: it is left out, and the loss takes logits. */
  activation?: ActivationName
}

const losses = {
  sparseCategoricalCrossentropy: {
    loss: softmaxCrossEntropy,
    kind: 'labels',
    activation: 'softmax',
  },
  categoricalCrossentropy: { loss: softmaxCrossEntropy, kind: 'values', activation: 'softmax' },
  binaryCrossentropy: {
    loss: binaryCrossEntropyWithLogits,
    kind: 'values',
    activation: 'sigmoid',
  },
  meanSquaredError: { loss: mse, kind: 'values' },
  mse: { loss: mse, kind: 'values' },
  meanAbsoluteError: { loss: mae, kind: 'values' },
  mae: { loss: mae, kind: 'values' },
  huber: { loss: huber, kind: 'values' },
  hinge: { loss: hinge, kind: 'signs' },
} satisfies Record<string, Known>
/**
 * Losses by name, also in snake_case: `sparseCategoricalCrossentropy` for class labels,
 * `categoricalCrossentropy`, `binaryCrossentropy`, `meanSquaredError` (`mse`), `meanAbsoluteError`
 * (`mae`), `huber` and `hinge`.
 *
 * @useDeclaredType
 */
export type LossName = Named<keyof typeof losses>

export interface Objective {
  loss: Loss
  kind: Kind
  /** Whether the last activation is left out while the loss is computed. */
  takesLogits: boolean
}

/**
 * The loss for a model that ends with an activation.
 * @throws ArgumentError when the activation does not belong to the loss
 */
export function objectiveOf(
  given: LossName | LossObject,
  last: ActivationName | undefined,
): Objective {
  const name = typeof given === 'object' ? given.name : given
  const { loss, kind, activation } = named<Known>('compile: loss', name, losses)
  if (activation === undefined) return { loss, kind, takesLogits: false }
  const fromLogits = typeof given === 'object' && given.fromLogits
  if (last === (fromLogits ? 'linear' : activation)) return { loss, kind, takesLogits: !fromLogits }
  throw new ArgumentError(
    fromLogits
      ? `compile: expected a last layer without activation for ${name} from logits, got ${last}`
      : `compile: expected a last layer with ${activation} for ${name}, or the loss as an object with { fromLogits: true }, got ${last}`,
  )
}

/**
 * Metrics by name, also in snake_case: `accuracy` (`acc`), `meanSquaredError` (`mse`) and
 * `meanAbsoluteError` (`mae`).
 *
 * @useDeclaredType
 */
export type MetricName =
  | Named<'accuracy' | 'meanSquaredError' | 'meanAbsoluteError'>
  | ('acc' | 'mse' | 'mae')

/** What a metric sums over a batch; its mean over the examples is reported. */
export interface Metric {
  name: string
  sum(outputs: Tensor, targets: Targets): Tensor
}

/**
 * The metric of that name.
 * @param activate makes predictions of what the loss is computed from
 */
export function metricOf(
  name: MetricName,
  { loss }: Objective,
  activate: (outputs: Tensor) => Tensor,
): Metric {
  const mean = (error: Loss): Metric['sum'] => {
    return (outputs, targets) => error(activate(outputs), targets).mul(outputs.shape[0])
  }
  const accuracy: Metric['sum'] = (outputs, targets) => hits(outputs, targets, loss)
  const sum = named<Metric['sum']>('compile: metrics', name, {
    accuracy,
    acc: accuracy,
    mse: mean(mse),
    mae: mean(mae),
    meanSquaredError: mean(mse),
    meanAbsoluteError: mean(mae),
  })
  return { name, sum }
}

/**
 * Examples classified right: by the largest output, or where there is a single one or each is a
 * class of its own, by whether the prediction is above 0.5.
 */
function hits(outputs: Tensor, targets: Targets, loss: Loss): Tensor {
  if (targets.dtype === 'int32') {
    return predictedClasses(outputs)
      .equal(targets as Tensor<'int32'>)
      .sum()
  }
  const values = targets as Tensor
  const isBinary = loss === binaryCrossEntropyWithLogits
  if (!isBinary && outputs.shape.at(-1) !== 1)
    return outputs.argmax(-1).equal(values.argmax(-1)).sum()
  // The logit of 0.5 is 0.
  return outputs
    .greater(isBinary ? 0 : 0.5)
    .equal(values.greater(0.5))
    .mean(-1)
    .sum()
}
