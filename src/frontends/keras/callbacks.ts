/** The callbacks that are built in. */
import { dirname } from 'node:path'
import { ArgumentError, type Module, saveModel } from '../../index.js'
import { checkFlag, checkFunction, checkNumber, checkWritable, optionsOf } from '../../internal.js'
import { BestSoFar, MONITOR, type MonitorOptions } from './bestSoFar.js'
import { Callback, type Logs } from './callback.js'
import { checkWeightsPath } from './weights.js'

export type { MonitorOptions } from './bestSoFar.js'
export { Callback, type CallbackLike, type CallbackModel, type Logs } from './callback.js'

/** Settings of `EarlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without getting better after which training ends; 0 by default. */
  patience?: number
  /**
   * Whether the model ends with the weights of the best epoch, also when training throws; false by
   * default.
   */
  restoreBestWeights?: boolean
}

/** Ends training when a figure has stopped getting better. */
export class EarlyStopping extends Callback {
  readonly #best: BestSoFar
  readonly #patience: number
  readonly #restores: boolean
  #weights: ReturnType<Module['stateDict']> | undefined
  #wait = 0
  /** The epoch after which training ended; 0 while it did not. */
  stoppedEpoch = 0

  /**
   * Watches the validation loss unless it is told otherwise.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: EarlyStoppingOptions = {}) {
    super()
    const known = { ...MONITOR, patience: true, restoreBestWeights: true } as const
    const options = optionsOf('EarlyStopping', given, known)
    const { patience = 0, restoreBestWeights = false } = options
    checkNumber('EarlyStopping', 'patience', patience, (epochs) => epochs >= 0, '>= 0')
    checkFlag('EarlyStopping', 'restoreBestWeights', restoreBestWeights)
    this.#best = new BestSoFar('EarlyStopping', options)
    this.#patience = patience
    this.#restores = restoreBestWeights
  }

  override onTrainBegin(): void {
    this.#best.begin()
    this.#wait = 0
    this.stoppedEpoch = 0
    this.#weights = undefined
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.#wait++
    if (this.#best.improves(logs)) {
      this.#wait = 0
      if (this.#restores) this.#weights = this.model.module.stateDict()
    } else if (this.#wait >= this.#patience && epoch > 0) {
      this.stoppedEpoch = epoch
      this.model.stopTraining = true
    }
  }

  override onTrainEnd(): void {
    if (this.#weights) this.model.module.loadStateDict(this.#weights)
  }
}

/** Settings of `ModelCheckpoint`. */
export interface ModelCheckpointOptions extends Omit<MonitorOptions, 'minDelta'> {
  /** Whether only better models are written; false by default. */
  saveBestOnly?: boolean
}

/** Writes the weights to a `.safetensors` file after each epoch. */
export class ModelCheckpoint extends Callback {
  readonly #best: BestSoFar
  readonly #bestOnly: boolean

  /**
   * Writes to a path.
   * @param filepath may hold `{epoch}` (counted from 1) and figures, such as `{val_loss:.3f}`
   * @throws ArgumentError for options that do not exist, and names of files of other formats
   */
  constructor(
    /** As it was given. */
    readonly filepath: string,
    given: ModelCheckpointOptions = {},
  ) {
    super()
    checkWeightsPath('ModelCheckpoint', filepath)
    const known = { monitor: true, mode: true, saveBestOnly: true } as const
    const options = optionsOf('ModelCheckpoint', given, known)
    const { saveBestOnly = false } = options
    checkFlag('ModelCheckpoint', 'saveBestOnly', saveBestOnly)
    this.#best = new BestSoFar('ModelCheckpoint', options)
    this.#bestOnly = saveBestOnly
  }

  override onTrainBegin(): void {
    this.#best.begin()
    // Not only after the first epoch; which folders the epochs' figures name is not known yet.
    if (!dirname(this.filepath).includes('{')) checkWritable(this.filepath)
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    if (this.#bestOnly && !this.#best.improves(logs)) return
    const figures: Logs = { ...logs, epoch: epoch + 1 }
    const path = this.filepath.replace(
      /\{(\w+)(?::0?(\d+)d|:\.(\d+)f)?\}/g,
      (_, name: string, width?: string, digits?: string) => {
        const value = figures[name]
        if (value === undefined) {
          throw new ArgumentError(
            `ModelCheckpoint: expected one of ${Object.keys(figures).join(', ')} in the path, got ${name}`,
          )
        }
        return digits ? value.toFixed(Number(digits)) : `${value}`.padStart(Number(width ?? 0), '0')
      },
    )
    saveModel(this.model.module, path)
  }
}

/** Settings of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied by, below 1; 0.1 by default. */
  factor?: number
  /** Epochs without getting better that are borne; 10 by default. */
  patience?: number
  /** Epochs after a change in which none are counted; 0 by default. */
  cooldown?: number
  /** 0 by default. */
  minLr?: number
}

/**
 * Lowers the learning rate when a figure has stopped getting better; the figures have `learning_rate`, that
 * of the epoch.
 */
export class ReduceLROnPlateau extends Callback {
  readonly #best: BestSoFar
  readonly #options: Required<Omit<ReduceLROnPlateauOptions, keyof MonitorOptions>>
  #wait = 0
  #cooling = 0

  /**
   * Watches the validation loss unless it is told otherwise.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: ReduceLROnPlateauOptions = {}) {
    super()
    const op = 'ReduceLROnPlateau'
    const own = { factor: true, patience: true, cooldown: true, minLr: true } as const
    const options = optionsOf(op, given, { ...MONITOR, ...own })
    const { factor = 0.1, patience = 10, cooldown = 0, minLr = 0, minDelta = 1e-4 } = options
    checkNumber(op, 'a factor', factor, (factor) => factor > 0 && factor < 1, 'between 0 and 1')
    for (const [name, value] of Object.entries({ patience, cooldown, minLr })) {
      checkNumber(op, name, value, (value) => value >= 0, '>= 0')
    }
    this.#best = new BestSoFar('ReduceLROnPlateau', { ...options, minDelta })
    this.#options = { factor, patience, cooldown, minLr }
  }

  override onTrainBegin(): void {
    this.#best.begin()
    this.#wait = 0
    this.#cooling = 0
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    const { factor, patience, cooldown, minLr } = this.#options
    const { optimizer } = this.model
    logs.learning_rate = optimizer.learningRate
    if (this.#cooling > 0) {
      this.#cooling--
      this.#wait = 0
    }
    if (this.#best.improves(logs)) this.#wait = 0
    else if (this.#cooling === 0 && ++this.#wait >= patience) {
      optimizer.learningRate = Math.min(
        optimizer.learningRate,
        Math.max(optimizer.learningRate * factor, minLr),
      )
      this.#cooling = cooldown
      this.#wait = 0
    }
  }
}

/** Sets the learning rate before each epoch, whose figures have it as `learning_rate`. */
export class LearningRateScheduler extends Callback {
  /**
   * Sets what a function says.
   * @param schedule from the epoch, counted from 0, and the learning rate so far to the new one
   * @throws ArgumentError for what is no function
   */
  constructor(
    /** As it was given. */
    readonly schedule: (epoch: number, learningRate: number) => number,
  ) {
    super()
    checkFunction('LearningRateScheduler', 'a function of epoch and learning rate', schedule)
  }

  override onEpochBegin(epoch: number): void {
    const { optimizer } = this.model
    optimizer.learningRate = this.schedule(epoch, optimizer.learningRate)
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    logs.learning_rate = this.model.optimizer.learningRate
  }
}
