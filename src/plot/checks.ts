/** What every chart asks of its data. */
import { ArgumentError, ShapeError } from '../errors.js'
import type { ChartOptions } from './draw.js'

/** Numbers against 1, 2, 3 and so on, or against `x`. */
export type Series = ArrayLike<number> | { x: ArrayLike<number>; y: ArrayLike<number> }

/** Series by name; the names are the legend. */
export type NamedSeries = Readonly<Record<string, Series>>

export interface Point {
  series: string
  x: number
  y: number
}

/** Refuses sizes that no picture has. */
export function checkSize(op: string, { width = 1, height = 1 }: ChartOptions): void {
  for (const [name, value] of Object.entries({ width, height })) {
    if (value > 0 && value <= 10_000) continue
    throw new ArgumentError(`plot.${op}: expected a ${name} from 1 to 10000, got ${value}`)
  }
}

/** Refuses what is no list of numbers, an empty list, and numbers that have no place on the axis. */
export function checkNumbers(
  op: string,
  what: string,
  values: ArrayLike<number>,
  log = false,
): void {
  if (typeof values !== 'object' || values === null || !(values.length >= 0)) {
    throw new ArgumentError(`plot.${op}: expected an array of numbers as ${what}, got ${values}`)
  }
  if (values.length === 0) {
    throw new ArgumentError(`plot.${op}: expected at least one number in ${what}, got none`)
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (Number.isFinite(value) && (!log || value > 0)) continue
    const expected = log ? 'numbers > 0 on a logarithmic axis' : 'finite numbers'
    throw new ArgumentError(`plot.${op}: expected ${expected} in ${what}, got ${value} at ${i}`)
  }
}

/** The entries of a record, of which there must be some. */
export function entriesOf<T>(op: string, what: string, record: Readonly<Record<string, T>>) {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new ArgumentError(`plot.${op}: expected ${what} by name, got ${record}`)
  }
  const entries = Object.entries(record)
  if (entries.length > 0) return entries
  throw new ArgumentError(`plot.${op}: expected at least one of ${what}, got none`)
}

/** The least and the largest of all values. */
export function extentOf(all: readonly ArrayLike<number>[]): { low: number; high: number } {
  let low = Infinity
  let high = -Infinity
  for (const values of all) {
    for (let i = 0; i < values.length; i++) {
      low = Math.min(low, values[i])
      high = Math.max(high, values[i])
    }
  }
  return { low, high }
}

/** The points of all series, checked. */
export function pointsOf(
  op: string,
  record: NamedSeries,
  { logX, logY }: ChartOptions = {},
): Point[] {
  return entriesOf(op, 'series', record).flatMap(([series, data]) => {
    const { x, y } = isPairs(data) ? data : { x: undefined, y: data }
    checkNumbers(op, `y of ${series}`, y, logY)
    if (x !== undefined) {
      checkNumbers(op, `x of ${series}`, x, logX)
      if (x.length !== y.length) {
        throw new ShapeError(
          `plot.${op}: expected as many x as y in ${series}, got ${x.length} and ${y.length}`,
        )
      }
    }
    return Array.from(y, (value, i) => ({ series, x: x?.[i] ?? i + 1, y: value }))
  })
}

function isPairs(data: Series): data is { x: ArrayLike<number>; y: ArrayLike<number> } {
  return typeof data === 'object' && data !== null && 'y' in data
}
