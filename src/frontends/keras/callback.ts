/** What is called between epochs, and what it sees: callbacks, and their base. */
import { ArgumentError, type Module } from '../../index.js'
import type { Optimizer } from './optimizers.js'

/** Figures of an epoch by name: `loss`, `accuracy`, `val_loss`, … */
export type Logs = Record<string, number>

/** What callbacks see and change of the model that is trained. */
export interface CallbackModel {
  /** The network itself. */
  readonly module: Module
  /** As it was compiled; its `learningRate` can be set. */
  readonly optimizer: Optimizer
  /** Set it to end training: after a batch there, else after the epoch. */
  stopTraining: boolean
}

/** Epochs and batches are counted from 0, as in Keras. A plain object with some of these will do too. */
export interface CallbackLike {
  /** Called first, with the model that is trained. */
  setModel?(model: CallbackModel): void
  /** Called before the first epoch. */
  onTrainBegin?(): void | Promise<void>
  /** Called after the last epoch, with its figures, also when training threw an error. */
  onTrainEnd?(logs: Logs): void | Promise<void>
  /** Called before each epoch. */
  onEpochBegin?(epoch: number): void | Promise<void>
  /** Called after each epoch, with its figures. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>
  /**
   * Called after each batch, with the figures of the epoch so far. Where one of the callbacks has this,
   * steps run one at a time, which takes longer.
   */
  onTrainBatchEnd?(batch: number, logs: Logs): void
}

/**
 * Base of callbacks, whose methods do nothing until they are overridden.
 * @example
 * class Stop extends callbacks.Callback {
 *   override onEpochEnd(epoch: number, logs: Logs): void {
 *     if (logs.accuracy > 0.99) this.model.stopTraining = true
 *   }
 * }
 */
export abstract class Callback implements CallbackLike {
  /**
   * The model that is trained; `model.stopTraining = true` ends it after the epoch.
   * @throws ArgumentError before `fit` has set it
   */
  get model(): CallbackModel {
    if (this.#model) return this.#model
    throw new ArgumentError(
      `${this.constructor.name}: expected a model, which fit gives it, got none`,
    )
  }
  #model: CallbackModel | undefined

  /** Called first, with the model that is trained. */
  setModel(model: CallbackModel): void {
    this.#model = model
  }
  onTrainBegin(): void | Promise<void> {}
  onTrainEnd(_logs: Logs): void | Promise<void> {}
  onEpochBegin(_epoch: number): void | Promise<void> {}
  onEpochEnd(_epoch: number, _logs: Logs): void | Promise<void> {}
}
