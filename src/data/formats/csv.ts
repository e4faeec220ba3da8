/** Rows of numbers from text that people wrote: commas, an optional header, nothing quoted. */

import { DataError } from '../../base/errors.js'
import { parseNumber, quote } from '../../base/text.js'

/**
 * Lines of `columns` numbers each. A first line of as many cells, none a number, is a header.
 * @param name what the errors call the text
 * @throws DataError naming the first line that is something else
 */
export function parseCsv(text: string, columns: number, name: string): Float32Array {
  return parseLines(text, columns, false, name).values
}

/**
 * Lines as `parseCsv` takes them, with the name of a class as their last cell.
 * @throws DataError naming the first line that is something else
 */
export function parseLabelledCsv(
  text: string,
  name: string,
): { values: Float32Array; columns: number; labels: string[] } {
  const [first] = text.split(/\r?\n/, 1)
  const columns = first.split(',').length - 1
  if (columns === 0) {
    throw new DataError(
      `${name}: expected numbers and a class between commas on line 1, got no commas in ${quote(first)}`,
    )
  }
  return { ...parseLines(text, columns, true, name), columns }
}

function parseLines(
  text: string,
  columns: number,
  isLabelled: boolean,
  name: string,
): { values: Float32Array; labels: string[] } {
  const width = columns + (isLabelled ? 1 : 0)
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const first = lines.length > 0 && isHeader(lines[0], width) ? 1 : 0
  if (lines.length === first) {
    throw new DataError(`${name}: expected rows of ${width} values, got none`)
  }
  const values = new Float32Array((lines.length - first) * columns)
  const labels: string[] = []
  for (let i = first; i < lines.length; i++) {
    const cells = lines[i].split(',')
    if (cells.length !== width) {
      const found = cells.length > 1 ? cells.length : `no commas in ${quote(lines[i])}`
      throw new DataError(
        `${name}: expected ${width} values between commas on line ${i + 1}, got ${found}`,
      )
    }
    for (let column = 0; column < columns; column++) {
      const value = Math.fround(parseNumber(cells[column].trim()))
      if (!Number.isFinite(value)) {
        throw new DataError(
          `${name}: expected a number in column ${column + 1} of line ${i + 1}, got ${quote(cells[column])}`,
        )
      }
      values[(i - first) * columns + column] = value
    }
    if (isLabelled) labels.push(cells[columns].trim())
    if (labels.at(-1) === '') {
      throw new DataError(`${name}: expected a class in the last column of line ${i + 1}, got none`)
    }
  }
  return { values, labels }
}

function isHeader(line: string, columns: number): boolean {
  const cells = line.split(',')
  const isNumber = (cell: string) => !Number.isNaN(parseNumber(cell.trim()))
  return line !== '' && cells.length === columns && !cells.some(isNumber)
}
