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
 * Writes bytes, or chunks of them one after another, to `path`: to a temporary file beside it, flushed
 * to the disk, then renamed. The old file stays as it was until the new one is complete; on any error
 * the temporary file is removed, and so are those of writers that were killed. A link is followed, so
 * that the file it points to is replaced or made; the permissions stay as they were.
 *
 * @throws ArgumentError as `targetOf`
 * @throws Error as node:fs gives it (with `code`) when the disk is full, a right is missing, …
 */
export function writeFileAtomically(
  path: string,
  content: Uint8Array | Iterable<Uint8Array>,
): void {
  checkPath('save', path)
  const target = targetOf(path)
  const folder = dirname(target)
  const mode = statSync(target, { throwIfNoEntry: false })?.mode
  removeLeftOvers(folder)
  const temporary = temporaryIn(folder)
  try {
    writeAndFlush(temporary, isBytes(content) ? [content] : content, mode)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw withPath(error, target)
  }
  flushFolder(folder)
}

/** Also a Buffer, which is of another realm where the library is evaluated in one of its own. */
function isBytes(content: Uint8Array | Iterable<Uint8Array>): content is Uint8Array {
  return ArrayBuffer.isView(content)
}

function writeAndFlush(file: string, chunks: Iterable<Uint8Array>, mode?: number): void {
  // wx: never into a file, or through a link, that somebody else put there.
  const fd = openSync(file, 'wx', mode)
  try {
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) {
        done += writeSync(fd, chunk, done, Math.min(chunk.length - done, PIECE_BYTES))
      }
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
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
