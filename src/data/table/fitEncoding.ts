/** Finds the encoding of a table by some of its rows, those to train on. */
import { type Pausable, pausably } from '../../base/eventLoop.js'
import type { CellFormat } from './cells.js'
import { type Column, MISSING } from './column.js'
import type { CategoryEncoding, NumberEncoding, TableEncoding } from './encoding.js'
import { figuresOf } from './figures.js'
import type { Frame } from './frame.js'
import type { MissingPolicy } from './missing.js'
import { type Roles, sorted } from './roles.js'

/** @param rows of the training part */
export function* fitEncoding(
  frame: Frame,
  { target, task, features }: Roles,
  rows: ArrayLike<number>,
  missing: MissingPolicy,
  format: CellFormat,
): Pausable<TableEncoding> {
  const encodings: (NumberEncoding | CategoryEncoding)[] = []
  for (const column of features) {
    const { name } = column
    if (!column.isNumeric) encodings.push(yield* fitCategories(column, rows))
    else encodings.push({ name, type: 'number', ...(yield* fitNumbers(column, rows)) })
  }
  const { name } = target
  return {
    columns: frame.columns.map((column) => column.name),
    isNamed: frame.isNamed,
    features: encodings,
    target: task === 'regress' ? { name, ...(yield* fitNumbers(target, rows)) } : { name },
    missing,
    format,
  }
}

function* fitNumbers(
  column: Column,
  rows: ArrayLike<number>,
): Pausable<{ mean: number; scale: number }> {
  const { mean, std } = yield* figuresOf(column, rows)
  // A feature that never varies tells nothing: centred it is 0, whatever the scale.
  return { mean, scale: 1 / (std || 1) }
}

function* fitCategories(column: Column, rows: ArrayLike<number>): Pausable<CategoryEncoding> {
  const { name, texts = [] } = column
  const counts = new Float64Array(texts.length)
  yield* pausably(rows.length, (i) => {
    const code = column.codeAt(rows[i])
    if (code !== MISSING) counts[code]++
  })
  const countOf = new Map(texts.map((text, code) => [text, counts[code]]))
  const count = (text: string) => countOf.get(text) as number
  const categories = sorted(texts.filter((text) => count(text) > 0))
  const [mostFrequent] = [...categories].sort((a, b) => count(b) - count(a))
  return { name, type: 'category', categories, mostFrequent }
}
