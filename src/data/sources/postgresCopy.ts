/**
 * What COPY … TO STDOUT (FORMAT binary) sends
 * (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"): a header of 19 bytes, then for
 * each row the number of its fields in 2 bytes, and for each field its length in 4, -1 for null, and its bytes.
 */
import { DataError } from '../../base/errors.js'
import type { SourceBatch, SourceType, SourceValues } from './source.js'
import { TextCodes } from './texts.js'

/** Rows of a batch. */
const ROWS = 2048
const HEADER = 19
/** In the place of a number of fields it ends the rows. */
const END = -1

/** What gathers the values of one column. */
interface Field {
  /** Takes a value in some bytes; of a null, `length` is -1. */
  put(row: number, bytes: Buffer, at: number, length: number): void
  /** The values of the first rows, which are the caller's; the next ones go elsewhere. */
  take(rows: number): SourceValues
}

/** Columns of numbers and dates come as float8, booleans as one byte, others as text in UTF-8. */
function fieldOf(type: SourceType): Field {
  if (type === 'text') return new TextField()
  const isBoolean = type === 'boolean'
  let values = new Float64Array(ROWS)
  return {
    put(row, bytes, at, length) {
      if (length < 0) values[row] = Number.NaN
      else values[row] = isBoolean ? bytes[at] : bytes.readDoubleBE(at)
    },
    take(rows) {
      const taken = values.subarray(0, rows)
      values = new Float64Array(ROWS)
      return taken
    },
  }
}

class TextField implements Field {
  readonly #known = new TextCodes()
  #codes = new Int32Array(ROWS)

  put(row: number, bytes: Buffer, at: number, length: number): void {
    const isNull = length < 0
    this.#codes[row] = isNull ? -1 : this.#known.codeOf(bytes.toString('utf8', at, at + length))
  }

  take(rows: number): SourceValues {
    const values = { texts: this.#known.texts, codes: this.#codes.subarray(0, rows) }
    this.#codes = new Int32Array(ROWS)
    this.#known.beginBatch()
    return values
  }
}

/** Makes batches of the pieces of a COPY as they come. */
export class CopyReader {
  /** Rows so far. */
  rows = 0
  readonly #fields: readonly Field[]
  #rest: Buffer = Buffer.alloc(0)
  #hasHeader = false
  #isOver = false
  #inBatch = 0

  constructor(
    readonly name: string,
    types: readonly SourceType[],
  ) {
    this.#fields = types.map(fieldOf)
  }

  /** The batches that end in a piece. */
  *read(piece: Buffer): Generator<SourceBatch> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    let at = 0
    if (!this.#hasHeader && bytes.length >= HEADER) {
      this.#hasHeader = true
      at = HEADER
    }
    while (this.#hasHeader && !this.#isOver) {
      const end = this.#readRow(bytes, at)
      if (end === undefined) break
      at = end
      if (this.#inBatch === ROWS) yield this.#take()
    }
    this.#rest = bytes.subarray(at)
  }

  /**
   * The rows of the last batch, if there are any.
   * @throws DataError where the end did not come
   */
  *end(): Generator<SourceBatch> {
    if (!this.#isOver) {
      throw new DataError(`${this.name}: expected all rows, got the first ${this.rows} of them`)
    }
    if (this.#inBatch > 0) yield this.#take()
  }

  /** Where the row ends that begins there; undefined where it is not whole. */
  #readRow(bytes: Buffer, start: number): number | undefined {
    if (bytes.length < start + 2) return undefined
    if (bytes.readInt16BE(start) === END) {
      this.#isOver = true
      return start + 2
    }
    let at = start + 2
    for (const field of this.#fields) {
      if (bytes.length < at + 4) return undefined
      const length = bytes.readInt32BE(at)
      at += 4
      if (bytes.length < at + length) return undefined
      field.put(this.#inBatch, bytes, at, length)
      at += Math.max(length, 0)
    }
    this.#inBatch++
    this.rows++
    return at
  }

  #take(): SourceBatch {
    const rows = this.#inBatch
    this.#inBatch = 0
    return { rows, columns: this.#fields.map((field) => field.take(rows)) }
  }
}
