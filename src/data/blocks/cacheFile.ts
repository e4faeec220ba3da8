/**
 * The file of a block cache: chunks of examples one after another, inputs before targets in each, and behind
 * them what they are, with a checksum for each. Until that is written, the file has another name, or none.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { crc32 } from 'node:zlib'
import { DataError } from '../../base/errors.js'
import { removeLeftOvers, temporaryIn } from '../../io/temporaries.js'
import type { BlockForm } from './blockSource.js'
import { bytesOf, type Rows, rowsFrom, viewsOf } from './rows.js'

const MAGIC = 'nblocks1'
/** Behind all: the length of the text before it, its checksum, and the magic. */
const FOOTER_BYTES = 16
/** Of such a text; more is none. */
const MOST_TEXT = 2 ** 28

/** What lies in a file. */
interface Contents {
  /** Which data these are. */
  readonly layout: string
  readonly rows: number
  /** Of each chunk. */
  readonly sums: readonly number[]
}

/** A file whose chunks can all be read. */
export class CacheFile {
  readonly #isChecked: boolean[] = []

  private constructor(
    readonly name: string,
    readonly form: BlockForm,
    readonly chunkRows: number,
    readonly file: FileHandle,
    readonly rows: number,
    readonly sums: readonly number[],
  ) {}

  /** Opens one that was kept. @throws DataError for a damaged one */
  static async open(path: string, form: BlockForm, chunkRows: number, layout: string) {
    const file = await open(path, 'r')
    try {
      const contents = await readContents(path, file)
      if (contents.layout !== layout) throw damaged(path, 'it is of other data')
      return new CacheFile(path, form, chunkRows, file, contents.rows, contents.sums)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** @internal */
  static of(writer: CacheWriter): CacheFile {
    const { name, form, chunkRows, file, rows, sums } = writer
    return new CacheFile(name, form, chunkRows, file, rows, sums)
  }

  get chunks(): number {
    return this.sums.length
  }

  /** Examples in a chunk. */
  rowsOf(chunk: number): number {
    return Math.min(this.chunkRows, this.rows - chunk * this.chunkRows)
  }

  /** Reads a chunk, whose checksum is looked at the first time. @throws DataError where it differs */
  async readChunk(chunk: number, to: Rows): Promise<void> {
    const views = viewsOf(to)
    const length = views.reduce((sum, view) => sum + view.length, 0)
    const at = chunk * this.chunkRows * bytesOf(this.form)
    const { bytesRead } = await this.file.readv(views, at)
    if (bytesRead !== length) throw damaged(this.name, `it ends within chunk ${chunk}`)
    if (this.#isChecked[chunk]) return
    if (sumOf(views) !== this.sums[chunk]) {
      throw damaged(this.name, `the checksum of chunk ${chunk} is another`)
    }
    this.#isChecked[chunk] = true
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

/** Writes chunks one after another. */
export class CacheWriter {
  readonly sums: number[] = []
  rows = 0
  #isOpen = true

  private constructor(
    readonly form: BlockForm,
    readonly chunkRows: number,
    readonly file: FileHandle,
    /** Where it has a name until it is complete. */
    readonly temporary: string | undefined,
    readonly path: string | undefined,
  ) {}

  get name(): string {
    return this.path ?? `the cache of '${this.form.name}'`
  }

  /** @param path where the file is kept; without, it has no name, and is gone when it is closed */
  static async open(form: BlockForm, chunkRows: number, folder: string | undefined, path?: string) {
    if (folder !== undefined) mkdirSync(folder, { recursive: true })
    const place = folder ?? tmpdir()
    removeLeftOvers(place)
    const temporary = temporaryIn(place)
    const file = await open(temporary, 'wx+', 0o600)
    if (path === undefined) rmSync(temporary)
    return new CacheWriter(form, chunkRows, file, path && temporary, path)
  }

  /** One chunk; only the last one may have fewer rows than the others. */
  async add(rows: Rows, count: number): Promise<void> {
    const views = viewsOf(rowsFrom(this.form, rows, 0, count))
    await writeAll(this.file, views, this.sums.length * this.chunkRows * bytesOf(this.form))
    this.sums.push(sumOf(views))
    this.rows += count
  }

  async end(layout: string): Promise<CacheFile> {
    if (this.temporary !== undefined && this.path !== undefined) {
      const text = Buffer.from(JSON.stringify({ layout, rows: this.rows, sums: this.sums }))
      const footer = Buffer.alloc(FOOTER_BYTES)
      footer.writeUInt32LE(text.length, 0)
      footer.writeUInt32LE(crc32(text), 4)
      footer.write(MAGIC, 8, 'latin1')
      await writeAll(this.file, [text, footer], this.rows * bytesOf(this.form))
      await this.file.sync()
      renameSync(this.temporary, this.path)
    }
    this.#isOpen = false
    return CacheFile.of(this)
  }

  /** Gives up what is not complete. */
  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.temporary !== undefined) rmSync(this.temporary, { force: true })
    await this.file.close()
  }
}

async function readContents(path: string, file: FileHandle): Promise<Contents> {
  const { size } = await file.stat()
  const read = async (length: number, at: number) => {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await file.read(bytes, 0, length, at)
    if (bytesRead !== length) throw damaged(path, `it ends at ${size} bytes`)
    return bytes
  }
  if (size < FOOTER_BYTES) throw damaged(path, `it has ${size} bytes`)
  const footer = await read(FOOTER_BYTES, size - FOOTER_BYTES)
  const [length, sum] = [footer.readUInt32LE(0), footer.readUInt32LE(4)]
  const at = size - FOOTER_BYTES - length
  if (footer.toString('latin1', 8) !== MAGIC || length > MOST_TEXT || at < 0) {
    throw damaged(path, 'it does not end as one')
  }
  const text = await read(length, at)
  if (crc32(text) !== sum) throw damaged(path, 'the checksum of its contents is another')
  return JSON.parse(text.toString())
}

async function writeAll(file: FileHandle, views: Uint8Array[], position: number): Promise<void> {
  let left = views.filter((view) => view.length > 0)
  for (let at = position; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, at)
    at += bytesWritten
    left = without(left, bytesWritten)
  }
}

/** A disk that is nearly full takes a part. */
function without(views: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let rest = bytes
  return views.flatMap((view) => {
    const taken = Math.min(rest, view.length)
    rest -= taken
    return taken < view.length ? [view.subarray(taken)] : []
  })
}

function sumOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => crc32(view, sum), 0)
}

function damaged(path: string, what: string): DataError {
  return new DataError(
    `${path}: expected a cache of blocks, but ${what}; remove the file, and it is written anew`,
  )
}
