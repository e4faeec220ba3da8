/** What compiling and training take, and what training gives. */

import type { Monitor } from '../../index.js'
import type { Rows } from '../../internal.js'
import type { CallbackLike } from './callback.js'
import type { Loss } from './lossClasses.js'
import type { LossName, MetricName } from './objective.js'
import type { Optimizer, OptimizerName } from './optimizers.js'

/** How a model is trained. */
export interface CompileOptions {
  /** 'sgd', 'rmsprop', 'adam', 'adamw', 'adadelta', 'adagrad', 'nadam', 'lion', or one of `optimizers` with settings of its own. */
  optimizer: OptimizerName | Optimizer
  /** By name, or an object of `losses`. */
  loss: LossName | Loss
  /** What is reported beside the loss; nothing by default. */
  metrics?: readonly MetricName[]
}

/** Settings of `fit`. */
export interface FitOptions {
  /** 1 by default. */
  epochs?: number
  /** 32 by default. */
  batchSize?: number
  /** Share of the examples, the last ones, to validate on. */
  validationSplit?: number
  /** Examples to validate on after each epoch. */
  validationData?: readonly [x: Rows, y: Rows]
  /** What is called between epochs, in this order. */
  callbacks?: readonly CallbackLike[]
  /** 0 is silent; 1, the default, shows a bar and prints a line per epoch, 2 the lines alone. */
  verbose?: 0 | 1 | 2
  /** Whether each epoch has an order of its own; true by default. */
  shuffle?: boolean
  /** Seed of the orders; by default each call has another one, drawn after `setSeed`. */
  seed?: number
  /** Looks into the layers while they are trained. */
  monitor?: Monitor
}

/** Their names. */
export const FIT_OPTIONS: Record<keyof FitOptions, true> = {
  epochs: true,
  batchSize: true,
  validationSplit: true,
  validationData: true,
  callbacks: true,
  verbose: true,
  shuffle: true,
  seed: true,
  monitor: true,
}

/** What `fit` returns. */
export interface History {
  /** The figures of all epochs by name: `loss`, `accuracy`, `val_loss`, `val_accuracy`, … */
  history: Record<string, number[]>
  /** The epochs, counted from 0. */
  epoch: number[]
}
