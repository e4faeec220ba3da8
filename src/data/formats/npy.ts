/**
 * Arrays in NumPy's own files
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): one in a .npy, several by name
 * in the zip archive .npz. What a header claims is compared with the size of the file before memory of that
 * size is taken. Python objects are refused: reading them would run the code that they name.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { checkPath } from '../../base/arguments.js'
import { requireMemory } from '../../base/availableMemory.js'
import { DataError } from '../../base/errors.js'
import { quote } from '../../base/text.js'
import { readAt } from '../../io/files.js'
import { type NpyType, type NpyValues, npyType } from './npyTypes.js'
import { readEntry, zipEntries } from './zip.js'

/** An array of NumPy's. */
export interface NpyArray {
  /** Its extents; none for a single value. */
  readonly shape: readonly number[]
  /**
   * Row-major, whatever the order in the file. Booleans are bytes 0 and 1, half floats float32, integers of
   * 64 bits BigInts, texts strings.
   */
  readonly data: NpyValues
}

const MAGIC = '\x93NUMPY'
/** NumPy itself refuses longer ones. */
const MAX_HEADER = 10_000
const MAX_RANK = 64
/** The magic, the version, the length in 4 bytes. */
const PREFIX = 12

interface Header {
  readonly shape: readonly number[]
  readonly isFortran: boolean
  readonly type: NpyType
  /** Where the values begin. */
  readonly start: number
  /** How many there are. */
  readonly count: number
}

/**
 * Reads an array that `numpy.save` wrote.
 * @throws DataError for what is none, is cut off, or has values that are no numbers, booleans or texts
 * @throws OutOfMemoryError where there is no memory for it
 * @example const { shape, data } = loadNpy('images.npy')
 */
export function loadNpy(path: string): NpyArray {
  return withFile('loadNpy', path, (fd, size) => {
    const head = Buffer.from(readAt(fd, 0, Math.min(size, PREFIX + MAX_HEADER), path))
    const header = headerOf(head, path)
    checkSize(header, size, path)
    const bytes = readAt(fd, header.start, size - header.start, path)
    return arrayOf(header, Buffer.from(bytes), path)
  })
}

/**
 * Reads the arrays that `numpy.savez` or `numpy.savez_compressed` wrote, by their names, in their order.
 * @throws DataError for what is no such file, is damaged, or has other values than `loadNpy` takes
 * @throws OutOfMemoryError where there is no memory for them
 * @example const { x_train, y_train } = loadNpz('mnist.npz')
 */
export function loadNpz(path: string): Record<string, NpyArray> {
  return withFile('loadNpz', path, (fd, size) => {
    const entries = zipEntries(fd, size, path).filter(({ name }) => name.endsWith('.npy'))
    if (entries.length === 0) {
      throw new DataError(`${path}: expected arrays as numpy.savez writes them, got none`)
    }
    const arrays = entries.map((entry): [string, NpyArray] => {
      const file = `${path}: ${entry.name}`
      const bytes = readEntry(fd, size, entry, file)
      const header = headerOf(bytes, file)
      checkSize(header, bytes.length, file)
      // Copied, so that values of several bytes begin at a multiple of these.
      return [
        entry.name.slice(0, -4),
        arrayOf(header, Buffer.from(bytes.subarray(header.start)), file),
      ]
    })
    return Object.fromEntries(arrays)
  })
}

function withFile<T>(op: string, path: string, read: (fd: number, size: number) => T): T {
  checkPath(op, path)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new DataError(`${path}: expected a readable file, got ${(error as Error).message}`, {
      cause: error,
    })
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new DataError(`${path}: expected a file, got a folder or a device`)
    return read(fd, stat.size)
  } finally {
    closeSync(fd)
  }
}

function headerOf(head: Buffer, file: string): Header {
  if (head.length < PREFIX - 2 || head.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw new DataError(
      `${file}: expected an array of NumPy's, which begins with "\\x93NUMPY", got ${quote(head.toString('latin1', 0, 8))}`,
    )
  }
  const version = head[MAGIC.length]
  if (version < 1 || version > 3) {
    throw new DataError(`${file}: expected the format 1 to 3 of NumPy's files, got ${version}`)
  }
  const isLong = version > 1
  const begin = isLong ? PREFIX : PREFIX - 2
  const length =
    head.length < begin ? Infinity : isLong ? head.readUInt32LE(8) : head.readUInt16LE(8)
  if (length > MAX_HEADER || head.length < begin + length) {
    throw new DataError(
      `${file}: expected a header of at most ${MAX_HEADER} bytes, got a longer one`,
    )
  }
  const text = head.toString(version === 3 ? 'utf8' : 'latin1', begin, begin + length)
  return { ...parseHeader(text, file), start: begin + length }
}

/** `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }` */
function parseHeader(text: string, file: string): Omit<Header, 'start'> {
  const [, descr] = /'descr':\s*(\[.*\]|'[^']*')/s.exec(text) ?? []
  const [, order] = /'fortran_order':\s*(True|False)/.exec(text) ?? []
  const [, extents] = /'shape':\s*\(([\d,\s]*)\)/.exec(text) ?? []
  if (descr === undefined || order === undefined || extents === undefined) {
    throw new DataError(
      `${file}: expected descr, fortran_order and shape, got ${quote(text.trim())}`,
    )
  }
  if (descr.startsWith('[')) {
    const fields = [...descr.matchAll(/\('([^']*)'/g)].map(([, name]) => quote(name)).join(', ')
    throw new DataError(
      `${file}: expected an array of numbers, booleans or texts, got a structured one with the fields ${fields}; save each as an array of its own, as by numpy.savez`,
    )
  }
  const type = npyType(descr.slice(1, -1))
  if (type === undefined) {
    const reason = descr.includes('|O') ? 'Python objects, which are code' : descr
    throw new DataError(`${file}: expected numbers, booleans or texts, got ${quote(reason)}`)
  }
  const shape = extents
    .split(',')
    .filter((extent) => extent.trim() !== '')
    .map(Number)
  const count = shape.reduce((product, extent) => product * extent, 1)
  if (shape.length > MAX_RANK || !Number.isSafeInteger(count * type.bytes)) {
    throw new DataError(
      `${file}: expected a shape that memory can hold, got [${shape.slice(0, 8)}]`,
    )
  }
  return { shape, count, type, isFortran: order === 'True' }
}

function checkSize({ shape, count, type, start }: Header, size: number, file: string): void {
  const expected = start + count * type.bytes
  if (size === expected) return
  throw new DataError(
    `${file}: expected ${expected} bytes for shape [${shape.join(', ')}], got ${size}`,
  )
}

function arrayOf({ shape, isFortran, type }: Header, bytes: Buffer, file: string): NpyArray {
  const data = type.read(bytes)
  if (!isFortran || shape.length < 2) return { shape, data }
  requireMemory('loadNpy', `${file} in the order of rows`, bytes.length)
  return { shape, data: rowMajor(shape, data) }
}

/** Values whose first axis varies fastest, with the last one doing so. */
function rowMajor<T extends NpyValues>(shape: readonly number[], data: T): T {
  const values = data as unknown as number[]
  const sorted = values.slice()
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1))
  const position = shape.map(() => 0)
  let from = 0
  for (let i = 0; i < values.length; i++) {
    sorted[i] = values[from]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++position[axis] < shape[axis]) break
      from -= strides[axis] * shape[axis]
      position[axis] = 0
    }
  }
  return sorted as unknown as T
}
