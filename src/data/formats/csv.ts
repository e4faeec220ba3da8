/**
 * The records of separated text (CSV, TSV, columns between blanks), which csv-parse reads: quotes,
 * blank lines and every kind of line end. What the cells say is not read here.
 */
import type { Parser } from 'csv-parse'
import { ArgumentError, DataError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'

/** Some records, and the line of the text that each begins on. */
export interface Records {
  readonly cells: string[][]
  readonly lines: number[]
}

/** Stands for any number of blanks and tabs. */
const BLANKS = ' '
/** In the order in which they are preferred. */
const DELIMITERS = ['\t', ';', ',', '|', BLANKS] as const
/** What a text without any delimiter is parted by. */
const COMMAS = { delimiter: ',', share: 0, numbers: 0 } as const
/** A number, with any points and commas. */
const NUMBER = /^[+-]?[.,]?\d[\d.,]*(e[+-]?\d+)?$/i
/** So many characters, and lines of them, show what a text is parted by; of long lines fewer. */
const SAMPLE = { length: 2 ** 14, lines: 20, longest: 2 ** 22 }
/** Characters that are read at a time. */
const PIECE = 2 ** 14
/** So many of its records must have the same number of cells to be sure. */
const CERTAIN = 0.9
/** csv-parse looks so far ahead before it takes a record for ended. */
const END = '\n'.repeat(8)
/** In characters; a quote that is never closed makes a record of all that follows. */
const LONGEST_RECORD = 2 ** 24

/**
 * The records of a text, many at a time. Cells are without the blanks around them, blank lines are left
 * out.
 * @param name what the errors call the text
 * @param delimiter what parts the cells, `' '` for any number of blanks; found by the text where it is
 *   left out
 * @throws DataError naming the line of a quote that is not closed
 */
export async function* readRecords(
  text: AsyncIterable<string>,
  name: string,
  delimiter?: string,
): AsyncGenerator<Records> {
  if (delimiter !== undefined && (typeof delimiter !== 'string' || delimiter.length !== 1)) {
    throw new ArgumentError(`table: expected a delimiter of one character, got ${delimiter}`)
  }
  const { Parser } = await import('csv-parse')
  const pieces = text[Symbol.asyncIterator]()
  const { sample, ended } = await takeSample(pieces)
  const reader = new RecordReader(
    Parser,
    delimiter ?? (await sniffDelimiter(Parser, sample, ended)),
  )
  const yieldIfDue = yielder()
  try {
    for (let i = 0; i < sample.length; i += PIECE) {
      yield await reader.read(sample.slice(i, i + PIECE))
      await yieldIfDue()
    }
    for await (const piece of { [Symbol.asyncIterator]: () => pieces }) {
      yield await reader.read(piece)
      await yieldIfDue()
    }
    yield await reader.end()
  } catch (error) {
    throw parsingError(error, name, reader.lastLine)
  }
}

/** The first of the text, and whether it is all. */
async function takeSample(
  pieces: AsyncIterator<string>,
): Promise<{ sample: string; ended: boolean }> {
  let [sample, lines] = ['', 0]
  while (
    sample.length < SAMPLE.longest &&
    (sample.length < SAMPLE.length || lines < SAMPLE.lines)
  ) {
    const { value, done } = await pieces.next()
    if (done) return { sample, ended: true }
    sample += value
    lines += value.match(/\r\n?|\n/g)?.length ?? 0
  }
  return { sample, ended: false }
}

/** @param line where the last whole record ends */
function parsingError(error: unknown, name: string, line: number): unknown {
  const { code, lines } = error as { code?: string; lines?: number }
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    return new DataError(
      `${name}: expected a closing quote in the row after line ${line}, got the end of the text`,
    )
  }
  if (code === 'CSV_MAX_RECORD_SIZE') {
    return new DataError(
      `${name}: expected rows of at most ${LONGEST_RECORD} characters, got a longer one after line ${line}; a quote that is not closed?`,
    )
  }
  if (code?.startsWith('CSV_')) {
    return new DataError(
      `${name}: expected a quote to open or to end a cell, got one within a cell on line ${lines}`,
      { cause: error },
    )
  }
  return error
}

