/**
 * The examples of a source on the disk, as they go into batches: written down while they are read for the
 * first time, and read from there in any order of chunks afterwards.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RowReader } from './blockReader.js'
import type { BlockForm } from './blockSource.js'
import { CacheFile, CacheWriter } from './cacheFile.js'
import { allocateRows, copyRows, type Rows, rowsFrom } from './rows.js'

export class BlockCache {
  #file: CacheFile | undefined
  #hasFailed = false
  /** What is in the file and how it lies there. */
  readonly #layout: string
  readonly #path: string | undefined

  /**
   * @param folder where the file is kept; without, it is gone with the cache, or with the process
   * @param chunkRows examples in a chunk
   */
  constructor(
    readonly op: string,
    readonly form: BlockForm,
    readonly folder: string | undefined,
    readonly chunkRows: number,
  ) {
    const { width, targetWidth, dtype, isLabels, digest } = form
    this.#layout = JSON.stringify({ digest, width, targetWidth, dtype, isLabels, chunkRows })
    const name = createHash('sha256').update(this.#layout).digest('hex').slice(0, 16)
    this.#path = folder && join(folder, `${name}.blocks`)
  }

  /** Examples in it; undefined until all of them are. */
  get rows(): number | undefined {
    return this.#file?.rows
  }

  /** Number of chunks, once all of them are there. */
  get chunks(): number {
    return this.#file?.chunks ?? 0
  }

  /** Whether it could not be written, so that there is none. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Uses a file that was kept before, where there is one. @throws DataError for a damaged one */
  async find(): Promise<void> {
    if (this.#path === undefined || !existsSync(this.#path)) return
    this.#file = await CacheFile.open(this.#path, this.form, this.chunkRows, this.#layout)
  }

  /**
   * Writes down what another reader reads; with the last of it, the cache is complete. Where the disk does
   * not take it, there is a warning, and no cache.
   */
  async record(from: RowReader): Promise<RowReader> {
    const recording = new Recording(this.op, this.form, this.chunkRows)
    let writer = await this.#attempt(() =>
      CacheWriter.open(this.form, this.chunkRows, this.folder, this.#path),
    )
    return {
      fill: async (to, wanted) => {
        const count = await from.fill(to, wanted)
        const open = writer
        if (open === undefined) return count
        const isWritten = await this.#attempt(async () => {
          await recording.add(open, rowsFrom(this.form, to, 0, count), count)
          if (count < wanted) this.#file = await recording.end(open, this.#layout)
          return true
        })
        if (isWritten) return count
        writer = undefined
        await open.close()
        return count
      },
      close: async () => {
        await from.close()
        await writer?.close()
      },
    }
  }

  /** Reads the chunks in this order; one after another by default. */
  read(order?: Int32Array): RowReader {
    const file = this.#file as CacheFile
    const { form } = this
    const carry = allocateRows(this.op, form, this.chunkRows)
    let [next, held, taken] = [0, 0, 0]
    return {
      fill: async (to, wanted) => {
        let filled = 0
        while (filled < wanted && (taken < held || next < file.chunks)) {
          if (taken < held) {
            const count = Math.min(held - taken, wanted - filled)
            copyRows(form, rowsFrom(form, carry, taken, count), to, filled)
            taken += count
            filled += count
            continue
          }
          const chunk = order ? order[next] : next
          const rows = file.rowsOf(chunk)
          const isWhole = rows <= wanted - filled
          await file.readChunk(
            chunk,
            isWhole ? rowsFrom(form, to, filled, rows) : rowsFrom(form, carry, 0, rows),
          )
          next++
          if (isWhole) filled += rows
          else [held, taken] = [rows, 0]
        }
        return filled
      },
      close: async () => {},
    }
  }

  async dispose(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  /** What the system refuses costs the cache, not the training. */
  async #attempt<T>(write: () => Promise<T>): Promise<T | undefined> {
    try {
      return await write()
    } catch (error) {
      const { code, syscall, message } = error as NodeJS.ErrnoException
      if (code === undefined || syscall === undefined) throw error
      this.#hasFailed = true
      process.emitWarning(
        `${this.op}: the cache of '${this.form.name}' could not be written (${message}); its blocks are read anew, and in their own order, in each epoch`,
        { type: 'NeuroblasWarning' },
      )
      return undefined
    }
  }
}

/** Makes chunks of examples that come in other portions. */
class Recording {
  readonly #pending: Rows
  #held = 0

  constructor(
    op: string,
    readonly form: BlockForm,
    readonly chunkRows: number,
  ) {
    this.#pending = allocateRows(op, form, chunkRows)
  }

  async add(writer: CacheWriter, rows: Rows, count: number): Promise<void> {
    for (let at = 0; at < count; ) {
      const taken = Math.min(this.chunkRows - this.#held, count - at)
      const part = rowsFrom(this.form, rows, at, taken)
      if (taken === this.chunkRows) await writer.add(part, taken)
      else {
        copyRows(this.form, part, this.#pending, this.#held)
        this.#held += taken
        if (this.#held === this.chunkRows) await this.#flush(writer)
      }
      at += taken
    }
  }

  async end(writer: CacheWriter, layout: string): Promise<CacheFile> {
    if (this.#held > 0) await this.#flush(writer)
    return writer.end(layout)
  }

  async #flush(writer: CacheWriter): Promise<void> {
    await writer.add(this.#pending, this.#held)
    this.#held = 0
  }
}
