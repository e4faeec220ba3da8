/** Sources of tables, for tests. */
import { isTexts, type SourceBatch, type TableReader } from '../../lib/data/sources/source.js'

/** The values of a batch row by row; null for a text that is not there. */
export function rowsOf({ rows, columns }: SourceBatch): (number | string | null)[][] {
  return Array.from({ length: rows }, (_, row) =>
    columns.map((values) => {
      if (!isTexts(values)) return values[row]
      const { texts, codes } = values
      return codes[row] < 0 ? null : texts[codes[row]]
    }),
  )
}

/** All rows of a source, which is closed then. */
export async function readAll(
  reader: TableReader,
  names?: readonly string[],
): Promise<(number | string | null)[][]> {
  const rows = []
  for await (const batch of reader.batches(names)) rows.push(...rowsOf(batch))
  await reader.close()
  return rows
}
