/** Predictions for examples that come in blocks, in their order. */
import { BlockReader } from '../data/blocks/blockReader.js'
import { type BlockSource, blockFormOf } from '../data/blocks/blockSource.js'
import { allocateRows, bytesOf, rowsFrom } from '../data/blocks/rows.js'
import type { Dataset } from '../data/dataset.js'

/** Of examples that are predicted for together. */
const BLOCK_BYTES = 2 ** 22

/** What becomes of some examples after others; the source is closed where that is not asked for to the end. */
export async function* blockByBlock<T>(
  op: string,
  source: BlockSource,
  predictOf: (data: Dataset) => T,
): AsyncGenerator<T> {
  const form = blockFormOf(op, source)
  const wanted = Math.max(1, Math.floor(BLOCK_BYTES / bytesOf(form)))
  const rows = allocateRows(op, form, wanted)
  const reader = new BlockReader(op, source, form, form.size)
  try {
    for (let size = wanted; size === wanted; ) {
      size = await reader.fill(rows, wanted)
      if (size > 0) yield predictOf({ ...form.form, size, ...rowsFrom(form, rows, 0, size) })
    }
  } finally {
    await reader.close()
  }
}
