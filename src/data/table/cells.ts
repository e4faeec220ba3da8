/** What the cells of a table say: numbers, and that there is no value. */
import { ArgumentError } from '../../base/errors.js'
import { parseNumber } from '../../base/text.js'

/** How the cells of a table are written. It travels with a model. */
export interface CellFormat {
  /** Cells that stand for no value; by default those of `pandas.read_csv` and `?`. */
  readonly missingValues?: readonly string[]
  /** What parts the digits of a number from its decimals: `.` by default, or `,`. */
  readonly decimal?: '.' | ','
  /** What stands between thousands, such as `,`; nothing by default. */
  readonly thousands?: string
}

/** The markers of pandas.read_csv, and the one of the UCI collection. */
export const MISSING_VALUES: readonly string[] = [
  '',
  '?',
  ...['#N/A', '#N/A N/A', '#NA', '<NA>', 'N/A', 'NA', 'n/a', 'NULL', 'null', 'None'],
  ...['NaN', '-NaN', 'nan', '-nan', '-1.#IND', '-1.#QNAN', '1.#IND', '1.#QNAN'],
]

/** @throws ArgumentError for what is no format of cells */
export function checkFormat(op: string, { missingValues, decimal, thousands }: CellFormat): void {
  const isTexts = Array.isArray(missingValues) && missingValues.every((v) => typeof v === 'string')
  if (missingValues !== undefined && !isTexts) {
    throw new ArgumentError(
      `${op}: expected missingValues as a list of texts, got ${missingValues}`,
    )
  }
  if (decimal !== undefined && decimal !== '.' && decimal !== ',') {
    throw new ArgumentError(`${op}: expected decimal . or , got ${decimal}`)
  }
  const isSeparator = thousands === undefined || /^[^\d+-]$/.test(thousands)
  if (!isSeparator || thousands === (decimal ?? '.')) {
    throw new ArgumentError(
      `${op}: expected thousands as one character other than that of decimals, got ${thousands}`,
    )
  }
}

/** A reader of numbers as they are written: NaN for other text, an infinity where it is one. */
export function numberReader({ decimal = '.', thousands }: CellFormat): (text: string) => number {
  const plain = (text: string) => {
    const value = parseNumber(text)
    return Number.isNaN(value) && /^[+-]?inf(inity)?$/i.test(text)
      ? text.startsWith('-')
        ? -Infinity
        : Infinity
      : value
  }
  if (decimal === '.' && thousands === undefined) return plain
  return (text) => {
    // Where commas are decimals, a point is none.
    if (decimal === ',' && thousands !== '.' && text.includes('.')) return Number.NaN
    const digits = thousands === undefined ? text : text.replaceAll(thousands, '')
    return plain(digits.replace(decimal, '.'))
  }
}
