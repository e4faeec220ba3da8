/** What a training run tells of its steps and epochs. */

export interface StepReport {
  /** Counted from 1. */
  epoch: number
  /** Counted from 1 in each epoch. */
  step: number
  stepsPerEpoch: number
  /** Mean loss of the batch, before the update. */
  risk: number
}

export interface EpochReport {
  /** Counted from 1. */
  epoch: number
  /** Mean loss over the epoch's examples, each before its batch's update. */
  risk: number
  /** λ·Ω at the epoch's end. */
  penalty: number
  /** risk + penalty, what is minimized. */
  objective: number
  validationRisk?: number
  validationAccuracy?: number
  /** Learning rate of the next step. */
  lr: number
  examplesPerSecond: number
  /** Examples trained on, fewer than all of them when the epoch was aborted. */
  examples: number
  /** Time taken, validation included. */
  seconds: number
}

export interface History {
  epochs: EpochReport[]
  /** The epoch whose weights the model has, counted from 1; the last one unless the best was kept. */
  bestEpoch: number
  /** Why training ended. */
  ended: 'epochs' | 'earlyStopping' | 'aborted'
}
