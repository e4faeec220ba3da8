/** Finds the encoding of a table by some of its rows, those to train on. */
import { type Pausable, pausably } from '../../base/eventLoop.js'
import type { CellFormat } from './cells.js'
import { type Column, countsOf } from './column.js'
import { type DatePart, dateParts, partOf } from './dates.js'
import type { CategoryEncoding, DateEncoding, FeatureEncoding, TableEncoding } from './encoding.js'
import { type Figures, figuresOf } from './figures.js'
import type { Frame } from './frame.js'
import type { MissingPolicy } from './missing.js'
import { type Roles, sorted } from './roles.js'

/** What is asked for of an encoding. */
export interface EncodingOptions {
  readonly missing: MissingPolicy
  /** Whether a column that misses values gets an indicator. */
  readonly addIndicator: boolean
  readonly format: CellFormat
  /** A column with more categories than these is embedded. */
  readonly embedAbove: number
  /** Text has 2^bits inputs. */
  readonly hashBits: number
}

/** @param rows of the training part */
export function* fitEncoding(
  frame: Frame,
  { target, task, features, text }: Roles,
  rows: ArrayLike<number>,
  options: EncodingOptions,
): Pausable<TableEncoding> {
  const encodings: FeatureEncoding[] = []
  for (const column of features) {
    const encoding = yield* fitFeature(column, rows, options, text.has(column))
    const hasIndicator = options.addIndicator && (yield* isMissing(column, rows))
    encodings.push(hasIndicator ? { ...encoding, indicator: true } : encoding)
  }
  const { name } = target
  return {
    columns: frame.columns.map((column) => column.name),
    isNamed: frame.isNamed,
    features: encodings,
    target: task === 'regress' ? { name, ...(yield* fitNumbers(target, rows)) } : { name },
    missing: options.missing,
    format: options.format,
  }
}

function* fitFeature(
  column: Column,
  rows: ArrayLike<number>,
  { embedAbove, hashBits }: EncodingOptions,
  isText: boolean,
): Pausable<FeatureEncoding> {
  const { name } = column
  if (isText) return { name, type: 'text', bits: hashBits }
  if (column.isNumeric) return { name, type: 'number', ...(yield* fitNumbers(column, rows)) }
  if (column.isDate) return yield* fitDates(column, rows)
  return yield* fitCategories(column, rows, embedAbove)
}

function* isMissing(column: Column, rows: ArrayLike<number>): Pausable<boolean> {
  let found = false
  if (column.missing > 0) {
    yield* pausably(rows.length, (i) => {
      found ||= column.isMissing(rows[i])
    })
  }
  return found
}

function* fitNumbers(
  column: Column,
  rows: ArrayLike<number>,
  read?: (value: number) => number,
): Pausable<{ mean: number; scale: number }> {
  return standardizing(yield* figuresOf(column, rows, read))
}

/** What makes the mean of numbers 0 and their deviation 1. */
export function standardizing({ mean, std }: Figures): { mean: number; scale: number } {
  // A feature that never varies tells nothing: centred it is 0, whatever the scale.
  return { mean, scale: 1 / (std || 1) }
}

function* fitDates(column: Column, rows: ArrayLike<number>): Pausable<DateEncoding> {
  const figures: [DatePart, Figures][] = []
  for (const part of dateParts) {
    figures.push([part, yield* figuresOf(column, rows, (time) => partOf(time, part))])
  }
  return dateEncoding(column.name, new Map(figures))
}

/** By figures of all parts of its dates. */
export function dateEncoding(name: string, figures: ReadonlyMap<DatePart, Figures>): DateEncoding {
  const varying = [...figures].filter(([, { min, max }]) => min < max).map(([part]) => part)
  // As a number that never varies, one date is an input of 0.
  const parts: DatePart[] = varying.length > 0 ? varying : ['year']
  return { name, type: 'date', parts, ...standardizing(figures.get('year') as Figures) }
}

function* fitCategories(
  column: Column,
  rows: ArrayLike<number>,
  embedAbove: number,
): Pausable<CategoryEncoding> {
  const { name, texts = [] } = column
  const counts = yield* countsOf(column, rows)
  const countOf = new Map(texts.map((text, code) => [text, counts[code]]))
  return categoryEncoding(name, texts, (text) => countOf.get(text) as number, embedAbove)
}

/** By how often each text comes in the training rows. */
export function categoryEncoding(
  name: string,
  texts: readonly string[],
  count: (text: string) => number,
  embedAbove: number,
): CategoryEncoding {
  const categories = sorted(texts.filter((text) => count(text) > 0))
  const [mostFrequent] = [...categories].sort((a, b) => count(b) - count(a))
  const encoding = { name, type: 'category', categories, mostFrequent } as const
  return categories.length > embedAbove ? { ...encoding, embedded: true } : encoding
}
