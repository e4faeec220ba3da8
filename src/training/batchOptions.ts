/** What `fit` can be told where it trains on batches, and the checks of it. */
import { checkCount, checkFunction, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import type { AnyModule } from '../nn/module.js'
import { type BatchData, isBatchData, isIterable } from './batchSource.js'
import type { BatchLosses } from './batchStep.js'
import { checkOptions, type FitOptions, OPTIONS } from './fitOptions.js'

type Shared =
  | ('optimizer' | 'epochs' | 'batchSize' | 'seed' | 'shuffle' | 'earlyStopping' | 'keepBest')
  | ('clipNorm' | 'clipValue' | 'ema' | 'reduceOnPlateau')
  | ('verbose' | 'onStep' | 'onEpoch' | 'signal')

/** Settings of `fit` for batches in turn, and for several inputs or targets. */
export interface BatchFitOptions extends Pick<FitOptions, Shared>, BatchLosses {
  /**
   * Batches of an epoch, from an iterable that goes on in the next one and ends the training with its end. Without it,
   * each epoch goes through the iterable anew.
   */
  stepsPerEpoch?: number
  /** What to validate on after each epoch, in the form of what is trained on; an iterable is gone through anew. */
  validation?: BatchData
}

const KNOWN: Record<keyof BatchFitOptions, true> = {
  loss: true,
  losses: true,
  optimizer: true,
  epochs: true,
  stepsPerEpoch: true,
  batchSize: true,
  seed: true,
  shuffle: true,
  validation: true,
  earlyStopping: true,
  keepBest: true,
  metrics: true,
  clipNorm: true,
  clipValue: true,
  ema: true,
  reduceOnPlateau: true,
  verbose: true,
  onStep: true,
  onEpoch: true,
  signal: true,
}

/** @throws ArgumentError for options that do not exist, fit neither batches nor each other, or are out of range */
export function batchOptionsOf(
  model: AnyModule,
  data: BatchData,
  given: BatchFitOptions,
): BatchFitOptions {
  for (const name of Object.keys(given ?? {})) {
    if (name in OPTIONS && !(name in KNOWN)) {
      throw new ArgumentError(
        `fit: expected a data set, as dataset() makes it, beside ${name}, got batches`,
      )
    }
  }
  const options = optionsOf('fit', given, KNOWN)
  const { loss, losses, stepsPerEpoch, validation, batchSize } = options
  checkLosses(options)
  const { losses: _, stepsPerEpoch: __, validation: ___, ...shared } = options
  // The others are as they are beside a data set.
  checkOptions(model, {
    ...shared,
    loss: loss ?? Object.values(losses ?? {})[0],
    ...(validation !== undefined && { validation: 0.5 }),
  } as FitOptions)
  if (stepsPerEpoch !== undefined) checkCount('fit', 'stepsPerEpoch', stepsPerEpoch)
  if (isIterable(data) && batchSize !== undefined) {
    throw new ArgumentError('fit: batchSize is for arrays; an iterable gives batches as they are')
  }
  if (!isIterable(data) && stepsPerEpoch !== undefined) {
    throw new ArgumentError(
      'fit: stepsPerEpoch is for an iterable; arrays are gone through in each epoch',
    )
  }
  if (validation !== undefined && !isBatchData(validation)) {
    throw new ArgumentError(
      `fit: expected validation as batches or { inputs, targets }, got ${excerpt(validation)}`,
    )
  }
  return options
}

function checkLosses({ loss, losses }: BatchLosses): void {
  if ((loss === undefined) === (losses === undefined)) {
    throw new ArgumentError(`fit: expected loss or losses, got ${loss ? 'both' : 'neither'}`)
  }
  if (loss !== undefined) checkFunction('fit', 'a loss such as softmaxCrossEntropy', loss)
  if (losses === undefined) return
  const all = Object.entries(losses ?? {})
  if (typeof losses !== 'object' || all.length === 0) {
    throw new ArgumentError(`fit: expected losses by the names of outputs, got ${excerpt(losses)}`)
  }
  for (const [name, loss] of all) checkFunction('fit', `a loss for ${name}`, loss)
}
