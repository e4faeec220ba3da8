/** The text in a checkpoint: all but the tensors. */
import { ArgumentError } from '../base/errors.js'
import { parseJson } from '../base/text.js'
import type { BestWeights } from './bestWeights.js'
import type { ChangedSetting } from './changedSettings.js'
import type { Difference, Identity } from './identity.js'
import type { PartOfEpoch } from './partOfEpoch.js'
import type { EpochReport } from './report.js'

/** What the metadata `training` holds as JSON. */
export interface Notes {
  format: typeof FORMAT
  /** Which training it is. */
  identity: Identity
  /** Differences that were accepted, with the epochs that were done by then. */
  accepted: (Difference & { epochs: number })[]
  /** Epochs done, and steps of the next one. */
  position: { epoch: number; step: number }
  /** Sums over these steps; null where there are none. */
  begun: Pick<PartOfEpoch, 'examples' | 'sum' | 'milliseconds'> | null
  epochs: EpochReport[]
  /** Settings of the optimizer that were changed since the beginning. */
  changed: ChangedSetting[]
  optimizer: string
  steps: number
  best: BestWeights['found']
}

/**
 * The first format had no number, and knew of its training the batches only; the second was of epochs' ends alone,
 * without a checksum.
 */
export const FORMAT = 3

// JSON has no word for them.
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']

/** JSON in which numbers that are not finite are text. */
export function encodeNumbers(value: unknown): string {
  return JSON.stringify(value, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}

/** The value of such JSON. @throws SyntaxError for what is no JSON */
export function decodeNumbers(text: string): unknown {
  return parseJson(text, (_, value) =>
    NOT_FINITE.includes(value as string) ? Number(value) : value,
  )
}

/** @throws ArgumentError for text that does not hold them, SyntaxError for what is no JSON */
export function decodeNotes(text: string): Notes {
  const notes = decodeNumbers(text) as (Notes & { settings?: unknown }) | null
  const { format, position, begun, epochs, accepted, changed, identity, steps } = (notes ??
    {}) as Partial<Notes>
  if (notes?.settings && format === undefined) {
    throw new ArgumentError(
      `expected one of format ${FORMAT}, got one of an earlier version, which did not keep what it was the training of; end that training with the version it was begun with, or begin again with another file`,
    )
  }
  if (format !== FORMAT) throw new ArgumentError(`expected one of format ${FORMAT}, got ${format}`)
  const isWhole =
    Array.isArray(epochs) &&
    Array.isArray(accepted) &&
    Array.isArray(changed) &&
    typeof identity === 'object' &&
    identity !== null &&
    Number.isSafeInteger(steps) &&
    position?.epoch === epochs.length &&
    Number.isSafeInteger(position.step) &&
    position.step >= 0 &&
    (position.step === 0 ? begun === null : isPart(begun))
  if (!isWhole) throw new ArgumentError('expected identity, position, epochs and steps in it')
  return notes as Notes
}

function isPart(begun: Notes['begun'] | undefined): boolean {
  const sums = [begun?.examples, begun?.sum, begun?.milliseconds]
  return sums.every((sum) => typeof sum === 'number' && Number.isFinite(sum))
}