/**
 * What parts the records of a text: of the delimiters that give nearly all of them the same number of
 * cells, the first of those that show most numbers; without any, the one that does so for most records.
 */
async function sniffDelimiter(
  parser: typeof Parser,
  sample: string,
  ended: boolean,
): Promise<string> {
  const candidates = []
  const yieldIfDue = yielder()
  for (const delimiter of DELIMITERS) {
    const reader = new RecordReader(parser, delimiter)
    const widths: number[] = []
    let [numbers, isBroken] = [0, false]
    for (let i = 0; i < sample.length && !isBroken; i += PIECE) {
      const piece = sample.slice(i, i + PIECE)
      const isLast = ended && i + PIECE >= sample.length
      const { cells } = await reader.read(isLast ? piece + END : piece).catch(() => {
        // Quotes do not fit other delimiters. With the right one, the error comes again.
        isBroken = true
        return reader.take()
      })
      for (const record of cells) {
        widths.push(record.length)
        numbers += record.filter((cell) => NUMBER.test(cell)).length
      }
      await yieldIfDue()
    }
    candidates.push({ delimiter, share: shareOfMostCommon(widths), numbers })
  }
  const certain = candidates.filter(({ share }) => share >= CERTAIN)
  const by = certain.length > 0 ? ('numbers' as const) : ('share' as const)
  const ranked = certain.length > 0 ? certain : candidates.filter(({ share }) => share > 0)
  return ranked.reduce((best, next) => (next[by] > best[by] ? next : best), ranked[0] ?? COMMAS)
    .delimiter
}

/** Which share of the records has as many cells as most have; 0 where that is a single one. */
function shareOfMostCommon(widths: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1)
  const [width, count] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [1, 0]
  return width > 1 ? count / widths.length : 0
}

/** csv-parse, fed piece by piece; what it pushes is collected with its lines. */
class RecordReader {
  readonly #parser: Parser
  readonly #delimiter: string
  #records: Records = { cells: [], lines: [] }
  /** Line ends that csv-parse counted twice: \r\n within quotes. */
  #countedTwice = 0
  /** Where the last record ends. */
  lastLine = 0

  constructor(parser: typeof Parser, delimiter: string) {
    this.#delimiter = delimiter
    this.#parser = new parser({
      delimiter: delimiter === BLANKS ? [' ', '\t'] : delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: LONGEST_RECORD,
    })
    this.#parser.push = (record: string[] | null) => {
      if (record !== null) this.#add(record)
      return true
    }
    // It also comes to the callback of the write that it is from.
    this.#parser.on('error', () => {})
  }

  /** The records that end in this piece of the text. */
  async read(piece: string): Promise<Records> {
    await new Promise<void>((resolve, reject) => {
      this.#parser.write(piece, (error) => (error ? reject(error) : resolve()))
    })
    return this.take()
  }

  /** The last record, of a text without a line end after it. */
  async end(): Promise<Records> {
    await new Promise<void>((resolve, reject) => {
      this.#parser.once('error', reject)
      this.#parser.end(() => resolve())
    })
    return this.take()
  }

  /** What was read and not taken yet. */
  take(): Records {
    const records = this.#records
    this.#records = { cells: [], lines: [] }
    return records
  }

  #add(record: string[]): void {
    const cells = this.#delimiter === BLANKS ? record.filter((cell) => cell !== '') : record
    let line = this.#parser.info.lines - this.#countedTwice
    if (line > this.lastLine + 1) {
      // Several lines of its own, or blank ones before it.
      const inside = record.join('')
      const twice = inside.match(/\r\n/g)?.length ?? 0
      this.#countedTwice += twice
      this.lastLine = line - twice
      line = this.lastLine - (inside.match(/\r\n|\r|\n/g)?.length ?? 0)
    } else this.lastLine = line
    // A line of blanks alone.
    if (cells.length === 0 || (cells.length === 1 && cells[0] === '')) return
    this.#records.cells.push(cells)
    this.#records.lines.push(line)
  }
}
