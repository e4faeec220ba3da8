/** Codes for texts in the order in which they are met: how columns of text are handed over. */

/** Beyond so many different texts a list begins anew, so that it stays small beside the rows. */
const MAX_TEXTS = 2 ** 16

/** Gives texts their codes, for one column of one reading. */
export class TextCodes {
  /** The texts of the codes given since the last `beginBatch`. */
  texts: string[] = []
  readonly #codes = new Map<string, number>()

  /** The list is another one from here on if there were too many texts. */
  beginBatch(): boolean {
    if (this.texts.length <= MAX_TEXTS) return false
    this.texts = []
    this.#codes.clear()
    return true
  }

  codeOf(text: string): number {
    const known = this.#codes.get(text)
    if (known !== undefined) return known
    const code = this.texts.length
    this.texts.push(text)
    this.#codes.set(text, code)
    return code
  }
}
