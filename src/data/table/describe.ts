/** What the columns of a table are, in words and figures. */
import type { Pausable } from '../../base/eventLoop.js'
import { type Column, countsOf } from './column.js'
import { dateText } from './dates.js'
import { figuresOf } from './figures.js'
import type { Frame } from './frame.js'
import { type Roles, sorted } from './roles.js'

/** What a column of a table is and what it is used for. */
export interface ColumnDescription {
  /** Its name, or its position where the table has no names. */
  readonly name: string
  /**
   * All of its values are numbers; or dates; or texts of which there are few; or other text, which is a feature
   * where its words are hashed.
   */
  readonly type: 'number' | 'date' | 'category' | 'text'
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
  /** Of dates: the first one, as 2024-03-01 or 2024-03-01T17:30:00. */
  readonly earliest?: string
  /** Of dates: the last one. */
  readonly latest?: string
  /** Of categories, sorted. */
  readonly categories?: readonly string[]
  /** Rows of each of the categories, in their order. */
  readonly counts?: readonly number[]
  /** Of text: one of its values. */
  readonly example?: string
}

/** @param roles without them, all columns are said to be features */
export function* describeColumns(frame: Frame, roles?: Roles): Pausable<ColumnDescription[]> {
  const found: ColumnDescription[] = []
  for (const column of frame.columns) {
    const { name, missing } = column
    const reason = roles?.ignored.get(column)
    const use = reason !== undefined ? 'ignored' : column === roles?.target ? 'target' : 'feature'
    const given = { name, use, ...(reason !== undefined && { reason }), missing } as const
    found.push({ ...given, ...(yield* typeOf(column, roles?.text.has(column) === true)) })
  }
  return found
}

type Type = Omit<ColumnDescription, 'name' | 'use' | 'reason' | 'missing'>

function* typeOf(column: Column, isText: boolean): Pausable<Type> {
  const { texts, firstText } = column
  if (column.unread) return { type: column.unread }
  if (isText) return { type: 'text', example: texts?.[0] }
  if (column.isNumeric) return { type: 'number', ...(yield* figuresOf(column)) }
  if (column.isDate) {
    const { min, max } = yield* figuresOf(column)
    return { type: 'date', earliest: dateText(min), latest: dateText(max) }
  }
  if (texts === undefined) return { type: 'text', example: firstText?.text }
  const counts = yield* countsOf(column)
  const order = new Map(texts.map((text, code) => [text, counts[code]]))
  const categories = sorted(texts)
  return { type: 'category', categories, counts: categories.map((text) => order.get(text) ?? 0) }
}
