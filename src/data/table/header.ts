/** Whether the first record of a table names its columns, and what they are called then. */
import { DataError } from '../../base/errors.js'
import { quote } from '../../base/text.js'
import { type CellFormat, MISSING_VALUES, numberReader } from './cells.js'

type Record = readonly string[]

/**
 * Whether the first record is a header. It is where it has text in a column of numbers, or, with no
 * column of numbers, where it has nothing that comes again below it. It is not where it has a number in
 * a column of numbers.
 * @param known names of columns that are expected; a first record with one of them is a header
 * @throws DataError where the two contradict each other
 */
export function hasHeader(
  records: readonly Record[],
  format: CellFormat,
  known: readonly string[],
  name: string,
): boolean {
  const [first, ...rest] = records
  if (first === undefined) return false
  if (first.some((cell) => known.includes(cell))) return true
  const read = numberReader(format)
  const isNumber = (cell: string) => !Number.isNaN(read(cell))
  const missing = format.missingValues ?? MISSING_VALUES
  const found = { text: -1, number: -1, again: 0, numeric: 0 }
  first.forEach((cell, i) => {
    const below = rest.map((record) => record[i] ?? '').filter((other) => !missing.includes(other))
    if (below.includes(cell)) found.again++
    if (below.length > 0 ? !below.every(isNumber) : !isNumber(cell)) return
    found.numeric++
    if (missing.includes(cell)) return
    const kind = isNumber(cell) ? 'number' : 'text'
    if (found[kind] < 0) found[kind] = i
  })
  if (found.text >= 0 && found.number >= 0) {
    throw new DataError(
      `${name}: expected a first line of names or of values, got ${quote(first[found.text])} above numbers and ${quote(first[found.number])} as well; say which by header: true or false`,
    )
  }
  if (found.text >= 0 || found.number >= 0) return found.text >= 0
  const isDistinct = new Set(first).size === first.length && !first.some((cell) => cell === '')
  return found.again === 0 && isDistinct && !first.some(isNumber)
}

/** The names as pandas.read_csv gives them: `a`, `a.1` for another a, and `Unnamed: 2` for none. */
export function columnNames(header: Record): string[] {
  const names = header.map((cell, i) => (cell === '' ? `Unnamed: ${i}` : cell))
  const taken = new Set(names)
  const seen = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let n = 1; seen.has(unique); n++) {
      const next = `${name}.${n}`
      if (!taken.has(next)) unique = next
    }
    seen.add(unique)
    taken.add(unique)
    return unique
  })
}
