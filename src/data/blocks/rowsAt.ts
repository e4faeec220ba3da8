/** Some examples of a block source, as a data set. */
import { DataError } from '../../base/errors.js'
import type { Dataset } from '../dataset.js'
import { BlockReader } from './blockReader.js'
import { type BlockSource, blockFormOf } from './blockSource.js'
import { allocateRows, bytesOf, copyRows, rowsFrom } from './rows.js'

/** Read at a time. */
const WINDOW_BYTES = 2 ** 22

/**
 * Goes through a source for the examples at these positions.
 * @param positions ascending
 * @throws DataError for a source that ends before the last of them
 */
export async function rowsAt(
  op: string,
  source: BlockSource,
  positions: Int32Array,
): Promise<Dataset> {
  const form = blockFormOf(op, source)
  const size = positions.length
  const window = Math.max(1, Math.floor(WINDOW_BYTES / bytesOf(form)))
  const [found, read] = [allocateRows(op, form, size), allocateRows(op, form, window)]
  const reader = new BlockReader(op, source, form, form.size)
  try {
    let taken = 0
    for (let first = 0; taken < size; first += window) {
      const count = await reader.fill(read, window)
      for (; taken < size && positions[taken] < first + count; taken++) {
        copyRows(form, rowsFrom(form, read, positions[taken] - first, 1), found, taken)
      }
      if (count < window && taken < size) {
        throw new DataError(
          `${form.name}: expected more than ${positions[taken]} examples, got ${first + count}`,
        )
      }
    }
  } finally {
    await reader.close()
  }
  return { ...form.form, size, ...found }
}
