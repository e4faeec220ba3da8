/** What becomes of rows that miss values. */

import { DataError } from '../../base/errors.js'
import { type Pausable, pausably } from '../../base/eventLoop.js'
import { type Column, placeOf } from './column.js'
import type { Frame } from './frame.js'

/**
 * What is done where values are missing: the table is refused, the rows are left out, or the values are
 * filled in, by the mean of numbers and by the most frequent category.
 */
export type MissingPolicy = 'refuse' | 'drop' | 'impute'

export const missingPolicies: readonly MissingPolicy[] = ['refuse', 'drop', 'impute']

/** So many columns are listed. */
const LISTED = 8

const ADVICE = 'say missing: drop to leave these rows out, or impute to fill them in'

/**
 * The rows that are used, and what is to be said about the others.
 * @param target without a value there a row is of no use, whatever the policy
 * @param advice what to do where missing values are refused
 * @throws DataError where values are missing and that is refused, or no row is left
 */
export function* usableRows(
  frame: Frame,
  features: readonly Column[],
  target: Column | undefined,
  policy: MissingPolicy,
  advice?: string,
): Pausable<{ rows: Int32Array; notes: string[] }> {
  const used = target ? [...features, target] : features
  const lacking = used.filter(({ missing }) => missing > 0)
  const needed = policy === 'drop' ? lacking : lacking.filter((column) => column === target)
  const kept = new Int32Array(frame.rows)
  let size = 0
  yield* pausably(frame.rows, (row) => {
    if (!needed.some((column) => column.isMissing(row))) kept[size++] = row
  })
  const rows = kept.subarray(0, size)
  return { rows, notes: missingNotes(frame, lacking, needed, rows.length, policy, target, advice) }
}

/**
 * What is to be said of missing values.
 * @param lacking columns that miss some
 * @param needed those whose rows are left out then
 * @param kept number of rows that are not
 * @throws DataError as `usableRows`
 */
export function missingNotes(
  { name: table, rows }: Pick<Frame, 'name' | 'rows'>,
  lacking: readonly Column[],
  needed: readonly Column[],
  kept: number,
  policy: MissingPolicy,
  target?: Column,
  advice = ADVICE,
): string[] {
  if (lacking.length === 0) return []
  const counts = (columns: readonly Column[]) =>
    columns
      .slice(0, LISTED)
      .map(({ name, missing }) => `${name} ${missing}`)
      .join(', ') + (columns.length > LISTED ? ', …' : '')
  if (policy === 'refuse') {
    const [column] = lacking
    const place = placeOf(column, column.firstMissing)
    throw new DataError(
      `${table}: expected a value in every cell, got missing ones of ${rows} (${counts(lacking)}), such as ${column.name} ${place}; ${advice}`,
    )
  }
  if (kept === 0) {
    throw new DataError(
      `${table}: expected rows without missing values, got none of ${rows} (${counts(lacking)}); ignore columns, or say missing: impute`,
    )
  }
  const notes: string[] = []
  const dropped = rows - kept
  if (dropped > 0) {
    notes.push(
      `${table}: left out ${dropped} of ${rows} rows, where values are missing (${counts(needed)})`,
    )
  }
  const filled = policy === 'impute' ? lacking.filter((column) => column !== target) : []
  if (filled.length > 0) notes.push(`${table}: filled in missing values (${counts(filled)})`)
  return notes
}
