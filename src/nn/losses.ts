/**
 * Losses. Each takes the network's outputs and the targets of a batch and returns the mean over the
 * batch as a scalar (or the sum, or a loss per element). Those that belong to a probability take
 * logits, so that none of them overflows or rounds a small probability to 0.
 */
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  binaryCrossEntropyWithLogitsLoss,
} from './binaryLosses.js'
export {
  type CrossEntropyOptions,
  hinge,
  nll,
  nllLoss,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
} from './classLosses.js'
export type { ClassOptions } from './classWeights.js'
export {
  type KLDivergenceOptions,
  klDivergence,
  klDivergenceLoss,
  negativeCosineSimilarity,
} from './distributionLosses.js'
export {
  cosineEmbedding,
  cosineEmbeddingLoss,
  type PairLoss,
  type TripletLoss,
  type TripletMarginOptions,
  tripletMargin,
  tripletMarginLoss,
} from './embeddingLosses.js'
export {
  type SigmoidFocalOptions,
  type SoftmaxFocalOptions,
  sigmoidFocal,
  sigmoidFocalLoss,
  softmaxFocal,
  softmaxFocalLoss,
} from './focalLosses.js'
export {
  classLimit,
  type Loss,
  type LossOptions,
  type Reduction,
  type TargetKind,
  type Targets,
  traitsOf,
} from './loss.js'
export {
  huber,
  huberLoss,
  mae,
  mse,
  type PoissonNllOptions,
  poissonNll,
  poissonNllLoss,
  smoothL1,
  smoothL1Loss,
} from './valueLosses.js'
