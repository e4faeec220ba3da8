/** The text in a checkpoint: all but the tensors. */
import { ArgumentError } from '../base/errors.js'
import { parseJson } from '../base/text.js'
import type { BestWeights } from './bestWeights.js'
import type { ChangedSetting } from './changedSettings.js'
import type { Difference, Identity } from './identity.js'
import type { EpochReport } from './report.js'

/** What the metadata `training` holds as JSON. */
export interface Notes {
  format: typeof FORMAT
  /** Which training it is. */
  identity: Identity
  /** Differences that were accepted, with the epochs that were done by then. */
  accepted: (Difference & { epochs: number })[]
  /** Epochs done, and steps of the next one: 0, as only whole epochs are kept so far. */
  position: { epoch: number; step: number }
  epochs: EpochReport[]
  /** Settings of the optimizer that were changed since the beginning. */
  changed: ChangedSetting[]
  optimizer: string
  steps: number
  best: BestWeights['found']
}

/** The first format had no number, and knew of its training the batches only. */
export const FORMAT = 2

// JSON has no word for them.
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']

export function encodeNotes(notes: Notes): string {
  return JSON.stringify(notes, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}

/** @throws ArgumentError for text that `encodeNotes` did not write, SyntaxError for what is no JSON */
export function decodeNotes(text = 'null'): Notes {
  const notes = parseJson(text, (_, value) =>
    NOT_FINITE.includes(value as string) ? Number(value) : value,
  ) as (Notes & { settings?: unknown }) | null
  const { format, position, epochs, accepted, changed, identity, steps } = (notes ??
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
    position?.epoch === epochs.length
  if (!isWhole) throw new ArgumentError('expected identity, position, epochs and steps in it')
  if (position?.step !== 0) {
    throw new ArgumentError(
      `expected one of an epoch's end, got one after ${position?.step} steps of an epoch, which this version cannot go on from`,
    )
  }
  return notes as Notes
}
