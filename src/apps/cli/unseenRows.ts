/** The rows of a table that a saved model has not been trained on, with their targets. */
import { basename } from 'node:path'
import {
  type BlockSource,
  type Classifier,
  DataError,
  type Dataset,
  type Regressor,
  type TableEncoding,
  type TableSplit,
} from '../../index.js'
import {
  type Applied,
  appliedPieces,
  encodeRows,
  type Frame,
  inParts,
  isRowSplit,
  neededOf,
  partsOf,
  partsOfRows,
  partsOfTimes,
  pieceOf,
  readApplied,
  TEST,
  UnseenTally,
  UsableRows,
} from '../../internal.js'
import { TEST_SHARE } from './data.js'
import { RowBar, withRowBar } from './rowBar.js'
import type { ReadingOptions } from './tableOptions.js'
import { encodingOf, nameOf, readingOf } from './tables.js'

/** Rows to be tested on. */
export interface UnseenRows {
  readonly data: Dataset | BlockSource
  /** How many there were, and what is to be said of them, once they were read. */
  size(): number
  notes(): string[]
}

/** Of a model's training set the test part, else all rows. What can be told row by row comes in pieces. */
export async function unseenRows(
  saved: Classifier | Regressor,
  source: string,
  options: ReadingOptions,
): Promise<UnseenRows> {
  const work = new Work(saved, source, options)
  return saved.dataset === work.name && !isRowSplit(work.split) ? work.testPart() : work.pieces()
}

class Work {
  readonly name: string
  readonly encoding: TableEncoding
  readonly split: TableSplit
  readonly #usable: UsableRows
  readonly #unseen = new UnseenTally()
  #size = 0
  /** Rows before the next piece. */
  #first = 0

  constructor(
    readonly saved: Classifier | Regressor,
    readonly source: string,
    readonly options: ReadingOptions,
  ) {
    this.name = nameOf(source, options.sql)
    this.encoding = encodingOf(saved)
    this.split = saved.split ?? { by: 'chance' }
    this.#usable = new UsableRows(this.encoding.missing)
  }

  /** Drawn among all rows, which are read for it. */
  async testPart(): Promise<UnseenRows> {
    const { split, source } = this
    const { seed = 0 } = this.saved
    const [from, { name = source, ...reading }] = readingOf(source, this.options)
    const applied = await withRowBar(`reading ${basename(name)}`, undefined, (onRows) =>
      readApplied(from, name, this.encoding, { ...reading, onRows }, this.#whole),
    )
    const target = this.#targetOf(applied)
    const rows = await this.#usableOf(applied)
    const { test } = await partsOf(applied.frame, target, split, rows, TEST_SHARE, seed)
    return this.#told(await this.#encode(applied, test))
  }

  pieces(): UnseenRows {
    const { saved, encoding, source, name } = this
    const work = this
    return this.#told({
      name,
      inputShape: [saved.inputs],
      ...('classes' in saved && { classes: saved.classes }),
      async *blocks() {
        const [from, { name = source, ...reading }] = readingOf(source, work.options)
        const bar = new RowBar(`reading ${basename(name)}`)
        const how = { ...reading, onRows: bar.update }
        const pieces = appliedPieces(from, name, encoding, how, work.#whole, pieceOf(encoding))
        try {
          for await (const applied of pieces) {
            const isTest = work.#testRows(applied)
            const rows = (await work.#usableOf(applied)).filter((row) => isTest?.[row] ?? true)
            if (rows.length > 0) yield await work.#encode(applied, rows)
          }
        } finally {
          bar.close()
        }
      },
    })
  }

  /** Of the training set's next rows, whether they are those to test on. */
  #testRows({ frame }: Applied): boolean[] | undefined {
    const { split, saved, name } = this
    if (saved.dataset !== name || !isRowSplit(split)) return undefined
    const first = this.#first
    this.#first += frame.rows
    const shares = { testFraction: TEST_SHARE, seed: saved.seed ?? 0 }
    const keyAt = split.column === undefined ? undefined : keysOf(frame, split.column)
    const parts =
      split.from === undefined
        ? partsOfRows(first, frame.rows, shares, keyAt)
        : partsOfTimes(frame.rows, { from: split.from }, keyAt as (row: number) => number)
    return Array.from(parts, (part) => part === TEST)
  }

  /** By these columns, rows are told apart. */
  get #whole(): string[] {
    const { encoding, split } = this
    return [encoding.target.name, ...(split.column === undefined ? [] : [split.column])]
  }

  #targetOf({ frame, target }: Applied) {
    if (target !== undefined) return target
    throw new DataError(
      `${frame.name}: expected the target ${this.encoding.target.name}, got no such column`,
    )
  }

  #usableOf(applied: Applied): Promise<Int32Array> {
    const { frame, features } = applied
    const needed = neededOf(this.encoding, features)
    return inParts(this.#usable.of(frame, needed, this.#targetOf(applied)))
  }

  async #encode(applied: Applied, rows: Int32Array): Promise<Dataset> {
    const { name, saved, encoding } = this
    const { frame, features } = applied
    const classes = 'classes' in saved ? saved.classes : []
    const target = this.#targetOf(applied)
    const { data, unseen } = await encodeRows({
      ...{ name, frame, features, target, classes, encoding, rows },
    })
    this.#unseen.add(unseen)
    this.#size += data.size
    return data
  }

  #told(data: Dataset | BlockSource): UnseenRows {
    const { name } = this
    return {
      data,
      size: () => this.#size,
      notes: () => [...this.#usable.notes(name), ...this.#unseen.notes(name)],
    }
  }
}

/** What decides about a row: a number or a time, else a text. */
function keysOf(frame: Frame, name: string): (row: number) => number | string {
  const column = frame.columns.find((column) => column.name === name)
  if (column === undefined) {
    throw new DataError(
      `${frame.name}: expected the column ${name}, by which it was split, got none`,
    )
  }
  if (column.isNumeric || column.isDate) return (row) => column.numberAt(row)
  return (row) => column.texts?.[column.codeAt(row)] ?? ''
}
