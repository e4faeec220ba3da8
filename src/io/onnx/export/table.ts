/** The encoding of a table's rows in a graph: an input for each column, and the inputs of the network. */
import { ArgumentError } from '../../../base/errors.js'
import { quote } from '../../../base/text.js'
import { MISSING_VALUES } from '../../../data/table/cells.js'
import {
  type CategoryEncoding,
  type DateEncoding,
  type FeatureEncoding,
  type NumberEncoding,
  type TableEncoding,
  widthOf,
} from '../../../data/table/encoding.js'
import { datePartsOf, NO_DATE } from './dates.js'
import type { Emitter } from './emitter.js'
import type { OnnxType } from './graph.js'

const TYPES = { number: 'float32', category: 'string', date: 'int64' } satisfies Record<
  Exclude<FeatureEncoding['type'], 'text'>,
  OnnxType
>

/**
 * Declares the columns as inputs, each [batch, 1].
 * @returns the name of the encoded rows, [batch, inputs]
 * @throws ArgumentError for a column of text, whose words are hashed
 */
export function encodeTable(g: Emitter, encoding: TableEncoding): string {
  const { features } = encoding
  const columns = features.map(({ name, type }) => {
    if (type !== 'text') return g.input(name, TYPES[type], ['batch', 1])
    throw new ArgumentError(
      `exportOnnx: expected columns of numbers, categories and dates, got ${quote(name)} of text, whose words are hashed by MurmurHash3, which ONNX has no op for`,
    )
  })
  const parts = features.flatMap((feature, i) => {
    if (widthOf(feature) === 0) return []
    return encodeFeature(g, feature, columns[i], encoding)
  })
  return parts.length === 1 ? parts[0] : g.node('Concat', parts, { axis: 1 })
}

function encodeFeature(
  g: Emitter,
  feature: FeatureEncoding,
  column: string,
  { format, missing }: TableEncoding,
): string[] {
  const isFilled = missing === 'impute'
  if (feature.type === 'number') return encodeNumbers(g, feature, column, isFilled)
  if (feature.type === 'date') return encodeDates(g, feature, column)
  const category = feature as CategoryEncoding
  // An empty text stands for no value, unless it is a category.
  const markers = ['', ...(format.missingValues ?? MISSING_VALUES)]
  const own = markers.filter((text) => !category.categories.includes(text))
  return encodeCategories(g, category, column, [...new Set(own)])
}

/** (x - mean)·scale in float64: of a year, say, float32 would leave too little. */
export function standardized(g: Emitter, x: string, mean: string, scale: string): string {
  return g.node('Mul', [g.node('Sub', [g.cast(x, 'float64'), mean]), scale])
}

/** The mean stands for a missing number, which is NaN, where missing values are filled in. */
function encodeNumbers(
  g: Emitter,
  { mean, scale, indicator }: NumberEncoding,
  column: string,
  isFilled: boolean,
): string[] {
  const moments = [mean, scale].map((value) => g.scalar(value, 'float64'))
  const value = g.cast(standardized(g, column, moments[0], moments[1]), 'float32')
  if (!isFilled) return [value]
  const isMissing = g.node('IsNaN', [column])
  const filled = g.node('Where', [isMissing, g.scalar(0, 'float32'), value])
  return indicator ? [filled, g.cast(isMissing, 'float32')] : [filled]
}

/** All parts of a date that is missing are 0. */
function encodeDates(
  g: Emitter,
  { parts, mean, scale, indicator }: DateEncoding,
  column: string,
): string[] {
  const none = g.constant(NO_DATE, 'int64', [], 'no_date')
  const isMissing = g.node('Equal', [column, none])
  const partOf = datePartsOf(g, column)
  const zero = g.scalar(0, 'float32')
  const shown = (value: string) => g.node('Where', [isMissing, zero, value])
  const found = parts.flatMap((part) => {
    const value = partOf(part)
    if (part === 'year') {
      const moments = [mean, scale].map((moment) => g.scalar(moment, 'float64'))
      return [shown(g.cast(standardized(g, value, moments[0], moments[1]), 'float32'))]
    }
    const turned = g.node('Mul', [g.cast(value, 'float32'), g.scalar(2 * Math.PI, 'float32')])
    return [shown(g.node('Sin', [turned])), shown(g.node('Cos', [turned]))]
  })
  return indicator ? [...found, g.cast(isMissing, 'float32')] : found
}

/** As programs write them; a model reads either as the category that it knows. */
const SPELLINGS = [
  ['true', 'True', 'TRUE'],
  ['false', 'False', 'FALSE'],
]

/** Positions from 1 on by text; 0 stands for what is none of the categories. */
function encodeCategories(
  g: Emitter,
  { categories, mostFrequent, embedded, indicator }: CategoryEncoding,
  column: string,
  markers: readonly string[],
): string[] {
  const positions = new Map(categories.map((text, i) => [text, i + 1]))
  for (const spellings of SPELLINGS) {
    const known = categories.findLast((text) => spellings[0] === text.toLowerCase())
    if (known === undefined) continue
    for (const text of spellings) {
      if (!positions.has(text)) positions.set(text, positions.get(known) as number)
    }
  }
  const filled = mostFrequent === undefined ? undefined : positions.get(mostFrequent)
  if (filled !== undefined) for (const marker of markers) positions.set(marker, filled)
  const encoded =
    categories.length === 0
      ? []
      : [encodePositions(g, positions, column, categories.length, embedded)]
  return indicator ? [...encoded, isOneOf(g, markers, column)] : encoded
}

/** 1 where a text is one of these, else 0. */
function isOneOf(g: Emitter, texts: readonly string[], column: string): string {
  const keys = [...new Set(['', ...texts])]
  return g.node('LabelEncoder', [column], {
    keys_strings: keys,
    values_floats: keys.map((text) => Number(texts.includes(text))),
    default_float: 0,
  })
}

function encodePositions(
  g: Emitter,
  positions: ReadonlyMap<string, number>,
  column: string,
  count: number,
  embedded?: true,
): string {
  const index = g.node('LabelEncoder', [column], {
    keys_strings: [...positions.keys()],
    values_int64s: [...positions.values()],
    default_int64: 0,
  })
  if (embedded) return g.cast(index, 'float32')
  const all = BigInt64Array.from({ length: count }, (_, i) => BigInt(i + 1))
  const each = g.constant(all, 'int64', [1, count], 'categories')
  return g.cast(g.node('Equal', [index, each]), 'float32')
}
