/** What `fit` can be told where examples come in blocks, and the checks of it. */
import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import type { BlockOptions } from '../data/blocks/blockLoader.js'
import {
  type BlockForm,
  type BlockSource,
  blockFormOf,
  isBlockSource,
} from '../data/blocks/blockSource.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import type { TargetKind } from '../nn/losses.js'
import type { Module } from '../nn/module.js'
import { checkClassWeights } from './exampleWeights.js'
import { checkOptions, type FitOptions, OPTIONS, refuseOther } from './fitOptions.js'

/** Settings of `fit` for examples in blocks. */
export interface BlockFitOptions<K extends TargetKind = TargetKind>
  extends Omit<FitOptions<K>, 'validation' | 'sampleWeights'>,
    BlockOptions {
  /** What to validate on after each epoch. */
  validation?: Dataset<K> | BlockSource<K>
}

const { sampleWeights: _, ...SHARED } = OPTIONS
const KNOWN: Record<keyof BlockFitOptions, true> = { ...SHARED, shuffleBuffer: true, cache: true }

/** @throws ArgumentError for options that do not exist, do not fit blocks or each other, or are out of range */
export function blockOptionsOf(
  model: Module,
  source: BlockSource,
  given: BlockFitOptions,
): BlockFitOptions {
  if ((given as FitOptions | undefined)?.sampleWeights !== undefined) {
    throw new ArgumentError(
      'fit: expected a data set, as dataset() makes it, beside sampleWeights, got a block source',
    )
  }
  const options = optionsOf('fit', given, KNOWN)
  const { validation, shuffleBuffer, cache = true, checkpoint, classWeights, ...others } = options
  const kept = checkpoint !== undefined ? 'checkpoint' : others.run !== undefined && 'run'
  const { shuffle = true, keepBest } = options
  checkOptions(model, {
    ...others,
    ...(checkpoint !== undefined && { checkpoint }),
    ...(keepBest !== undefined && { keepBest }),
    ...(validation !== undefined && { validation: 0.5 }),
  })
  const form = blockFormOf('fit', source)
  if (shuffleBuffer !== undefined) {
    checkCount('fit', 'shuffleBuffer', shuffleBuffer)
    if (!shuffle) throw new ArgumentError('fit: expected shuffle beside shuffleBuffer, got false')
  }
  const isFolder = typeof cache === 'string' && cache !== '' && !cache.includes('\0')
  if (typeof cache !== 'boolean' && !isFolder) {
    throw new ArgumentError(
      `fit: expected cache true, false or the path of a folder, got ${excerpt(cache)}`,
    )
  }
  if (form.digest === undefined && (isFolder || kept)) {
    throw new ArgumentError(
      `fit: expected a digest of '${form.name}', which says that the data are the same, beside ${isFolder ? 'a cache that is kept' : kept}, got none`,
    )
  }
  if (classWeights !== undefined) checkClassWeights(form.form, classWeights)
  checkValidation(form, validation)
  return options
}

function checkValidation(form: BlockForm, validation: BlockFitOptions['validation']): void {
  if (validation === undefined) return
  if (typeof validation === 'number') {
    throw new ArgumentError(
      `fit: expected validation as a data set or a block source beside blocks, got ${validation}`,
    )
  }
  const found = isBlockSource(validation)
    ? blockFormOf('fit: validation', validation).form
    : checkDataset('fit: validation', validation)
  refuseOther(form.form, found)
}
