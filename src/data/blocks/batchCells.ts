/** Values of a column in a batch, as encoding asks for them. */
import { isTexts, type SourceType, type SourceValues, type TextValues } from '../sources/source.js'
import { MISSING } from '../table/column.js'
import type { Cells } from '../table/encodeRows.js'
import { MAX_CATEGORIES } from '../table/frame.js'

const BOOLEANS = ['false', 'true']

export class BatchCells implements Cells {
  readonly unit = 'row'
  readonly limit = MAX_CATEGORIES
  readonly firstText = undefined
  readonly firstInfinite = undefined
  readonly firstUndated = undefined
  readonly #numbers: ArrayLike<number>
  readonly #texts: TextValues | undefined

  constructor(
    readonly name: string,
    readonly type: SourceType,
    values: SourceValues,
  ) {
    this.#numbers = isTexts(values) ? [] : values
    this.#texts = isTexts(values) ? values : undefined
  }

  get isDate(): boolean {
    return this.type === 'date'
  }

  get texts(): string[] {
    return (this.#texts?.texts ?? BOOLEANS) as string[]
  }

  numberAt(row: number): number {
    return this.#numbers[row]
  }

  codeAt(row: number): number {
    if (this.#texts) return this.#texts.codes[row]
    return this.isMissing(row) ? MISSING : this.#numbers[row]
  }

  isMissing(row: number): boolean {
    return this.#texts ? this.#texts.codes[row] === MISSING : Number.isNaN(this.#numbers[row])
  }
}
