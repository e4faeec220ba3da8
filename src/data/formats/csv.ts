/** Reads CSV text of numbers: commas, an optional header, nothing quoted. */

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { refuseUnknown } from '../../base/arguments.js'
import { DataError } from '../../base/errors.js'
import { parseNumber, quote } from '../../base/text.js'
import { type Dataset, dataset } from '../dataset.js'

/**
 * Lines of `columns` numbers each. A first line of as many cells, none a number, is a header.
 * @param name what the errors call the text
 * @throws DataError naming the first line that is something else
 */
export function parseRows(text: string, columns: number, name: string): Float32Array {
  return parseLines(text, columns, false, name).values
}

/**
 * Lines as `parseCsv` takes them, with the name of a class as their last cell.
 * @throws DataError naming the first line that is something else
 */
export function parseLabelledRows(
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

/**
 * A data set from a CSV file: numbers, and in the last column the class. A first line of names is
 * skipped.
 * @param options.classes all that there are, in their order; by default those of the file, sorted
 * @throws DataError naming the line that is something else, or where there are no two classes
 * @example const { train, test } = split(readCsv('flowers.csv'), 0.2, 1)
 */
export function readCsv(
  path: string,
  options: { classes?: readonly string[] } = {},
): Dataset<'labels'> {
  refuseUnknown('readCsv', options, ['classes'])
  const { classes: given } = options
  const { values: inputs, columns, labels } = parseLabelledRows(readFileSync(path, 'utf8'), path)
  const classes =
    given ?? [...new Set(labels)].sort(new Intl.Collator('en', { numeric: true }).compare)
  if (classes.length < 2) {
    throw new DataError(`${path}: expected 2 classes or more in the last column, got ${classes}`)
  }
  const position = new Map(classes.map((name, i) => [name, i]))
  const targets = labels.map((label) => position.get(label) ?? -1)
  const unknown = targets.indexOf(-1)
  if (unknown >= 0) {
    throw new DataError(
      `${path}: expected one of the classes ${classes.join(', ')} in the last column, got ${quote(labels[unknown])}`,
    )
  }
  return dataset({ name: basename(path), inputs, inputShape: [columns], targets, classes })
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
