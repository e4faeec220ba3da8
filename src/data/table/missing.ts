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

/** What is told of a column that misses values. */
type Lacking = Pick<Column, 'name' | 'missing' | 'firstMissing' | 'unit'>

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
  const usable = new UsableRows(policy, advice)
  const rows = yield* usable.of(frame, features, target)
  return { rows, notes: usable.notes(frame.name) }
}

/** The same for a table that comes piece by piece. */
export class UsableRows {
  #rows = 0
  #kept = 0
  /** The columns that miss values, with how many there were so far. */
  readonly #lacking = new Map<string, Lacking>()
  #target: string | undefined

  constructor(
    readonly policy: MissingPolicy,
    readonly advice?: string,
  ) {}

  /** Those of a piece. */
  *of(frame: Frame, features: readonly Column[], target: Column | undefined): Pausable<Int32Array> {
    const used = target ? [...features, target] : features
    const lacking = used.filter(({ missing }) => missing > 0)
    if (this.policy === 'refuse') refuseMissing(frame, lacking, this.advice)
    const needed = this.policy === 'drop' ? lacking : lacking.filter((column) => column === target)
    const kept = new Int32Array(frame.rows)
    let size = 0
    yield* pausably(frame.rows, (row) => {
      if (!needed.some((column) => column.isMissing(row))) kept[size++] = row
    })
    this.#rows += frame.rows
    this.#kept += size
    this.#target = target?.name
    for (const { name, missing, firstMissing, unit } of lacking) {
      const before = this.#lacking.get(name) ?? { name, missing: 0, firstMissing, unit }
      this.#lacking.set(name, { ...before, missing: before.missing + missing })
    }
    return kept.subarray(0, size)
  }

  /**
   * What is to be said of all of them.
   * @throws DataError where no row is left
   */
  notes(name: string): string[] {
    const lacking = [...this.#lacking.values()]
    return missingNotes(name, lacking, this.#rows, this.#kept, this.policy, this.#target)
  }
}

const counts = (columns: readonly Lacking[]) =>
  columns
    .slice(0, LISTED)
    .map(({ name, missing }) => `${name} ${missing}`)
    .join(', ') + (columns.length > LISTED ? ', …' : '')

/** @throws DataError where one of these columns misses values */
export function refuseMissing(
  { name: table, rows }: Pick<Frame, 'name' | 'rows'>,
  lacking: readonly Lacking[],
  advice = ADVICE,
): void {
  if (lacking.length === 0) return
  const [column] = lacking
  const place = placeOf(column, column.firstMissing)
  throw new DataError(
    `${table}: expected a value in every cell, got missing ones of ${rows} (${counts(lacking)}), such as ${column.name} ${place}; ${advice}`,
  )
}

/**
 * What is to be said of missing values that are not refused.
 * @param lacking columns that miss some
 * @param kept number of rows that are used
 * @param target the column of which each value is needed
 * @throws DataError where no row is left
 */
export function missingNotes(
  table: string,
  lacking: readonly Lacking[],
  rows: number,
  kept: number,
  policy: MissingPolicy,
  target?: string,
): string[] {
  if (lacking.length === 0) return []
  if (kept === 0) {
    throw new DataError(
      `${table}: expected rows without missing values, got none of ${rows} (${counts(lacking)}); ignore columns, or say missing: impute`,
    )
  }
  const features = lacking.filter(({ name }) => name !== target)
  const needed = policy === 'drop' ? lacking : lacking.filter(({ name }) => name === target)
  const notes: string[] = []
  const dropped = rows - kept
  if (dropped > 0) {
    notes.push(
      `${table}: left out ${dropped} of ${rows} rows, where values are missing (${counts(needed)})`,
    )
  }
  if (policy === 'impute' && features.length > 0) {
    notes.push(`${table}: filled in missing values (${counts(features)})`)
  }
  return notes
}
