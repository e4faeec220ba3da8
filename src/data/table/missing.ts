/** What becomes of rows that miss values. */

import { DataError } from '../../base/errors.js'
import { type Pausable, pausably } from '../../base/eventLoop.js'
import type { Column } from './column.js'
import type { Frame } from './frame.js'

/**
 * What is done where values are missing: the table is refused, the rows are left out, or the values are
 * filled in, by the mean of numbers and by the most frequent category.
 */
export type MissingPolicy = 'refuse' | 'drop' | 'impute'

export const missingPolicies: readonly MissingPolicy[] = ['refuse', 'drop', 'impute']

/** So many columns are listed. */
const LISTED = 8

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
  advice = 'say missing: drop to leave these rows out, or impute to fill them in',
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
  if (lacking.length === 0) return { rows, notes: [] }
  const counts = (columns: readonly Column[]) =>
    columns
      .slice(0, LISTED)
      .map(({ name, missing }) => `${name} ${missing}`)
      .join(', ') + (columns.length > LISTED ? ', …' : '')
  if (policy === 'refuse') {
    const { name, firstMissing } = lacking[0]
    throw new DataError(
      `${frame.name}: expected a value in every cell, got missing ones of ${frame.rows} (${counts(lacking)}), such as ${name} on line ${firstMissing?.line}; ${advice}`,
    )
  }
  if (rows.length === 0) {
    throw new DataError(
      `${frame.name}: expected rows without missing values, got none of ${frame.rows} (${counts(lacking)}); ignore columns, or say missing: impute`,
    )
  }
  const notes: string[] = []
  const dropped = frame.rows - rows.length
  if (dropped > 0) {
    notes.push(
      `${frame.name}: left out ${dropped} of ${frame.rows} rows, where values are missing (${counts(needed)})`,
    )
  }
  const filled = policy === 'impute' ? lacking.filter((column) => column !== target) : []
  if (filled.length > 0) notes.push(`${frame.name}: filled in missing values (${counts(filled)})`)
  return { rows, notes }
}
