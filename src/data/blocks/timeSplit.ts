/** The times from which on rows of a table are those to test on, without holding all times. */
import { DataError } from '../../base/errors.js'
import { isTexts, type TableReader } from '../sources/source.js'
import type { Shares } from './rowSplit.js'

/** So many times tell a share to a thousandth; of more, every second one is dropped. */
const KEPT = 2 ** 18

/**
 * Goes through the times of all rows.
 * @throws DataError for a column of other values, and where one is missing
 */
export async function timesOfParts(
  reader: TableReader,
  column: string,
  { testFraction, validationFraction = 0 }: Shares,
): Promise<{ from: number; validFrom: number }> {
  const { name } = reader
  let times: number[] = []
  let step = 1
  let first = 0
  for await (const { rows, columns } of reader.batches([column], true)) {
    const [values] = columns
    if (isTexts(values)) {
      throw new DataError(`${name}: expected numbers or dates in ${column} to split by, got text`)
    }
    for (let i = (step - (first % step)) % step; i < rows; i += step) times.push(values[i])
    first += rows
    for (; times.length > KEPT; step *= 2) times = times.filter((_, i) => i % 2 === 0)
  }
  if (times.length === 0) throw new DataError(`${name}: expected rows, got none`)
  const sorted = Float64Array.from(times).sort()
  const from = (share: number) => sorted[Math.floor((1 - share) * sorted.length)]
  return { from: from(testFraction), validFrom: from(testFraction + validationFraction) }
}
