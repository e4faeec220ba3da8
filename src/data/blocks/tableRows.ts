/** The rows of a source as examples: encoded batch by batch, in the source's order. */
import { DataError } from '../../base/errors.js'
import { atOnce } from '../../base/eventLoop.js'
import { quote } from '../../base/text.js'
import {
  isTexts,
  type SourceColumn,
  type SourceValues,
  type TableReader,
} from '../sources/source.js'
import { encodeFeature } from '../table/encodeRows.js'
import {
  type FeatureEncoding,
  inputsOf,
  type NumberEncoding,
  type TableEncoding,
  widthOf,
} from '../table/encoding.js'
import { BatchCells } from './batchCells.js'
import type { Block } from './blockSource.js'
import type { BatchParts } from './columnSummary.js'
import {
  LEFT_OUT,
  partsOfRows,
  partsOfTimes,
  type RowSplit,
  type Shares,
  TEST,
  TRAIN,
  VALIDATION,
} from './rowSplit.js'

/** Which rows of a source are used, and for what. */
export interface RowChoice extends Shares {
  /** Columns without whose values a row is left out. */
  readonly needed: readonly string[]
  readonly split: RowSplit
  /** By time, of the rows to validate by. */
  readonly validFrom?: number
}

/** A batch, and what its rows are for. */
export interface ChosenBatch extends BatchParts {
  readonly columns: readonly SourceValues[]
}

/** Goes through the rows of some columns. */
export async function* chosenBatches(
  reader: TableReader,
  names: readonly string[],
  choice: RowChoice,
): AsyncGenerator<ChosenBatch> {
  const { needed, split } = choice
  const own = split.column === undefined ? [] : [split.column]
  const read = [...names, ...own.filter((name) => !names.includes(name))]
  const at = needed.map((name) => read.indexOf(name))
  let first = 0
  for await (const { rows, columns } of reader.batches(read, true)) {
    const keys = own.map((name) => keysOf(reader, name, columns[read.indexOf(name)], first))
    const parts = partsOf(choice, first, rows, keys[0])
    for (const i of at) leaveOut(columns[i], parts)
    yield {
      first,
      columns: columns.slice(0, names.length),
      parts,
      train: positionsOf(parts, (part) => part === TRAIN),
      others: positionsOf(parts, (part) => part === TEST || part === VALIDATION),
    }
    first += rows
  }
}

function partsOf(
  choice: RowChoice,
  first: number,
  rows: number,
  keyAt?: (row: number) => string | number,
): Uint8Array {
  const { split, validFrom } = choice
  if (split.from === undefined) return partsOfRows(first, rows, choice, keyAt)
  const timeAt = keyAt as (row: number) => number
  return partsOfTimes(rows, { from: split.from, validFrom }, timeAt)
}

/** The values of a column that decides, none of which may be missing. */
function keysOf(
  { name: table }: TableReader,
  column: string,
  values: SourceValues,
  first: number,
): (row: number) => string | number {
  const keyAt = (row: number) => (isTexts(values) ? values.texts[values.codes[row]] : values[row])
  return (row) => {
    const key = keyAt(row)
    if (key !== undefined && !Number.isNaN(key)) return key
    throw new DataError(
      `${table}: expected a value in every row of ${column} to split by, got none in row ${first + row + 1}`,
    )
  }
}

function leaveOut(values: SourceValues, parts: Uint8Array): void {
  if (isTexts(values)) {
    for (let i = 0; i < parts.length; i++) if (values.codes[i] < 0) parts[i] = LEFT_OUT
  } else {
    for (let i = 0; i < parts.length; i++) if (Number.isNaN(values[i])) parts[i] = LEFT_OUT
  }
}

/** The rows that are for something. */
export function positionsOf(parts: Uint8Array, isWanted: (part: number) => boolean): Int32Array {
  const positions = new Int32Array(parts.length)
  let count = 0
  for (let i = 0; i < parts.length; i++) if (isWanted(parts[i])) positions[count++] = i
  return positions.subarray(0, count)
}

/** Makes blocks of batches; what a block holds is written over by the next one. */
export class RowEncoder {
  readonly #inputs: number
  readonly #labels: ReadonlyMap<string | number, number>
  #values = new Float32Array(0)

