/** Figures of the numbers in a column. */
import { type Pausable, pausably } from '../../base/eventLoop.js'
import type { Column } from './column.js'

export interface Figures {
  readonly mean: number
  /** The standard deviation of these numbers, not of what they are a sample of. */
  readonly std: number
  readonly min: number
  readonly max: number
}

/**
 * Of some rows, or of all; cells without a value do not count. Without any, the mean and the deviation
 * are 0.
 * @param read what is to be counted of a number
 */
export function* figuresOf(
  column: Column,
  rows?: ArrayLike<number>,
  read = (value: number) => value,
): Pausable<Figures> {
  const total = rows?.length ?? column.rows
  let [count, sum, squares, min, max] = [0, 0, 0, Infinity, -Infinity]
  yield* pausably(total, (i) => {
    const value = read(column.numberAt(rows ? rows[i] : i))
    if (Number.isNaN(value)) return
    count++
    sum += value
    min = Math.min(min, value)
    max = Math.max(max, value)
  })
  const mean = sum / (count || 1)
  yield* pausably(total, (i) => {
    const value = read(column.numberAt(rows ? rows[i] : i))
    if (!Number.isNaN(value)) squares += (value - mean) ** 2
  })
  return { mean, std: Math.sqrt(squares / (count || 1)), min, max }
}
