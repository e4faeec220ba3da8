/** What is fed to the iterations of a run: a table for each fed buffer, with a row for each iteration. */
import type { Backend } from '../backend/backend.js'
import { dtypes, type TypedArray } from '../backend/dtype.js'
import type { Transfer } from '../backend/program.js'
import type { Action, Feed } from '../backend/record.js'
import { Storage } from '../tensor/storage.js'

export class FeedTables {
  readonly #rows = new Map<Feed, TypedArray>()

  constructor(items: readonly (Feed | Action)[], iterations: number) {
    for (const item of items) {
      if ('act' in item) continue
      this.#rows.set(item, new dtypes[item.dtype].array(iterations * item.width))
    }
  }

  /** What is fed next becomes this row. */
  put(feed: Feed, row: number): void {
    this.#rows.get(feed)!.set(feed.next(), row * feed.width)
  }

  /** The tables on the backend, in the scope of now. */
  transfers(backend: Backend): Transfer[] {
    return [...this.#rows].map(([{ dtype, handle, width }, rows]) => {
      const table = new Storage(backend, dtype, rows.length)
      backend.write(table.handle, rows)
      return { direction: 'feed', table: table.handle, cell: handle, width }
    })
  }
}