  /** @param columns those of the features, in their order, and of the target at the end */
  constructor(
    readonly name: string,
    readonly encoding: TableEncoding,
    readonly columns: readonly SourceColumn[],
    readonly classes: readonly string[],
  ) {
    this.#inputs = inputsOf(encoding)
    const isNumber = this.#target.type === 'number'
    this.#labels = new Map(classes.map((label, i) => [isNumber ? Number(label) : label, i]))
  }

  /** @param rows of the batch */
  encode(values: readonly SourceValues[], rows: Int32Array, first: number): Block {
    const target = values[values.length - 1]
    return {
      inputs: this.#encodeFeatures(values, rows),
      targets:
        'mean' in this.encoding.target
          ? this.#encodeValues(target as ArrayLike<number>, rows, this.encoding.target)
          : this.#encodeLabels(target, rows, first),
    }
  }

  get #target(): SourceColumn {
    return this.columns[this.columns.length - 1]
  }

  #encodeFeatures(values: readonly SourceValues[], rows: Int32Array): Float32Array {
    const width = this.#inputs
    if (this.#values.length < rows.length * width)
      this.#values = new Float32Array(rows.length * width)
    const inputs = this.#values.subarray(0, rows.length * width)
    const { features } = this.encoding
    if (features.some((feature) => !isPlainNumber(feature))) inputs.fill(0)
    const numbers: Standardized[] = []
    let begin = 0
    for (const [i, feature] of features.entries()) {
      const column = values[i]
      if (isPlainNumber(feature) && !isTexts(column)) numbers.push({ feature, column, at: begin })
      else this.#encodeOther(feature, i, column, rows, inputs, begin)
      begin += widthOf(feature)
    }
    standardize(numbers, rows, inputs, width)
    return inputs
  }

  #encodeOther(
    feature: FeatureEncoding,
    i: number,
    values: SourceValues,
    rows: Int32Array,
    inputs: Float32Array,
    begin: number,
  ): void {
    const { name, type } = this.columns[i]
    const width = this.#inputs
    const put = (row: number, position: number, value: number) => {
      inputs[row * width + begin + position] = value
    }
    const column = new BatchCells(name, type, values)
    atOnce(encodeFeature(feature, { table: this.name, column, rows, put }))
  }

  #encodeLabels(values: SourceValues, rows: Int32Array, first: number): Int32Array {
    const labels = new Int32Array(rows.length)
    const { type, name } = this.#target
    const valueAt = isTexts(values)
      ? (row: number) => values.texts[values.codes[row]]
      : (row: number) => (type === 'boolean' ? String(values[row] === 1) : values[row])
    for (let i = 0; i < rows.length; i++) {
      const label = this.#labels.get(valueAt(rows[i]))
      if (label === undefined) {
        throw new DataError(
          `${this.name}: expected one of the classes ${this.classes.slice(0, 20).join(', ')} in column ${name}, got ${quote(String(valueAt(rows[i])))} in row ${first + rows[i] + 1}; it has changed`,
        )
      }
      labels[i] = label
    }
    return labels
  }

  #encodeValues(
    values: ArrayLike<number>,
    rows: Int32Array,
    { mean, scale }: Pick<NumberEncoding, 'mean' | 'scale'>,
  ): Float32Array {
    return Float32Array.from(rows, (row) => (values[row] - mean) * scale)
  }
}

interface Standardized {
  readonly feature: NumberEncoding
  readonly column: ArrayLike<number>
  readonly at: number
}

function isPlainNumber(feature: FeatureEncoding): feature is NumberEncoding {
  return feature.type === 'number' && !feature.indicator
}

/** Rows at a time, of all columns: what is written stays in the cache of the processor. */
const TILE = 256

function standardize(
  numbers: readonly Standardized[],
  rows: Int32Array,
  inputs: Float32Array,
  width: number,
): void {
  for (let begin = 0; begin < rows.length; begin += TILE) {
    const end = Math.min(begin + TILE, rows.length)
    for (const { feature, column, at } of numbers) {
      const { mean, scale } = feature
      for (let i = begin, to = begin * width + at; i < end; i++, to += width) {
        const value = column[rows[i]]
        // The mean stands for a missing value.
        inputs[to] = Number.isNaN(value) ? 0 : (value - mean) * scale
      }
    }
  }
}
