/**
 * Tables in NumPy's files: an array has its examples along the first axis, and a column for each value of one.
 * In a .npz, a column is called as its array (`y`), or as that and the position in a row (`X.0`, `X.1`).
 */
import { DataError } from '../../base/errors.js'
import { loadNpy, loadNpz, type NpyArray } from '../formats/npy.js'
import { columnsNamed } from './columns.js'
import type { SourceBatch, SourceColumn, SourceValues, TableReader } from './source.js'
import { TextCodes } from './texts.js'

export const NUMPY = /\.np[yz]$/i
/** Rows of a batch. */
const ROWS = 2048
/** A table of more columns is an image, or a mistake. */
const MAX_COLUMNS = 100_000

interface Column extends SourceColumn {
  readonly array: NpyArray
  /** Values of a row of the array, and which of them it is. */
  readonly width: number
  readonly position: number
}

/** @throws DataError for a damaged file, and for arrays with other numbers of rows */
export function openNumpy(path: string, name = path): TableReader {
  const isNamed = /z$/i.test(path)
  const arrays = Object.entries(isNamed ? loadNpz(path) : { '': loadNpy(path) })
  const [[first, { shape }]] = arrays
  const rows = shape[0]
  const columns: Column[] = []
  for (const [key, array] of arrays) {
    const at = key === '' ? name : `${name}: ${key}`
    if (array.shape[0] !== rows || rows === undefined) {
      const expected = rows === undefined ? 'an array with rows' : `${rows} rows as in ${first}`
      throw new DataError(`${at}: expected ${expected}, got shape [${array.shape.join(', ')}]`)
    }
    const width = array.shape.slice(1).reduce((a, b) => a * b, 1)
    if (columns.length + width > MAX_COLUMNS) {
      throw new DataError(
        `${at}: expected at most ${MAX_COLUMNS} columns, got shape [${array.shape}]`,
      )
    }
    const type = Array.isArray(array.data) ? 'text' : 'number'
    for (let position = 0; position < width; position++) {
      const own =
        array.shape.length === 1 && isNamed ? key : `${isNamed ? `${key}.` : ''}${position}`
      columns.push({ name: own, type, declared: type, array, width, position })
    }
  }
  return {
    name,
    columns,
    isNamed,
    isRepeatable: true,
    rows,
    batches: (names) => batchesOf(columnsNamed(name, columns, names), rows),
    close: async () => {},
  }
}

async function* batchesOf(columns: readonly Column[], rows: number): AsyncGenerator<SourceBatch> {
  const readers = columns.map(readerOf)
  for (let start = 0; start < rows; start += ROWS) {
    const count = Math.min(ROWS, rows - start)
    yield { rows: count, columns: readers.map((read) => read(start, count)) }
  }
}

function readerOf({
  array,
  width,
  position,
}: Column): (start: number, count: number) => SourceValues {
  const { data } = array
  if (!Array.isArray(data)) {
    const Values = data instanceof Float32Array ? Float32Array : Float64Array
    return (start, count) => {
      const values = new Values(count)
      for (let i = 0; i < count; i++) values[i] = Number(data[(start + i) * width + position])
      return values
    }
  }
  const known = new TextCodes()
  return (start, count) => {
    known.beginBatch()
    const codes = Int32Array.from({ length: count }, (_, i) =>
      known.codeOf(data[(start + i) * width + position]),
    )
    return { texts: known.texts, codes }
  }
}
