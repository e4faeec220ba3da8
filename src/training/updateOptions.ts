/** How `fit` makes steps of gradients, and what follows the weights and the learning rate meanwhile. */
import { checkCount, checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError } from '../base/errors.js'
import type { ExponentialMovingAverageSettings } from '../optim/average.js'
import { above0, checkDecays } from '../optim/groups.js'
import type { Optimizer } from '../optim/optimizer.js'
import { checkPlateau, type ReduceOnPlateauSettings, requireNumericLr } from '../optim/plateau.js'

/** The part of the options of `fit` that is about its steps. */
export interface UpdateOptions {
  /** Scales the gradients of each step to this norm at most, as `clipGradNorm` does; after `clipValue`. */
  clipNorm?: number
  /** Bounds each element of the gradients to this absolute value, as `clipGradValue` does. */
  clipValue?: number
  /**
   * Batches per step, whose gradients are averaged, each by its share of the examples: what a loss that is a
   * mean gives for `accumulate` times the batch, in the memory of one. The last step of an epoch has what is
   * left. 1 by default. Steps are counted, and their losses reported, as those of the larger batch.
   */
  accumulate?: number
  /**
   * Follows the weights by an `ExponentialMovingAverage`, which is validated instead of them, and which the
   * model has in the end. `onEpoch` finds the weights that are being trained.
   */
  ema?: ExponentialMovingAverageSettings
  /** Lowers the learning rate when the validation loss no longer falls, as `ReduceOnPlateau` does. */
  reduceOnPlateau?: ReduceOnPlateauSettings
}

/** Their names. */
export const UPDATE_OPTIONS: Record<keyof UpdateOptions, true> = {
  clipNorm: true,
  clipValue: true,
  accumulate: true,
  ema: true,
  reduceOnPlateau: true,
}

/** Refuses those that are out of range, or do not go with an optimizer or without validation. */
export function checkUpdates(
  { clipNorm, clipValue, accumulate = 1, ema, reduceOnPlateau }: UpdateOptions,
  optimizer: Optimizer,
  isValidated: boolean,
): void {
  if (optimizer.needsClosure) {
    throw new ArgumentError(
      `fit: expected an optimizer that takes a step with one gradient, got ${optimizer.constructor.name}; call its step(closure) in a loop of your own`,
    )
  }
  for (const [name, value] of Object.entries({ clipNorm, clipValue })) {
    if (value !== undefined) checkNumber('fit', name, value, above0, '> 0')
  }
  checkCount('fit', 'accumulate', accumulate)
  if (ema !== undefined) {
    const { decay } = optionsOf('fit: ema', ema, { decay: true })
    checkDecays('fit: ema', { decay })
  }
  if (reduceOnPlateau === undefined) return
  checkPlateau('fit: reduceOnPlateau', reduceOnPlateau)
  requireNumericLr('fit: reduceOnPlateau', optimizer)
  if (!isValidated) throw new ArgumentError('fit: reduceOnPlateau needs validation data')
}

/** As a checkpoint knows a training by them: those that are there. */
export function identityOf(options: UpdateOptions) {
  const { clipNorm, clipValue, accumulate = 1, ema, reduceOnPlateau } = options
  return {
    ...(clipNorm !== undefined && { clipNorm }),
    ...(clipValue !== undefined && { clipValue }),
    ...(accumulate > 1 && { accumulate }),
    ...(ema && { ema: ema.decay }),
    ...(reduceOnPlateau && {
      reduceOnPlateau: Object.fromEntries(Object.entries(reduceOnPlateau).sort()),
    }),
  }
}
