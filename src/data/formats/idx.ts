/**
 * Reads IDX files, the format of MNIST (http://yann.lecun.com/exdb/mnist), plain or gzipped.
 * Of every type of values. The header is never believed: what it claims is compared with the size of
 * the file before anything of that size is allocated or decompressed.
 *
 * Layout: 00 00, type, number of dimensions, each dimension as big-endian uint32, the values, which are
 * big-endian as well.
 */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { endianness } from 'node:os'
import { constants, gunzipSync } from 'node:zlib'
import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { readAt } from '../../io/files.js'

/** The values of an IDX file, row-major. */
export interface IdxFile {
  readonly shape: readonly number[]
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array
}

interface Header {
  readonly shape: readonly number[]
  readonly type: ElementType
  /** Bytes of the header, and of the values after it. */
  readonly start: number
  readonly size: number
}

interface ElementType {
  readonly bytes: number
  /** The values in bytes of this machine's order. */
  readonly view: (bytes: Uint8Array) => IdxFile['data']
}

const MAX_VALUES = 2 ** 30
/** 4 bytes and at most 255 dimensions. */
const MAX_HEADER = 4 + 4 * 255
/** Deflate never packs more than this many bytes into one. */
const MAX_RATIO = 1032
/** A gzip header carries a file name and a comment of any length; beyond this is no data set. */
const MAX_GZIP_HEADER = 2 ** 17

type Constructor = new (buffer: ArrayBufferLike, offset: number, length: number) => IdxFile['data']

const elementType = (bytes: number, Values: Constructor): ElementType => ({
  bytes,
  view: ({ buffer, byteOffset, byteLength }) => new Values(buffer, byteOffset, byteLength / bytes),
})

const TYPES = new Map([
  [0x08, elementType(1, Uint8Array)],
  [0x09, elementType(1, Int8Array)],
  [0x0b, elementType(2, Int16Array)],
  [0x0c, elementType(4, Int32Array)],
  [0x0d, elementType(4, Float32Array)],
  [0x0e, elementType(8, Float64Array)],
])

/**
 * Reads one IDX file. Gzip is recognized by its magic bytes, not by the name.
 *
 * @param check called with the shape before any value is read; throws to refuse the file early
 * @throws DataError when the file cannot be read or is malformed: wrong magic, truncated, trailing
 *   bytes, corrupt gzip, more than 2^30 values
 */
export function readIdx(
  file: string,
  check: (shape: readonly number[]) => void = () => {},
): IdxFile {
  const fd = open(file)
  try {
    const { size } = fstatSync(fd)
    const head = new Uint8Array(readAt(fd, 0, Math.min(size, MAX_HEADER), file))
    const gzipped = head[0] === 0x1f && head[1] === 0x8b
    return gzipped ? readGzipped(fd, size, file, check) : readPlain(fd, size, head, file, check)
  } finally {
    closeSync(fd)
  }
}

function readPlain(
  fd: number,
  size: number,
  head: Uint8Array,
  file: string,
  check: (shape: readonly number[]) => void,
): IdxFile {
  const { shape, type, start, size: expected } = parseHeader(head, file)
  check(shape)
  checkSize(size, start + expected, shape, file)
  return { shape, data: valuesIn(Buffer.from(readAt(fd, start, expected, file)), type) }
}

function readGzipped(
  fd: number,
  size: number,
  file: string,
  check: (shape: readonly number[]) => void,
): IdxFile {
  const header = parseHeader(gunzipHead(fd, size, file), file)
  const { shape, type, start } = header
  check(shape)
  const total = start + header.size
  // Both ways: too little to hold what is claimed, or far too much even if nothing was compressed.
  if (total > size * MAX_RATIO || size > 2 * total + 2 * MAX_GZIP_HEADER) {
    throw new DataError(
      `${file}: expected gzipped data for shape [${shape.join(', ')}] (${total} bytes), got a file of ${size} bytes`,
    )
  }
  requireMemory('readIdx', `the values of ${file}`, size + total)
  const bytes = gunzip(readAt(fd, 0, size, file), file, {
    maxOutputLength: total,
  })
  checkSize(bytes.length, total, shape, file)
  const values = bytes.subarray(start)
  // Values of several bytes must begin at a multiple of these.
  return { shape, data: valuesIn(type.bytes > 1 ? Buffer.from(values) : values, type) }
}

function valuesIn(bytes: Buffer, { bytes: each, view }: ElementType): IdxFile['data'] {
  if (endianness() === 'LE') {
    if (each === 2) bytes.swap16()
    if (each === 4) bytes.swap32()
    if (each === 8) bytes.swap64()
  }
  return view(bytes)
}

/** Decompresses no more of the file than its header needs. */
function gunzipHead(fd: number, size: number, file: string): Uint8Array {
  for (let length = 1024; ; length *= 4) {
    const part = readAt(fd, 0, Math.min(length, size), file)
    const head = gunzip(part, file, { finishFlush: constants.Z_SYNC_FLUSH })
    const enough = head.length >= 4 && head.length >= 4 + 4 * head[3]
    if (enough || length >= Math.min(size, MAX_GZIP_HEADER)) return head
  }
}

function gunzip(
  bytes: ArrayBuffer,
  file: string,
  options: Parameters<typeof gunzipSync>[1],
): Buffer {
  try {
    return gunzipSync(bytes, options)
  } catch (error) {
    const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw new DataError(
      tooLong
        ? `${file}: expected ${options?.maxOutputLength} bytes after decompression, got more`
        : `${file}: expected intact gzip data, got "${(error as Error).message}"`,
    )
  }
}

function parseHeader(head: Uint8Array, file: string): Header {
  if (head.length < 4) {
    throw new DataError(`${file}: expected an IDX header, got ${head.length} bytes`)
  }
  const [zero, zeroToo, type, rank] = head
  const elements = TYPES.get(type)
  if (zero !== 0 || zeroToo !== 0 || elements === undefined) {
    const found = Buffer.from(head.subarray(0, 4)).toString('hex')
    throw new DataError(
      `${file}: expected an IDX magic number, 0000ttnn with a type of values tt 08, 09, 0b to 0e, got ${found}`,
    )
  }
  const start = 4 + 4 * rank
  if (rank === 0 || head.length < start) {
    throw new DataError(
      `${file}: expected an IDX header with at least one dimension, got ${rank} dimensions in ${head.length} bytes`,
    )
  }
  const view = new DataView(head.buffer, head.byteOffset)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  let count = 1
  for (const n of shape) {
    count *= n
    // Inside the loop, so that the product stays exact.
    if (count > MAX_VALUES) {
      throw new DataError(
        `${file}: expected at most ${MAX_VALUES} values, got a header that claims shape [${shape.join(', ')}]`,
      )
    }
  }
  return { shape, type: elements, start, size: count * elements.bytes }
}

function checkSize(size: number, expected: number, shape: readonly number[], file: string): void {
  if (size === expected) return
  const finding = size < expected ? 'truncated' : `${size - expected} trailing bytes`
  throw new DataError(
    `${file}: expected ${expected} bytes for shape [${shape.join(', ')}], got ${size} (${finding})`,
  )
}

function open(file: string): number {
  try {
    // Before opening: opening a pipe would wait for its writer.
    if (!statSync(file).isFile())
      throw new DataError(`${file}: expected a file, got something else`)
    return openSync(file, 'r')
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${file}: expected a readable file, got ${(error as Error).message}`)
  }
}
