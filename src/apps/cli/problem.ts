/** What a training on the command line is told, and what it is given to train on. */
import type {
  ActivationName,
  ColumnDescription,
  ImageFormat,
  ImageShape,
  MetricName,
  OnDivergence,
  Preprocessing,
  TableEncoding,
  TableSplit,
  Task,
} from '../../index.js'
import type { LossName } from '../../internal.js'
import type { ImageSettings } from './images.js'
import type { OptimizerName } from './optimizers.js'
import type { Parts } from './parts.js'
import type { TableSettings } from './tableOptions.js'

export interface TrainingOptions extends TableSettings, ImageSettings {
  /** Whether convolutions stand before the other layers. */
  network: 'dense' | 'conv'
  /** Of each stage of convolutions. */
  filters: readonly number[]
  /** Of the convolutions of a folder of images. */
  pooling?: 'avg'
  /** Whether images to train on are changed at random. */
  augment?: 'all' | 'none'
  /** What is computed besides. */
  metrics?: readonly MetricName[]
  /** Units of the hidden layers. */
  layers: readonly number[]
  activation: ActivationName
  /** Probability of dropping a hidden unit. */
  dropout: number
  loss: LossName
  batchSize: number
  epochs: number
  optimizer: OptimizerName
  lr: number
  /** Of SGD. */
  momentum: number
  l1: number
  l2: number
  seed: number
  /** Epochs without a lower validation loss after which training ends. */
  patience?: number
  /** Whether classes with fewer examples count more; by default where they are far fewer. */
  classWeights?: 'balanced' | 'none'
  /** What to do when the loss or a weight is no longer finite. */
  onDivergence?: OnDivergence
  /** File that keeps the training after each epoch, from which it goes on where the file exists. */
  checkpoint?: string
  /** Folder that keeps the run, in place of a checkpoint. */
  run?: string
  /** Names of what may differ from the training that the checkpoint is of. */
  resumeWith?: readonly string[]
  backend?: 'native' | 'js'
  threads?: number
  /** File for the model; false for none. */
  save: string | false
}

export interface Problem extends Parts {
  name: string
  task: Task
  /** Of a table: the column to predict. */
  target?: string
  /** None in a regression. */
  classes: readonly string[]
  /** What makes inputs of features; of a table, its encoding does. */
  preprocessing?: Preprocessing
  encoding?: TableEncoding
  /** Of images, [height, width, channels], and of a folder of them, how they were read. */
  image?: ImageShape
  images?: ImageFormat
  /** What decided which examples are those to test on; chance by default. */
  split?: TableSplit
  /** Of a table: what its columns are. */
  columns?: readonly ColumnDescription[]
  /** Frees what parts in blocks are read from. */
  close?: () => Promise<void>
}
