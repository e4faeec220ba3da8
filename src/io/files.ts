/**
 * Writing a file so that a crash, a full disk or a second reader never sees half of it, and reading
 * parts of one; both for files of any size.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { checkPath } from '../base/arguments.js'
import { requireMemory } from '../base/availableMemory.js'
import { DataError } from '../base/errors.js'
import { targetOf, withPath } from './paths.js'
import type { ByteSource } from './safetensors.js'
import { removeLeftOvers, temporaryIn } from './temporaries.js'

/** Asked for at once: the system moves less than 2 GiB in one call. */
const PIECE_BYTES = 2 ** 30

/**
 * Writes bytes, or chunks of them one after another, to `path` as `AtomicFile` does; on any error the old file stays.
 *
 * @throws ArgumentError as `targetOf`
 * @throws Error as node:fs gives it (with `code`) when the disk is full, a right is missing, …
 */
export function writeFileAtomically(
  path: string,
  content: Uint8Array | Iterable<Uint8Array>,
): void {
  const file = new AtomicFile(path)
  try {
    for (const chunk of isBytes(content) ? [content] : content) file.write(chunk)
    file.commit()
  } finally {
    file.discard()
  }
}

/**
 * A file that is written to a temporary one beside it, flushed to the disk, then renamed. The old file stays as it was
 * until the new one is complete. A link is followed, so that the file it points to is replaced or made; the
 * permissions stay as they were. Temporary files of writers that were killed are removed.
 */
export class AtomicFile {
  readonly #target: string
  readonly #temporary: string
  #fd: number | undefined

  /** @throws as `writeFileAtomically` */
  constructor(path: string) {
    checkPath('save', path)
    this.#target = targetOf(path)
    const folder = dirname(this.#target)
    const mode = statSync(this.#target, { throwIfNoEntry: false })?.mode
    removeLeftOvers(folder)
    this.#temporary = temporaryIn(folder)
    // wx: never into a file, or through a link, that somebody else put there.
    this.#fd = this.#named(() => openSync(this.#temporary, 'wx', mode))
  }

  /** Adds bytes to its end. */
  write(bytes: Uint8Array): void {
    const fd = this.#fd as number
    for (let done = 0; done < bytes.length; ) {
      const piece = Math.min(bytes.length - done, PIECE_BYTES)
      done += this.#named(() => writeSync(fd, bytes, done, piece))
    }
  }

  /** Puts it in the place of the old one. */
  commit(): void {
    const fd = this.#fd as number
    this.#named(() => fsyncSync(fd))
    this.#fd = undefined
    closeSync(fd)
    try {
      this.#named(() => renameSync(this.#temporary, this.#target))
    } catch (error) {
      rmSync(this.#temporary, { force: true })
      throw error
    }
    flushFolder(dirname(this.#target))
  }

  /** Removes what was written, unless that is in its place. */
  discard(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    rmSync(this.#temporary, { force: true })
  }

  /** Errors speak of the file that was to be written. */
  #named<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw withPath(error, this.#target)
    }
  }
}

/** Also a Buffer, which is of another realm where the library is evaluated in one of its own. */
function isBytes(content: Uint8Array | Iterable<Uint8Array>): content is Uint8Array {
  return ArrayBuffer.isView(content)
}

/** The rename itself is on the disk only once the folder is. */
function flushFolder(folder: string): void {
  // Windows cannot open folders, and needs no such flush.
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * The bytes of an open file from a position on.
 * @param file its name, for the error
 * @throws DataError when the file ends before, OutOfMemoryError when there is no memory for them
 */
export function readAt(fd: number, position: number, length: number, file: string): ArrayBuffer {
  requireMemory('read', file, length)
  const bytes = new ArrayBuffer(length)
  for (let done = 0; done < length; ) {
    const piece = new Uint8Array(bytes, done, Math.min(length - done, PIECE_BYTES))
    const count = readSync(fd, piece, 0, piece.length, position + done)
    if (count === 0) {
      throw new DataError(`${file}: expected ${length} bytes at ${position}, got ${done}`)
    }
    done += count
  }
  return bytes
}

/**
 * Lets `reader` read a file that is there.
 * @param what is expected, for the error
 * @throws DataError when there is no such file
 */
export function fromFile<T>(
  path: string,
  reader: (source: ByteSource, file: string) => T,
  what = 'a model file',
): T {
  checkPath('load', path)
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) {
    throw new DataError(`${path}: expected ${what}, found ${found ? 'no file' : 'nothing'}`)
  }
  const fd = openSync(path, 'r')
  try {
    const { size: length } = fstatSync(fd)
    const read = (begin: number, end: number) => readAt(fd, begin, end - begin, path)
    return reader({ length, read }, path)
  } finally {
    closeSync(fd)
  }
}
