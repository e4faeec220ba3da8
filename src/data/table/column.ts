/**
 * One column of a table while it is read: its numbers as long as all of its cells are numbers, or its times as
 * long as all are dates, and its different texts as long as there are not too many. What it is used for is
 * decided elsewhere.
 */
import { type Pausable, pausably } from '../../base/eventLoop.js'
import { type CellFormat, MISSING_VALUES, numberReader } from './cells.js'
import { dateText, parseDate } from './dates.js'

/** Where something was found first. */
export interface Found {
  readonly text: string
  readonly line: number
}

/** The code of a cell without a value. */
export const MISSING = -1

const CHUNK = 2 ** 16

/** Numbers that grow by whole chunks, so that little is copied; the first chunk begins small. */
class Growing<T extends Float64Array | Int32Array> {
  readonly #chunks: T[]
  #length = 0

  constructor(readonly make: (length: number) => T) {
    this.#chunks = [make(16)]
  }

  push(value: number): void {
    const i = this.#length++
    if (i >= CHUNK && i % CHUNK === 0) this.#chunks.push(this.make(CHUNK))
    else if (i === this.#chunks[0].length) this.#double()
    this.#chunks[this.#chunks.length - 1][i % CHUNK] = value
  }

  at(i: number): number {
    return this.#chunks[Math.floor(i / CHUNK)][i % CHUNK]
  }

  #double(): void {
    const larger = this.make(2 * this.#chunks[0].length)
    larger.set(this.#chunks[0])
    this.#chunks[0] = larger
  }
}

/** One column, cell by cell. */
export class Column {
  /** What `line` counts of where it was read from: lines of text, or rows. */
  unit: 'line' | 'row' = 'line'
  /** What a column would be that is not read. */
  unread?: 'number' | 'date' | 'category' | 'text'
  /** Cells so far. */
  rows = 0
  /** Of these, how many have no value, how many are numbers, and how many are dates. */
  missing = 0
  numeric = 0
  dates = 0
  /** The first cell that has no value, that is no number, that is no finite one. */
  firstMissing?: Found
  firstText?: Found
  firstInfinite?: Found
  /** The first cell with a value that is no date. */
  firstUndated?: Found
  /** Whether each number so far is one more than the one before, from 0 or 1 on. */
  counts = true
  /** The different texts, in the order of their codes; undefined where there are too many. */
  texts: string[] | undefined = []
  #numbers: Growing<Float64Array> | undefined = new Growing((length) => new Float64Array(length))
  #codes: Growing<Int32Array> | undefined = new Growing((length) => new Int32Array(length))
  readonly #codeOf: Map<string, number>
  readonly #values: number[] = []
  readonly #read: (text: string) => number
  #last = Number.NaN

  /**
   * @param limit different texts that are kept
   * @param isPlain whether text is text alone, and never stands for a number or for no value
   */
  constructor(
    readonly name: string,
    readonly format: CellFormat,
    readonly limit: number,
    isPlain = false,
  ) {
    this.#read = isPlain ? () => Number.NaN : numberReader(format)
    const missing = isPlain ? [] : (format.missingValues ?? MISSING_VALUES)
    this.#codeOf = new Map(missing.map((text) => [text, MISSING]))
  }

  /** Whether all cells that have a value are finite numbers, and one is. */
  get isNumeric(): boolean {
    return this.#numbers !== undefined && this.numeric > 0
  }

  /** Whether all cells that have a value are dates, and one is. */
  get isDate(): boolean {
    return this.#numbers !== undefined && this.dates > 0
  }

  /** @param cell as a text has it */
  push(cell: string, line: number): void {
    const known = this.#codeOf.get(cell)
    if (known === MISSING) this.pushMissing(cell, line)
    else this.#push(cell, known === undefined ? this.#read(cell) : this.#values[known], line, known)
  }

  pushNumber(value: number, line: number): void {
    // The text is for errors and for classes, of which most columns have none.
    const isNamed = this.#codes !== undefined || this.numeric === 0 || !Number.isFinite(value)
    const text = isNamed ? String(value) : ''
    this.#push(text, value, line, isNamed ? this.#codeOf.get(text) : undefined)
  }

  /** @param time milliseconds from 1970 on, in UTC */
  pushDate(time: number, line: number): void {
    const isNamed = this.#codes !== undefined || this.dates === 0
    const text = isNamed ? dateText(time) : ''
    this.#push(text, Number.NaN, line, isNamed ? this.#codeOf.get(text) : undefined, time)
  }

  pushMissing(text: string, line: number): void {
    this.rows++
    this.missing++
    this.firstMissing ??= { text, line }
    this.counts = false
    this.#codes?.push(MISSING)
    this.#numbers?.push(Number.NaN)
  }

  /** The number in a row, or the time of its date in milliseconds; NaN for none, and where there is text. */
  numberAt(row: number): number {
    return this.#numbers === undefined ? Number.NaN : this.#numbers.at(row)
  }

  /** The position in `texts` of a row's text, or MISSING; only where there are `texts`. */
  codeAt(row: number): number {
    return this.#codes === undefined ? MISSING : this.#codes.at(row)
  }

  /** The number that one of the `texts` stands for. */
  numberOf(text: string): number {
    return this.#values[this.#codeOf.get(text) as number]
  }

  isMissing(row: number): boolean {
    if (this.missing === 0) return false
    if (this.#codes) return this.#codes.at(row) === MISSING
    return Number.isNaN(this.numberAt(row))
  }

  #push(text: string, value: number, line: number, known: number | undefined, time?: number): void {
    this.rows++
    if (Number.isNaN(value)) this.#countText(text, line, time)
    else this.#countNumber(value, text, line)
    if (this.#codes) this.#codes.push(known ?? this.#codeFor(text, value))
  }

  #countText(text: string, line: number, time = parseDate(text)): void {
    this.firstText ??= { text, line }
    this.counts = false
    if (Number.isNaN(time)) this.firstUndated ??= { text, line }
    else this.dates++
    if (this.numeric > 0 || Number.isNaN(time)) this.#numbers = undefined
    this.#numbers?.push(time)
  }

  #countNumber(value: number, text: string, line: number): void {
    this.numeric++
    this.firstUndated ??= { text, line }
    if (this.dates > 0) this.#numbers = undefined
    if (!Number.isFinite(value)) this.firstInfinite ??= { text, line }
    if (this.rows === 1 ? value !== 0 && value !== 1 : value !== this.#last + 1) this.counts = false
    this.#last = value
    this.#numbers?.push(value)
  }

  /** A new code; undefined codes where that would be one too many. */
  #codeFor(text: string, value: number): number {
    const code = this.#values.length
    if (code < this.limit) {
      this.#codeOf.set(text, code)
      this.#values.push(value)
      this.texts?.push(text)
      return code
    }
    this.texts = undefined
    this.#codes = undefined
    for (const [known, code] of this.#codeOf) if (code !== MISSING) this.#codeOf.delete(known)
    return MISSING
  }
}

/** Where something was found in a column, for errors. */
export function placeOf({ unit }: Pick<Column, 'unit'>, found?: Found): string {
  return `${unit === 'line' ? 'on line' : 'in row'} ${found?.line}`
}

/** How often each of the texts of a column comes, in all rows or in some. */
export function* countsOf(column: Column, rows?: ArrayLike<number>): Pausable<Float64Array> {
  const counts = new Float64Array(column.texts?.length ?? 0)
  yield* pausably(rows?.length ?? column.rows, (i) => {
    const code = column.codeAt(rows ? rows[i] : i)
    if (code !== MISSING) counts[code]++
  })
  return counts
}
