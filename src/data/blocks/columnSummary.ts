/**
 * What is known of a column after its values went by in batches: what decides on its use, and what an encoding
 * of it takes. The values themselves are not held.
 */
import { isTexts, type SourceColumn, type SourceValues } from '../sources/source.js'
import { Column } from '../table/column.js'
import { type DatePart, dateParts, dateText, partOf } from '../table/dates.js'
import type { Figures } from '../table/figures.js'
import { Moments } from './moments.js'
import { LEFT_OUT, TRAIN } from './rowSplit.js'

const BOOLEANS = ['false', 'true']

/** Rows of a batch by what they are for. */
export interface BatchParts {
  /** The number of the first row, from 0 on. */
  readonly first: number
  readonly parts: Uint8Array
  readonly train: Int32Array
  /** To test on, and to validate by. */
  readonly others: Int32Array
}

export class ColumnSummary {
  /** What roles are decided by: it has each different value once, and counts all of them. */
  readonly column: Column
  /** Missing ones among the training rows. */
  missingInTraining = 0
  readonly training = new Moments()
  readonly #others = new Moments()
  readonly #parts = new Map<DatePart, Moments>()
  /** Of each text, or number of a target, rows to train on, and others. */
  readonly #counts = new Map<string | number, [train: number, others: number]>()
  #rows = 0
  #missing = 0
  #numeric = 0
  #isCounting = true
  #last = Number.NaN

  /** @param limit different values that are kept */
  constructor(
    readonly source: SourceColumn,
    limit: number,
  ) {
    this.column = new Column(source.name, {}, limit, true)
    this.column.unit = 'row'
    if (source.type === 'date') for (const part of dateParts) this.#parts.set(part, new Moments())
  }

  add(values: SourceValues, batch: BatchParts): void {
    const { type } = this.source
    if (isTexts(values)) this.#addTexts(values.texts, values.codes, batch)
    else if (type === 'boolean') {
      const codes = Int32Array.from(values, (value) => (Number.isNaN(value) ? -1 : value))
      this.#addTexts(BOOLEANS, codes, batch)
    } else {
      this.#addNumbers(values, batch)
      for (const [part, moments] of this.#parts) {
        moments.add(
          Float64Array.from(values, (time) => partOf(time, part)),
          batch.train,
        )
      }
    }
    this.#rows += batch.parts.length
  }

  /** Puts the counts into the column. */
  end(): void {
    const { column } = this
    column.rows = this.#rows
    column.missing = this.#missing
    if (this.source.type === 'number') {
      column.numeric = this.#numeric
      column.counts = this.#isCounting && this.#missing === 0
    }
    if (this.source.type === 'date') column.dates = this.#numeric
  }

  /** Of all rows. */
  get figures() {
    const all = new Moments()
    all.merge(this.training)
    all.merge(this.#others)
    return all.figures
  }

  /** Of the parts of the dates of training rows. */
  get figuresOfParts(): Map<DatePart, Figures> {
    return new Map([...this.#parts].map(([part, { figures }]) => [part, figures]))
  }

  /** Rows of a text, or of a number: to train on, and others. */
  countsOf(text: string): readonly [train: number, others: number] {
    const key = this.source.type === 'number' ? Number(text) : text
    return this.#counts.get(key) ?? [0, 0]
  }

  #addNumbers(values: ArrayLike<number>, batch: BatchParts): void {
    this.training.add(values, batch.train)
    this.#others.add(values, batch.others)
    const { column } = this
    const isDate = this.source.type === 'date'
    const push = (value: number, line: number) =>
      isDate ? column.pushDate(value, line) : column.pushNumber(value, line)
    const { parts, first } = batch
    const isCounted = column.limit > 0
    let [numeric, last, isCounting] = [this.#numeric, this.#last, this.#isCounting]
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (Number.isNaN(value)) {
        this.#noteMissing(i, batch)
        continue
      }
      if (numeric++ === 0 ? value !== 0 && value !== 1 : value !== last + 1) isCounting = false
      last = value
      const isFirst = numeric === 1 || !Number.isFinite(value)
      if (isFirst) push(value, first + i + 1)
      if (isCounted && column.texts && parts[i] !== LEFT_OUT) {
        this.#count(value, parts[i], () => !isFirst && push(value, first + i + 1))
      }
    }
    this.#numeric = numeric
    this.#last = last
    this.#isCounting = isCounting
  }

  #addTexts(texts: readonly string[], codes: Int32Array, batch: BatchParts): void {
    const { column } = this
    const { parts, first } = batch
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] < 0) this.#noteMissing(i, batch)
      else if (column.texts && parts[i] !== LEFT_OUT) {
        const text = texts[codes[i]]
        this.#count(text, parts[i], () => column.push(text, first + i + 1))
      }
    }
  }

  #count(key: string | number, part: number, isNew: () => void): void {
    let counts = this.#counts.get(key)
    if (counts === undefined) {
      isNew()
      counts = [0, 0]
      // Too many are counted no more.
      if (this.column.texts) this.#counts.set(key, counts)
      else this.#counts.clear()
    }
    counts[part === TRAIN ? 0 : 1]++
  }

  #noteMissing(i: number, { parts, first }: BatchParts): void {
    this.#missing++
    this.column.firstMissing ??= { text: 'null', line: first + i + 1 }
    if (parts[i] === TRAIN) this.missingInTraining++
  }

  /** The first and the last date. */
  get span(): { earliest: string; latest: string } {
    const { min, max } = this.figures
    return { earliest: dateText(min), latest: dateText(max) }
  }
}
