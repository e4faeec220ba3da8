/**
 * Writing a file so that a crash, a full disk or a second reader never sees half of it.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ArgumentError } from '../base/errors.js'

/**
 * Writes `bytes` to `path`: to a temporary file beside it, flushed to the disk, then renamed. The
 * old file stays as it was until the new one is complete; on any error the temporary file is
 * removed. A link is followed, so that the file it points to is replaced; the permissions stay
 * as they were.
 *
 * @throws ArgumentError when the folder does not exist or `path` is a folder or a device
 * @throws Error as node:fs gives it (with `code`) when the disk is full, a right is missing, …
 */
export function writeFileAtomically(path: string, bytes: Uint8Array): void {
  const target = followLink(path)
  const folder = dirname(target)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentError(
      `${path}: expected a file in an existing folder, got no folder ${folder}`,
    )
  }
  const old = statSync(target, { throwIfNoEntry: false })
  if (old && !old.isFile()) {
    // Renaming would replace a device such as /dev/null, given the right to.
    throw new ArgumentError(`${path}: expected a regular file or none, got something else`)
  }
  const temporary = join(folder, `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    writeAndFlush(temporary, bytes, old?.mode)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  flushFolder(folder)
}

function writeAndFlush(file: string, bytes: Uint8Array, mode?: number): void {
  // wx: never into a file, or through a link, that somebody else put there.
  const fd = openSync(file, 'wx', mode)
  try {
    writeFileSync(fd, bytes)
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

function followLink(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
