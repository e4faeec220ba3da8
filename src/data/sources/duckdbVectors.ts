/**
 * The vectors of DuckDB's data chunks as typed arrays, read through the bindings: its own objects per value
 * take ten times as long. The memory is DuckDB's and ends with the chunk, so that all is copied at once, unless it is only borrowed.
 */
import type { DataChunk, Vector } from '@duckdb/node-bindings'
import type { NumberArray } from '../../base/typedArrays.js'
import type { SourceBatch, SourceType, SourceValues } from './source.js'
import { TextCodes } from './texts.js'

/** What is used of the package @duckdb/node-bindings. */
export type Bindings = typeof import('@duckdb/node-bindings')

/** How a column is asked for, and what its vectors are then. */
export interface ReadColumn {
  readonly type: SourceType
  /** In SQL. */
  readonly expression: string
  /** Makes the reader of its vectors, one for each reading. */
  readonly reader: (duckdb: Bindings, isBorrowed?: boolean) => VectorReader
}

/** Copies what is in a vector; what is only borrowed may stay where it is. */
export type VectorReader = (vector: Vector, rows: number) => SourceValues

interface ArrayType {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, offset: number, length: number): NumberArray
}

/** Types whose vectors are taken as they are; other numbers are cast to DOUBLE by DuckDB. */
const ARRAYS: Record<string, ArrayType> = {
  TINYINT: Int8Array,
  SMALLINT: Int16Array,
  INTEGER: Int32Array,
  UTINYINT: Uint8Array,
  USMALLINT: Uint16Array,
  UINTEGER: Uint32Array,
  FLOAT: Float32Array,
  DOUBLE: Float64Array,
}
const WIDE_NUMBERS = /^(U?BIGINT|U?HUGEINT|BIGNUM|DECIMAL\(.*\))$/
const DATES = /^(DATE|TIME|TIMESTAMP)(_S|_MS|_NS| WITH TIME ZONE)?$/
const TEXTS = /^(VARCHAR|UUID|JSON|ENUM\(.*\))$/s

/**
 * How a column is read.
 * @param name as SQL has it, in quotes
 * @param declared its type, as DESCRIBE has it; undefined for one that cannot be read
 */
export function readColumn(name: string, declared: string): ReadColumn | undefined {
  const plain = ARRAYS[declared]
  if (plain) return { type: 'number', expression: name, reader: numberReader(plain) }
  const doubles = numberReader(Float64Array)
  if (WIDE_NUMBERS.test(declared)) {
    return { type: 'number', expression: `${name}::DOUBLE`, reader: doubles }
  }
  if (declared === 'BOOLEAN') {
    return { type: 'boolean', expression: name, reader: numberReader(Uint8Array) }
  }
  if (declared === 'INTERVAL') {
    return { type: 'number', expression: `epoch(${name})`, reader: doubles }
  }
  if (DATES.test(declared)) {
    return { type: 'date', expression: `epoch(${name}) * 1000`, reader: doubles }
  }
  // An ENUM may have any number of texts, most of which a part of the rows does not have.
  if (TEXTS.test(declared)) {
    return { type: 'text', expression: `${name}::VARCHAR`, reader: textReader }
  }
  return undefined
}

function numberReader(Values: ArrayType): ReadColumn['reader'] {
  const bytes = Values.BYTES_PER_ELEMENT
  return (duckdb, isBorrowed) => (vector, rows) => {
    const { buffer, byteOffset } = duckdb.vector_get_data(vector, rows * bytes)
    const values = new Values(buffer, byteOffset, rows)
    const validity = validityOf(duckdb, vector, rows)
    if (validity === undefined) return isBorrowed ? values : values.slice()
    const found = values instanceof Float32Array ? values.slice() : Float64Array.from(values)
    for (let row = 0; row < rows; row++) if (!isValid(validity, row)) found[row] = Number.NaN
    return found
  }
}

/** A bit for each row, 1 where there is a value; undefined where all have one. */
function validityOf(duckdb: Bindings, vector: Vector, rows: number): Uint8Array | undefined {
  const bits = duckdb.vector_get_validity(vector, 8 * Math.ceil(rows / 64)) as Uint8Array | null
  return bits ?? undefined
}

function isValid(validity: Uint8Array, row: number): boolean {
  return ((validity[row >> 3] >> (row & 7)) & 1) === 1
}

/** A text in a vector: its length and 12 bytes, its own ones or 4 of them and where all are. */
const WORDS = 4
const SHORT = 12
/** Slots for texts that were met, a power of 2. */
const SLOTS = 4096

/**
 * Reads texts. Most columns of text repeat few of them: a text that was met is known by its words, and is
 * not decoded again. A long one is known by where it is, which holds within one chunk.
 */
export function textReader(duckdb: Bindings): VectorReader {
  const known = new TextCodes()
  const words = new Int32Array(SLOTS * WORDS)
  const slotCodes = new Int32Array(SLOTS)
  /** The chunk in which a slot was filled; short texts are known in all of those of one list. */
  const slotChunks = new Int32Array(SLOTS)
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let chunk = 0
  let firstOfList = 1
  return (vector, rows) => {
    chunk++
    if (known.beginBatch()) firstOfList = chunk
    const bytes = duckdb.vector_get_data(vector, 4 * WORDS * rows)
    const { buffer, byteOffset } = bytes
    const data = new Int32Array(buffer, byteOffset, WORDS * rows)
    const validity = validityOf(duckdb, vector, rows)
    const codes = new Int32Array(rows)
    for (let row = 0; row < rows; row++) {
      if (validity && !isValid(validity, row)) {
        codes[row] = -1
        continue
      }
      const at = WORDS * row
      const [length, a, b, c] = [data[at], data[at + 1], data[at + 2], data[at + 3]]
      const slot = slotOf(length, a, b, c)
      const from = WORDS * slot
      const isKnown =
        words[from] === length &&
        words[from + 1] === a &&
        words[from + 2] === b &&
        words[from + 3] === c &&
        slotChunks[slot] >= (length <= SHORT ? firstOfList : chunk)
      if (!isKnown) {
        const start = 4 * at + 4
        const own =
          length <= SHORT
            ? bytes.subarray(start, start + length)
            : duckdb.get_data_from_pointer(buffer as ArrayBuffer, byteOffset + start + 4, length)
        words[from] = length
        words[from + 1] = a
        words[from + 2] = b
        words[from + 3] = c
        slotChunks[slot] = chunk
        slotCodes[slot] = known.codeOf(decoder.decode(own))
      }
      codes[row] = slotCodes[slot]
    }
    return { texts: known.texts, codes }
  }
}

/** Mixes the words, as MurmurHash3 does with its blocks, to a slot. */
function slotOf(length: number, a: number, b: number, c: number): number {
  let hash = Math.imul(length ^ Math.imul(a, 0xcc9e2d51), 0x1b873593)
  hash = Math.imul((hash ^ (hash >>> 15)) + b, 0x85ebca6b)
  hash = Math.imul((hash ^ (hash >>> 13)) + c, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) & (SLOTS - 1)
}

/** The values of all columns of a chunk. */
export function readChunk(
  duckdb: Bindings,
  chunk: DataChunk,
  readers: readonly VectorReader[],
): SourceBatch {
  const rows = duckdb.data_chunk_get_size(chunk)
  return {
    rows,
    columns: readers.map((read, i) => read(duckdb.data_chunk_get_vector(chunk, i), rows)),
  }
}
