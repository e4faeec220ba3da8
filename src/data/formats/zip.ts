/**
 * The entries of a zip archive, stored or deflated
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), also of more than 4 GiB. Its directory lies
 * at its end; what it says is compared with the size of the file.
 */
import { crc32, inflateRawSync } from 'node:zlib'
import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { readAt } from '../../io/files.js'

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string
  /** 0: stored, 8: deflated. */
  readonly method: number
  readonly checksum: number
  /** Bytes in the archive. */
  readonly packed: number
  /** Bytes of the file. */
  readonly size: number
  /** Where its own header begins. */
  readonly start: number
}

const END = 0x06054b50
const END_SIZE = 22
const LOCATOR = 0x07064b50
const LOCATOR_SIZE = 20
const END64 = 0x06064b50
const END64_SIZE = 56
const CENTRAL = 0x02014b50
const CENTRAL_SIZE = 46
const LOCAL = 0x04034b50
const LOCAL_SIZE = 30
/** A comment may follow the directory. */
const MAX_COMMENT = 2 ** 16 - 1
/** In the place of a number that needs 8 bytes, which are elsewhere. */
const ELSEWHERE = 2 ** 32 - 1
/** Deflate never packs more than this many bytes into one. */
const MAX_RATIO = 1032
/** A directory of more is none. */
const MAX_DIRECTORY = 2 ** 26

/** @throws DataError where there is no directory, or it does not fit the file */
export function zipEntries(fd: number, size: number, file: string): ZipEntry[] {
  const fail = (found: string) =>
    new DataError(`${file}: expected an intact zip archive, got ${found}`)
  const tail = bytesAt(fd, size, Math.max(0, size - END_SIZE - MAX_COMMENT), size, file)
  let at = tail.length - END_SIZE
  while (at >= 0 && tail.readUInt32LE(at) !== END) at--
  if (at < 0) throw fail('no directory at its end')
  let [length, start] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
  const locator = at - LOCATOR_SIZE
  if (locator >= 0 && tail.readUInt32LE(locator) === LOCATOR) {
    const where = Number(tail.readBigUInt64LE(locator + 8))
    const end = bytesAt(fd, size, where, where + END64_SIZE, file)
    if (end.readUInt32LE(0) !== END64) throw fail('a directory that is elsewhere')
    length = Number(end.readBigUInt64LE(40))
    start = Number(end.readBigUInt64LE(48))
  }
  if (length > MAX_DIRECTORY) throw fail(`a directory of ${length} bytes`)
  const directory = bytesAt(fd, size, start, start + length, file)
  const entries: ZipEntry[] = []
  for (let at = 0; at < directory.length; ) {
    if (directory.length < at + CENTRAL_SIZE || directory.readUInt32LE(at) !== CENTRAL) {
      throw fail('a damaged directory')
    }
    const next =
      at + CENTRAL_SIZE + [28, 30, 32].reduce((sum, i) => sum + directory.readUInt16LE(at + i), 0)
    if (directory.length < next) throw fail('a directory that is cut off')
    entries.push(entryAt(directory.subarray(at, next)))
    at = next
  }
  return entries
}

function entryAt(record: Buffer): ZipEntry {
  const nameEnd = CENTRAL_SIZE + record.readUInt16LE(28)
  const extra = record.subarray(nameEnd, nameEnd + record.readUInt16LE(30))
  const [packed, size, start] = [20, 24, 42].map((at) => record.readUInt32LE(at))
  // Those of them that need it follow one another: size, packed, start.
  const wide = wideNumbers(extra)
  const numbers = [size, packed, start].map((value) =>
    value === ELSEWHERE ? (wide.shift() ?? value) : value,
  )
  return {
    name: record.toString('utf8', CENTRAL_SIZE, nameEnd),
    method: record.readUInt16LE(10),
    checksum: record.readUInt32LE(16),
    size: numbers[0],
    packed: numbers[1],
    start: numbers[2],
  }
}

/** The numbers of 8 bytes in the extra field 1. */
function wideNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    return Array.from({ length: Math.floor(field.length / 8) }, (_, i) =>
      Number(field.readBigUInt64LE(8 * i)),
    )
  }
  return []
}

/**
 * The bytes of an entry.
 * @throws DataError where they are damaged, OutOfMemoryError where there is no memory for them
 */
export function readEntry(fd: number, fileSize: number, entry: ZipEntry, name: string): Buffer {
  const { method, checksum, packed, size, start } = entry
  if (method !== 0 && method !== 8) {
    throw new DataError(`${name}: expected stored or deflated bytes, got method ${method}`)
  }
  if (method === 0 ? size !== packed : size > packed * MAX_RATIO) {
    throw new DataError(`${name}: expected ${size} bytes, got ${packed} in the archive`)
  }
  const local = bytesAt(fd, fileSize, start, start + LOCAL_SIZE, name)
  if (local.readUInt32LE(0) !== LOCAL) {
    throw new DataError(`${name}: expected its header at byte ${start}, got something else`)
  }
  const begin = start + LOCAL_SIZE + local.readUInt16LE(26) + local.readUInt16LE(28)
  requireMemory('loadNpz', name, method === 0 ? packed : packed + size)
  const bytes = bytesAt(fd, fileSize, begin, begin + packed, name)
  const found = method === 0 ? bytes : inflated(bytes, size, name)
  if (found.length !== size || crc32(found) !== checksum) {
    throw new DataError(`${name}: expected intact bytes, got others than their checksum says`)
  }
  return found
}

function inflated(bytes: Buffer, size: number, name: string): Buffer {
  try {
    // No limit of 0 is taken.
    return inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) })
  } catch (error) {
    throw new DataError(`${name}: expected intact bytes, got "${(error as Error).message}"`, {
      cause: error,
    })
  }
}

function bytesAt(fd: number, size: number, from: number, to: number, file: string): Buffer {
  if (to <= size && from <= to) return Buffer.from(readAt(fd, from, to - from, file))
  throw new DataError(`${file}: expected bytes ${from} to ${to}, got a file of ${size}`)
}
