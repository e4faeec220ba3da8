/**
 * From the columns of a table to the inputs of a network and back: numbers standardized, categories as
 * columns of 0 and 1 or as an index to embed, dates in parts, text as hashed words, what is missing filled in.
 * It is fitted on training rows alone (fitEncoding.ts), is plain data and travels with the model;
 * encodeRows.ts applies it.
 */
import { type CellFormat, checkFormat } from './cells.js'
import { type DatePart, dateParts } from './dates.js'
import { type MissingPolicy, missingPolicies } from './missing.js'

/** A column that is a feature. */
interface Feature {
  /** The column. */
  readonly name: string
  /** Whether one more input, after the others, is 1 where the value is missing, else 0. */
  readonly indicator?: true
}

/** A column of numbers x, as (x - mean)·scale. */
export interface NumberEncoding extends Feature {
  /** It is a number. */
  readonly type: 'number'
  /** Of the training rows. */
  readonly mean: number
  /** 1 / standard deviation of the training rows. */
  readonly scale: number
}

/**
 * A column of categories, as a column of 0 and 1 for each, or as one index for an `Embedding`. What is not
 * among them has 0 in all of its inputs.
 */
export interface CategoryEncoding extends Feature {
  /** It is one of the categories. */
  readonly type: 'category'
  /** Of the training rows, in the order of the inputs. */
  readonly categories: readonly string[]
  /** The most frequent one, which stands for a missing value; none where there are no categories. */
  readonly mostFrequent?: string
  /** Whether its only input is the position among the categories, counted from 1 on. */
  readonly embedded?: true
}

/**
 * A column of dates, as the parts that vary in the training rows: the year as (year - mean)·scale, and of
 * each other part, as a share s of its round, sin 2πs and cos 2πs; all are 0 for a missing date.
 */
export interface DateEncoding extends Feature {
  /** It is a date, in UTC. */
  readonly type: 'date'
  /** In the order of the inputs. The hour has minutes and seconds as its fraction; a week begins with Monday. */
  readonly parts: readonly DatePart[]
  /** Of the years of the training rows. */
  readonly mean: number
  /** 1 / standard deviation of the years of the training rows. */
  readonly scale: number
}

/**
 * A column of text, as a bag of words hashed by MurmurHash3 with a sign, of length 1: as scikit-learn's
 * `HashingVectorizer(n_features=2 ** bits)` has it.
 */
export interface TextEncoding extends Feature {
  /** It is text. */
  readonly type: 'text'
  /** It has 2^bits inputs. */
  readonly bits: number
}

/** A column of a table, as inputs. */
export type FeatureEncoding = NumberEncoding | CategoryEncoding | DateEncoding | TextEncoding

/** A target of classes. */
export interface LabelEncoding {
  /** The column. */
  readonly name: string
}

/** A target of values y, as (y - mean)·scale. */
export interface ValueEncoding extends LabelEncoding {
  /** Of the training rows. */
  readonly mean: number
  /** 1 / standard deviation of the training rows. */
  readonly scale: number
}

/** How a row of a table becomes the inputs of a network, and its outputs an answer. Plain data. */
export interface TableEncoding {
  /** All columns of the table, by which a file without names is read. */
  readonly columns: readonly string[]
  /** Whether the columns have names of their own, not only their positions. */
  readonly isNamed: boolean
  /** What the inputs are made of, in their order. */
  readonly features: readonly FeatureEncoding[]
  /** The column to predict. */
  readonly target: LabelEncoding | ValueEncoding
  /** What is done where a value is missing. */
  readonly missing: MissingPolicy
  /** How the cells of the table were written. */
  readonly format: CellFormat
}

/** Inputs a feature gives. */
export function widthOf(feature: FeatureEncoding): number {
  return ownWidthOf(feature) + (feature.indicator ? 1 : 0)
}

/** Without that of the indicator. */
export function ownWidthOf(feature: FeatureEncoding): number {
  if (feature.type === 'number') return 1
  if (feature.type === 'text') return 2 ** feature.bits
  if (feature.type === 'category') return feature.embedded ? 1 : feature.categories.length
  return feature.parts.reduce((sum, part) => sum + (part === 'year' ? 1 : 2), 0)
}

/** Inputs of the network. */
export function inputsOf({ features }: TableEncoding): number {
  return features.reduce((sum, feature) => sum + widthOf(feature), 0)
}

type Fields = Record<string, unknown>

const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const isMoments = ({ mean, scale }: Fields) => Number.isFinite(mean) && Number.isFinite(scale)

/** Whether something from a file is an encoding, that gives so many inputs where a number is given. */
export function isTableEncoding(value: unknown, inputs?: number): value is TableEncoding {
  const { columns, isNamed, features, target, missing, format } = (value ?? {}) as Fields
  const { name, ...moments } = (target ?? {}) as Fields
  return (
    isTexts(columns) &&
    typeof isNamed === 'boolean' &&
    Array.isArray(features) &&
    features.every((feature) => isFeature((feature ?? {}) as Fields, columns)) &&
    isText(name) &&
    columns.includes(name) &&
    (Object.keys(moments).length === 0 || isMoments(moments)) &&
    missingPolicies.includes(missing as MissingPolicy) &&
    isFormat(format) &&
    (inputs === undefined || inputsOf(value as TableEncoding) === inputs)
  )
}

function isFeature(feature: Fields, columns: readonly string[]): boolean {
  const { name, type, indicator } = feature
  const isKnown = isText(name) && columns.includes(name)
  if (!isKnown || (indicator !== undefined && indicator !== true)) return false
  if (type === 'number') return isMoments(feature)
  if (type === 'text') return isHashBits(feature.bits)
  if (type === 'date') {
    const { parts } = feature
    const isParts = Array.isArray(parts) && parts.every((part) => dateParts.includes(part))
    return isParts && isMoments(feature)
  }
  const { categories, mostFrequent, embedded } = feature
  const isFilled = mostFrequent === undefined || isText(mostFrequent)
  const isEmbedded = embedded === undefined || embedded === true
  return type === 'category' && isTexts(categories) && isFilled && isEmbedded
}

/** So many inputs of hashed words at most: 2^20, as scikit-learn has by default. */
const MAX_HASH_BITS = 20

export function isHashBits(bits: unknown): boolean {
  return Number.isInteger(bits) && (bits as number) >= 1 && (bits as number) <= MAX_HASH_BITS
}

function isFormat(value: unknown): boolean {
  try {
    checkFormat('table', value as CellFormat)
    return true
  } catch {
    return false
  }
}
