/** Checks of the data that charts are given. */
import { checkFlag, checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type NumberArray, readTypedArray } from '../base/typedArrays.js'
import { type AnyTensor, isTensor } from '../tensor/tensor.js'
import type { ChartOptions } from './draw.js'

/** An array, a typed array or the elements of a tensor, row-major. */
export type Numbers = ArrayLike<number> | AnyTensor

/** Numbers against 1, 2, 3 and so on, or against `x`. */
export type Series =
  | Numbers
  | {
      /** Positions along the horizontal axis. */
      x: Numbers
      /** As many values. */
      y: Numbers
    }

/** Series by name; the names are the legend. */
export type NamedSeries = Readonly<Record<string, Series>>

export interface Point {
  series: string
  x: number
  y: number
}

const CHART: Record<keyof ChartOptions, true> = {
  title: true,
  subtitle: true,
  x: true,
  y: true,
  width: true,
  height: true,
  logX: true,
  logY: true,
}

/** Options of a chart that are its own; all of them know those of `ChartOptions`. */
type Own<Options extends ChartOptions> = Record<Exclude<keyof Options, keyof ChartOptions>, true>

/**
 * A copy of a chart's options. Refuses those that do not exist or are of the wrong type, and sizes that no
 * picture has.
 */
export function chartOptionsOf<Options extends ChartOptions>(
  op: string,
  given: Options,
  own: Own<Options>,
): Options {
  const known = { ...CHART, ...own } as Record<keyof Options, true>
  return checkedOptions(op, optionsOf(`plot.${op}`, given, known))
}

/** Refuses options of the wrong type, and sizes that no picture has. */
export function checkedOptions<Options extends ChartOptions>(
  op: string,
  options: Options,
): Options {
  const { title, subtitle, x, y, width = 1, height = 1, logX = false, logY = false } = options
  for (const [name, value] of Object.entries({ width, height })) {
    checkNumber(`plot.${op}`, `a ${name}`, value, (n) => n > 0 && n <= 10_000, 'from 1 to 10000')
  }
  for (const [name, value] of Object.entries({ title, subtitle, x, y })) {
    if (value === undefined || typeof value === 'string') continue
    throw new ArgumentError(`plot.${op}: expected ${name} to be text, got ${excerpt(value)}`)
  }
  checkFlag(`plot.${op}`, 'logX', logX)
  checkFlag(`plot.${op}`, 'logY', logY)
  return options
}

/**
 * The numbers of an array or a tensor. Refuses what is neither, an empty one, and numbers that have
 * no place on the axis.
 */
export function numbersOf(
  op: string,
  what: string,
  given: Numbers,
  log = false,
): ArrayLike<number> {
  const values = isTensor(given)
    ? (given.data() as NumberArray)
    : (readTypedArray(`plot.${op}`, given)?.values ?? given)
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) {
    throw new ArgumentError(
      `plot.${op}: expected an array of numbers or a tensor as ${what}, got ${excerpt(given)}`,
    )
  }
  if (values.length === 0) {
    throw new ArgumentError(`plot.${op}: expected at least one number in ${what}, got none`)
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (Number.isFinite(value) && (!log || value > 0)) continue
    const expected = log ? 'numbers > 0 on a logarithmic axis' : 'finite numbers'
    throw new ArgumentError(
      `plot.${op}: expected ${expected} in ${what}, got ${excerpt(value)} at ${i}`,
    )
  }
  return values
}

/** The numbers of each array or tensor in a list, or of each row of a tensor. */
export function rowsOf(
  op: string,
  what: string,
  given: readonly Numbers[] | AnyTensor,
): ArrayLike<number>[] {
  const rows = isTensor(given) ? partsOf(given) : given
  if (!Array.isArray(rows) || rows.length === 0) {
    throw new ArgumentError(
      `plot.${op}: expected an array of at least one ${what} or a tensor of them, got ${excerpt(given)}`,
    )
  }
  return [...rows].map((row: Numbers, i) => numbersOf(op, `${what} ${i}`, row))
}

function partsOf(x: AnyTensor): NumberArray[] {
  const values = x.data()
  const rows = x.size === 0 ? 0 : (x.shape[0] ?? 0)
  const width = x.size / rows
  return Array.from({ length: rows }, (_, i) => values.subarray(i * width, (i + 1) * width))
}

/** The entries of a record, of which there must be some. */
export function entriesOf<T>(op: string, what: string, record: Readonly<Record<string, T>>) {
  const isList = Array.isArray(record) || ArrayBuffer.isView(record) || isTensor(record)
  if (typeof record !== 'object' || record === null || isList) {
    throw new ArgumentError(`plot.${op}: expected ${what} by name, got ${excerpt(record)}`)
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
    const given = isPairs(data) ? data : { x: undefined, y: data }
    const y = numbersOf(op, `y of ${series}`, given.y, logY)
    const x = given.x === undefined ? given.x : numbersOf(op, `x of ${series}`, given.x, logX)
    if (x && x.length !== y.length) {
      throw new ShapeError(
        `plot.${op}: expected as many x as y in ${series}, got ${x.length} and ${y.length}`,
      )
    }
    return Array.from(y, (value, i) => ({ series, x: x?.[i] ?? i + 1, y: value }))
  })
}

function isPairs(data: Series): data is { x: Numbers; y: Numbers } {
  return typeof data === 'object' && data !== null && 'y' in data
}
