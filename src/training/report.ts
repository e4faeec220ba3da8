/** What `fit` reports of its steps, its epochs and the whole run. */
import type { MetricValues } from '../metrics/names.js'

/** How much `fit` prints: nothing, a bar and a line per epoch, or the lines alone. */
export type Verbosity = 0 | 1 | 2

/** What `fit` tells of a step. */
export interface StepReport {
  /** Counted from 1. */
  epoch: number
  /** Counted from 1 in each epoch. */
  step: number
  /** Steps in each epoch. */
  stepsPerEpoch: number
  /** Mean loss of the batch, before the update. */
  loss: number
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** Examples so far. */
  examples: number
  /** All of them; undefined where they come in blocks that nobody has counted. */
  total: number | undefined
  /** Mean loss over the examples so far. */
  loss: number
}

/** What `fit` tells of a validation. */
export interface ValidationReport {
  /** Counted from 1. */
  epoch: number
  /** Steps of the epoch that were taken by then. */
  step: number
  /** Mean loss on the validation data. */
  validationLoss: number
  /**
   * Share of the validation examples classified right; undefined where targets are no labels.
   */
  validationAccuracy?: number
  /** Of the validation examples; undefined without `metrics`. */
  validationMetrics?: MetricValues
}

/** What `fit` tells of an epoch. */
export interface EpochReport {
  /** Counted from 1. */
  epoch: number
  /** Mean loss over the epoch's examples, each before its batch's update. */
  loss: number
  /** What the regularizers add to the loss, at the epoch's end. */
  regularizationLoss: number
  /** loss + regularizationLoss, what is minimized. */
  totalLoss: number
  /** `loss` in the words of statistical learning: the empirical risk. */
  risk: number
  /** `regularizationLoss` in the same words: λ·Ω. */
  penalty: number
  /** `totalLoss` in the same words: risk + λ·Ω. */
  objective: number
  /** Mean loss on the validation data after the epoch; undefined without any. */
  validationLoss?: number
  /**
   * Share of the validation examples classified right; undefined without any, and where targets are
   * no labels.
   */
  validationAccuracy?: number
  /**
   * Of the epoch's examples, each before its batch's update and with what training drops and changes; undefined
   * without `metrics`.
   */
  metrics?: MetricValues
  /** Of the validation examples after the epoch; undefined without them or `metrics`. */
  validationMetrics?: MetricValues
  /** Learning rate of the next step. */
  lr: number
  /**
   * How many times training went back by then to go on with a lower learning rate (`onDivergence`);
   * left out while it did not.
   */
  returns?: number
  /** Speed of training, validation not included. */
  examplesPerSecond: number
  /** Examples trained on, fewer than all of them when the epoch was aborted. */
  examples: number
  /** Time taken in seconds, validation included. */
  seconds: number
}

/** What `fit` returns. */
export interface TrainingHistory {
  /** A report per epoch, those before a checkpoint included. */
  epochs: EpochReport[]
  /** The epoch whose weights the model has, counted from 1; the last one unless the best was kept. */
  bestEpoch: number
  /** Why training ended; `diverged` where it went back to the last good epoch and ended there. */
  ended: 'epochs' | 'earlyStopping' | 'aborted' | 'diverged'
}
