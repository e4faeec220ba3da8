/** A learning rate that is lowered when a loss no longer falls. */
import { checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { isOptimizer, type Optimizer } from './optimizer.js'

/** Settings of `ReduceOnPlateau`, with PyTorch's defaults. */
export interface ReduceOnPlateauSettings {
  /** What the learning rate is multiplied by, above 0 and below 1; 0.1 by default. */
  factor?: number
  /** Losses in a row without a better one that are let pass, a whole number from 0; 10 by default. */
  patience?: number
  /** A better loss is below best·(1 - threshold); from 0 to below 1, 1e-4 by default. */
  threshold?: number
  /** Losses after a reduction that do not count, a whole number from 0; 0 by default. */
  cooldown?: number
  /** The learning rate does not get lower than this, >= 0; 0 by default. */
  minLr?: number
}

const KNOWN = {
  factor: true,
  patience: true,
  threshold: true,
  cooldown: true,
  minLr: true,
} as const

/** Refuses settings out of range. */
export function checkPlateau(op: string, given: ReduceOnPlateauSettings): void {
  const settings = optionsOf(op, given, KNOWN)
  const { factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, minLr = 0 } = settings
  const isCount = (value: number) => Number.isInteger(value) && value >= 0
  checkNumber(op, 'factor', factor, (value) => value > 0 && value < 1, 'above 0 and below 1')
  checkNumber(op, 'patience', patience, isCount, 'to be a whole number from 0')
  checkNumber(op, 'threshold', threshold, (v) => v >= 0 && v < 1, 'from 0 to below 1')
  checkNumber(op, 'cooldown', cooldown, isCount, 'to be a whole number from 0')
  checkNumber(op, 'minLr', minLr, (value) => value >= 0, '>= 0')
}

/** Refuses an optimizer whose learning rate another schedule decides on. */
export function requireNumericLr(op: string, optimizer: Optimizer): void {
  if (!isOptimizer(optimizer)) {
    throw new ArgumentError(`${op}: expected an optimizer, got ${excerpt(optimizer)}`)
  }
  if (optimizer.groups.every(({ lr }) => typeof lr === 'number')) return
  throw new ArgumentError(
    `${op}: expected an optimizer whose lr is a number, got one with a schedule`,
  )
}

/**
 * Multiplies an optimizer's learning rates by a factor when a loss, such as the validation's after each epoch,
 * has not become better for some time (PyTorch's ReduceLROnPlateau). `fit` has it as an option.
 * @example
 * const plateau = new ReduceOnPlateau(optimizer, { patience: 3 })
 * // after each epoch:
 * plateau.update(validationLoss)
 */
export class ReduceOnPlateau {
  #best = Infinity
  #worse = 0
  #cooling = 0

  /**
   * Lowers the learning rates of this optimizer.
   * @throws ArgumentError for settings out of range, and learning rates that are schedules
   */
  constructor(
    /** Whose learning rates are lowered. */
    readonly optimizer: Optimizer,
    /** As they were given. */
    readonly settings: ReduceOnPlateauSettings = {},
  ) {
    checkPlateau('ReduceOnPlateau', settings)
    requireNumericLr('ReduceOnPlateau', optimizer)
  }

  /**
   * Takes a loss into account; NaN is no better one.
   * @returns whether the learning rate is lower now
   * @throws ArgumentError for what is no number, and when a learning rate has become a schedule
   */
  update(loss: number): boolean {
    checkNumber('ReduceOnPlateau', 'a loss', loss, () => true, 'as a number')
    if (!this.note(loss)) return false
    requireNumericLr('ReduceOnPlateau', this.optimizer)
    const { factor = 0.1, minLr = 0 } = this.settings
    let isLower = false
    for (const group of this.optimizer.groups) {
      const lr = group.lr as number
      const lower = Math.max(lr * factor, minLr)
      // As in PyTorch, less is no reduction.
      if (!(lr - lower > 1e-8)) continue
      group.lr = lower
      isLower = true
    }
    return isLower
  }

  /**
   * Whether the learning rate is to be lowered after this loss; where a run goes on, it was.
   * @internal
   */
  note(loss: number): boolean {
    const { patience = 10, threshold = 1e-4, cooldown = 0 } = this.settings
    if (loss < this.#best * (1 - threshold)) {
      this.#best = loss
      this.#worse = 0
    } else this.#worse++
    if (this.#cooling > 0) {
      this.#cooling--
      this.#worse = 0
    }
    if (this.#worse <= patience) return false
    this.#cooling = cooldown
    this.#worse = 0
    return true
  }
}
