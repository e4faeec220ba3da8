/** Losses and metrics as Keras names them, on what a model computes before its last activation. */
import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  hinge,
  huber,
  klDivergence,
  type Loss,
  type MetricSource,
  mae,
  mse,
  negativeCosineSimilarity,
  Precision,
  poissonNllLoss,
  predictedClasses,
  Recall,
  RocAuc,
  sigmoidFocal,
  softmaxCrossEntropy,
  softmaxFocalLoss,
  type TargetKind,
  type Targets,
  type Tensor,
  where,
} from '../../index.js'
import { isKeyOf } from '../../internal.js'
import type { ActivationName } from './activations.js'
import type { Loss as LossObject } from './lossClasses.js'
import { type Named, named } from './names.js'

/** What targets are: a class label per example, or values in the shape of the outputs. */
type Kind = 'labels' | 'values'

interface Known {
  loss: Loss<TargetKind>
  kind: Kind
  /** The last activation that belongs to the loss: it is left out, and the loss takes logits. */
  activation?: ActivationName
}

/** Of probabilities, from what comes before their softmax. */
const divergence: Known = {
  loss: (logits, targets, options) => klDivergence(logits.logSoftmax(), targets as Tensor, options),
  kind: 'values',
  activation: 'softmax',
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
  hinge: {
    loss: (outputs, targets, options) => hinge(outputs, signsOf(targets as Tensor), options),
    kind: 'values',
  },
  klDivergence: divergence,
  kullbackLeiblerDivergence: divergence,
  cosineSimilarity: { loss: negativeCosineSimilarity, kind: 'values' },
  poisson: { loss: poissonNllLoss({ logInput: false, epsilon: 1e-7 }), kind: 'values' },
  binaryFocalCrossentropy: { loss: sigmoidFocal, kind: 'values', activation: 'sigmoid' },
  categoricalFocalCrossentropy: {
    loss: softmaxFocalLoss({ alpha: 0.25 }),
    kind: 'values',
    activation: 'softmax',
  },
} satisfies Record<string, Known>
/**
 * Losses by name, also in snake_case: `sparseCategoricalCrossentropy` for class labels,
 * `categoricalCrossentropy`, `binaryCrossentropy`, `meanSquaredError` (`mse`), `meanAbsoluteError`
 * (`mae`), `huber`, `hinge`, `klDivergence` (`kullbackLeiblerDivergence`), `cosineSimilarity`, `poisson`,
 * `binaryFocalCrossentropy` and `categoricalFocalCrossentropy`.
 *
 * @useDeclaredType
 */
export type LossName = Named<keyof typeof losses>

/** Where all targets of a batch are 0 or 1, -1 takes the place of 0. */
function signsOf(targets: Tensor): Tensor {
  const isBinary = targets.mul(targets.sub(1)).abs().max().equal(0)
  return where(isBinary, targets.mul(2).sub(1), targets)
}

/**
 * Whether there is such a loss.
 * @throws ArgumentError for another name
 */
export function checkLossName(given: LossName | LossObject): void {
  named<Known>('compile: loss', nameOf(given), losses)
}

function nameOf(given: LossName | LossObject): string {
  return typeof given === 'object' && given !== null ? given.name : given
}

export interface Objective {
  loss: Loss<TargetKind>
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
  const name = nameOf(given)
  const { kind, activation, ...known } = named<Known>('compile: loss', name, losses)
  const { fromLogits = false, engine: loss = known.loss } = typeof given === 'object' ? given : {}
  if (activation === undefined) return { loss, kind, takesLogits: false }
  if (last === (fromLogits ? 'linear' : activation)) return { loss, kind, takesLogits: !fromLogits }
  throw new ArgumentError(
    fromLogits
      ? `fit: expected a last layer without activation for ${name} from logits, got ${last}`
      : `fit: expected a last layer with ${activation} for ${name}, or the loss as an object with { fromLogits: true }, got ${last}`,
  )
}

/** What a metric sums over a batch; its mean over the examples is reported. */
export interface Metric {
  name: string
  sum(outputs: Tensor, targets: Targets): Tensor
}

const metrics = {
  accuracy: hits,
  acc: hits,
  binaryAccuracy: hits,
  categoricalAccuracy: hits,
  sparseCategoricalAccuracy: hits,
  mse: meanOf(mse),
  mae: meanOf(mae),
  meanSquaredError: meanOf(mse),
  meanAbsoluteError: meanOf(mae),
} satisfies Record<string, Activated>

/**
 * Metrics by name, also in snake_case: `accuracy` (`acc`, `binaryAccuracy`, `categoricalAccuracy`,
 * `sparseCategoricalAccuracy`), `meanSquaredError` (`mse`) and `meanAbsoluteError` (`mae`); of a model with one output
 * `precision`, `recall` and `auc`, the last one exact, not of thresholds as in Keras. These three are figures of epochs,
 * which callbacks of batches are not told.
 *
 * @useDeclaredType
 */
export type MetricName = Named<keyof typeof metrics> | EpochMetricName

type Activated = (outputs: Tensor, targets: Targets, activate: (x: Tensor) => Tensor) => Tensor

/** The engine's, of a whole epoch. */
const epochMetrics = { precision: Precision, recall: Recall, auc: RocAuc }
type EpochMetricName = keyof typeof epochMetrics

/** @param fromLogits whether outputs are logits @throws ArgumentError for a model of several outputs */
export function epochMetricsOf(
  names: readonly MetricName[],
  outputs: number,
  fromLogits: boolean,
): MetricSource[] {
  const found = names.filter((name): name is EpochMetricName => isKeyOf(epochMetrics, name))
  if (found.length > 0 && outputs !== 1) {
    throw new ArgumentError(
      `fit: expected a model with one output for the metric ${found[0]}, got ${outputs} outputs`,
    )
  }
  return found.map((name) => new epochMetrics[name]({ name, fromLogits }))
}

/** Those that are means of batches. @throws ArgumentError for unknown names */
export function batchMetricsOf(
  names: readonly MetricName[],
  activate: (outputs: Tensor) => Tensor = (outputs) => outputs,
): Metric[] {
  return names
    .filter((name) => !isKeyOf(epochMetrics, name))
    .map((name) => metricOf(name, activate))
}

/**
 * The metric of that name.
 * @param activate makes predictions of what the loss is computed from
 * @throws ArgumentError for another name
 */
function metricOf(name: MetricName, activate: (outputs: Tensor) => Tensor): Metric {
  const sum = named<Activated>('compile: metrics', name, {
    ...metrics,
    ...epochMetrics,
  } as typeof metrics)
  return { name, sum: (outputs, targets) => sum(outputs, targets, activate) }
}

function meanOf(error: Loss<TargetKind>): Activated {
  return (outputs, targets, activate) => error(activate(outputs), targets).mul(outputs.shape[0])
}

/**
 * Examples classified right: a single output is right where it is above 0.5 and the target 1, or neither;
 * of several, the largest counts. Logits of a model that ends with them are compared as they are.
 */
function hits(outputs: Tensor, targets: Targets, activate: (x: Tensor) => Tensor): Tensor {
  if (targets.dtype === 'int32') {
    return predictedClasses(outputs)
      .equal(targets as Tensor<'int32'>)
      .sum()
  }
  const values = targets as Tensor
  const isRight =
    outputs.shape.at(-1) === 1
      ? activate(outputs).greater(0.5).equal(values)
      : outputs.argmax(-1).equal(values.argmax(-1))
  return isRight.sum().mul(outputs.shape[0] / isRight.size)
}
