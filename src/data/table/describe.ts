/** What the columns of a table are, in words and figures. */
import type { Pausable } from '../../base/eventLoop.js'
import { figuresOf } from './figures.js'
import type { Frame } from './frame.js'
import { type Roles, sorted } from './roles.js'

/** What a column of a table is and what it is used for. */
export interface ColumnDescription {
  /** Its name, or its position where the table has no names. */
  readonly name: string
  /**
   * All of its values are numbers; or texts of which there are few; or other text, which can be no
   * feature.
   */
  readonly type: 'number' | 'category' | 'text'
  /** What it is used for. */
  readonly use: 'feature' | 'target' | 'ignored'
  /** Why it is ignored. */
  readonly reason?: string
  /** Rows without a value. */
  readonly missing: number
  /** Of numbers, over the rows that have one. */
  readonly mean?: number
  /** Of numbers: the standard deviation, as `numpy.std`. */
  readonly std?: number
  /** Of numbers. */
  readonly min?: number
  /** Of numbers. */
  readonly max?: number
  /** Of categories, sorted. */
  readonly categories?: readonly string[]
}

export function* describeColumns(frame: Frame, roles: Roles): Pausable<ColumnDescription[]> {
  const found: ColumnDescription[] = []
  for (const column of frame.columns) {
    const { name, missing } = column
    const reason = roles.ignored.get(column)
    const use = reason !== undefined ? 'ignored' : column === roles.target ? 'target' : 'feature'
    const given = { use, ...(reason !== undefined && { reason }), missing } as const
    if (column.isNumeric) {
      found.push({ name, type: 'number', ...given, ...(yield* figuresOf(column)) })
    } else if (column.texts === undefined) found.push({ name, type: 'text', ...given })
    else found.push({ name, type: 'category', ...given, categories: sorted(column.texts) })
  }
  return found
}
