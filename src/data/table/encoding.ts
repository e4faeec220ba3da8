/**
 * From the columns of a table to the inputs of a network and back: numbers standardized, categories as
 * columns of 0 and 1, what is missing filled in. It is fitted on training rows alone (fitEncoding.ts), is
 * plain data and travels with the model; encodeRows.ts applies it.
 */
import { type CellFormat, checkFormat } from './cells.js'
import { type MissingPolicy, missingPolicies } from './missing.js'

/** A column of numbers x, as (x - mean)·scale. */
export interface NumberEncoding {
  /** The column. */
  readonly name: string
  /** It is a number. */
  readonly type: 'number'
  /** Of the training rows. */
  readonly mean: number
  /** 1 / standard deviation of the training rows. */
  readonly scale: number
}

/** A column of categories, as a column of 0 and 1 for each; all are 0 for one that is not among them. */
export interface CategoryEncoding {
  /** The column. */
  readonly name: string
  /** It is one of the categories. */
  readonly type: 'category'
  /** Of the training rows, in the order of the inputs. */
  readonly categories: readonly string[]
  /** The most frequent one, which stands for a missing value; none where there are no categories. */
  readonly mostFrequent?: string
}

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
  readonly features: readonly (NumberEncoding | CategoryEncoding)[]
  /** The column to predict. */
  readonly target: LabelEncoding | ValueEncoding
  /** What is done where a value is missing. */
  readonly missing: MissingPolicy
  /** How the cells of the table were written. */
  readonly format: CellFormat
}

/** Inputs a feature gives. */
export function widthOf(feature: NumberEncoding | CategoryEncoding): number {
  return feature.type === 'number' ? 1 : feature.categories.length
}

/** Inputs of the network. */
export function inputsOf({ features }: TableEncoding): number {
  return features.reduce((sum, feature) => sum + widthOf(feature), 0)
}

type Fields = Record<string, unknown>

const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const isMoments = ({ mean, scale }: Fields) => Number.isFinite(mean) && Number.isFinite(scale)

/** Whether something from a file is an encoding that gives so many inputs. */
export function isTableEncoding(value: unknown, inputs: number): value is TableEncoding {
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
    inputsOf(value as TableEncoding) === inputs
  )
}

function isFeature(feature: Fields, columns: readonly string[]): boolean {
  const { name, type, categories, mostFrequent } = feature
  if (!isText(name) || !columns.includes(name)) return false
  if (type === 'number') return isMoments(feature)
  const isFilled = mostFrequent === undefined || isText(mostFrequent)
  return type === 'category' && isTexts(categories) && isFilled
}

function isFormat(value: unknown): boolean {
  try {
    checkFormat('table', value as CellFormat)
    return true
  } catch {
    return false
  }
}
