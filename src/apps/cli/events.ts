/** What is told of a training, as it goes on. */
import type { EpochReport, MetricValues } from '../../index.js'
import type { TrainingOptions } from './problem.js'
import type { TableOverview, TableReport } from './tableReport.js'

type Settings =
  | ('batchSize' | 'epochs' | 'optimizer' | 'lr' | 'momentum' | 'l1' | 'l2' | 'seed')
  | ('patience' | 'activation' | 'dropout' | 'layers')

export interface StartEvent extends Pick<TrainingOptions, Settings> {
  dataset: string
  /** images or examples */
  kind: string
  trainExamples: number
  validationExamples: number
  testExamples: number
  /** Of the convolutions between the inputs and the other layers. */
  filters?: readonly number[]
  parameters: number
  loss: string
  task: string
  /** Of a table: the column to predict, and what the others are. */
  target?: string
  table?: TableOverview
  classWeights?: string
  backend: string
  threads: number
}

export type EpochEvent = EpochReport & { epochs: number }

/** Figures of the kept weights; null where no step was taken. */
export interface EndEvent {
  /** Null in a regression. */
  testAccuracy: number | null
  /** Of a regression: the coefficient of determination, and the mean absolute error. */
  testR2: number | null
  testMae: number | null
  testLoss: number | null
  /** Of `--metrics`. */
  testMetrics?: MetricValues
  /** Of a table. */
  report?: TableReport
  loss: number | null
  regularizationLoss: number | null
  validationAccuracy: number | null
  bestEpoch: number
  epochs: number
  /** Why training ended: epochs, earlyStopping, diverged, or the signal's name. */
  ended: string
  /** Of training, validation not counted. */
  examplesPerSecond: number
  backend: string
  threads: number
  /** Time from the first step to the last epoch's end. */
  seconds: number
  saved: string | null
  /** A model file that was there and was left alone. */
  left: string | null
}

export interface StepEvent {
  title: string
  /** Of the epoch, from 0 to 1. */
  done: number
  /** Of all epochs. */
  whole: number
  loss: number
  /** So many of the epoch. */
  examples: number
}

export interface ReadEvent {
  /** So many images have been read, and there are so many. */
  read: number
  of: number
}

export interface Reporter {
  reading(event: ReadEvent): void
  start(event: StartEvent): void
  step(event: StepEvent): void
  epoch(event: EpochEvent): void
  end(event: EndEvent): void
  /** Whatever happened, nothing half-drawn is left. */
  close(): void
}
