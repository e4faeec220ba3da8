/** The rows of a table as the inputs of a model that was trained before, piece by piece. */
import { type AppliedReading, appliedPieces, encodeAll } from './applied.js'
import type { Unseen } from './encodeRows.js'
import { inputsOf, type TableEncoding } from './encoding.js'
import { unseenNotes } from './openTable.js'
import type { TableSource } from './tableOptions.js'

/** Of the inputs of a piece. */
const PIECE_BYTES = 2 ** 24
const MOST_ROWS = 2 ** 14

/** So many rows have inputs of a size that memory hardly notices. */
export function pieceOf(encoding: TableEncoding): number {
  const rows = Math.floor(PIECE_BYTES / (4 * inputsOf(encoding)))
  return Math.min(Math.max(1, rows), MOST_ROWS)
}

/** What the columns of several pieces had that training had not. */
export class UnseenTally {
  readonly #found = new Map<string, Unseen>()

  add(unseen: readonly Unseen[]): void {
    for (const { column, count, example } of unseen) {
      const known = this.#found.get(column) ?? { column, count: 0, example }
      this.#found.set(column, { ...known, count: known.count + count })
    }
  }

  /** What is to be said of it. */
  notes(name: string): string[] {
    return unseenNotes(name, [...this.#found.values()])
  }
}

/**
 * Inputs for all rows of a table, in their order.
 * @param unseen hears of categories that training had not
 * @throws DataError as `readApplied`, and where a value is missing that training had no way to fill in
 */
export async function* encodedPieces(
  source: TableSource,
  name: string,
  encoding: TableEncoding,
  reading: AppliedReading,
  unseen: UnseenTally,
): AsyncGenerator<Float32Array> {
  const size = pieceOf(encoding)
  for await (const applied of appliedPieces(source, name, encoding, reading, [], size)) {
    const encoded = encodeAll(applied, encoding)
    unseen.add(encoded.unseen)
    yield encoded.inputs
  }
}
