/**
 * The JSON header of a safetensors file. Not JSON.parse: that lets a key come twice and 2.0 stand
 * for 2, and builds whatever a hostile header of 100 MB holds before anyone can look at it. This
 * reader knows the one form a header has and stops at the first byte that deviates.
 */

/** Throws the DataError `file: expected …, got …`. */
export type Fail = (expected: string, got: string) => never

/** A tensor as the header describes it; the numbers are not yet compared with each other. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Offsets of the first byte and of the one after the last, from the end of the header. */
  readonly offsets: readonly number[]
}

export const METADATA = '__metadata__'
/** More dimensions than any array library has. */
const MAX_RANK = 64
const BACKSLASH = 0x5c

/** Reads {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …} and the metadata. */
export function parseHeader(
  text: string,
  fail: Fail,
): { infos: TensorInfo[]; metadata: Record<string, string> } {
  const reader = new Reader(text, fail)
  const infos: TensorInfo[] = []
  const metadata: [string, string][] = []
  reader.object((name) => {
    if (name !== METADATA) infos.push(readInfo(name, reader, fail))
    else reader.object((key) => metadata.push([key, reader.string()]))
  })
  reader.end()
  // fromEntries, because assigning to '__proto__' would not make a field.
  return { infos, metadata: Object.fromEntries(metadata) }
}

function readInfo(name: string, reader: Reader, fail: Fail): TensorInfo {
  let dtype: string | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  reader.object((field) => {
    if (field === 'dtype') dtype = reader.string()
    else if (field === 'shape') shape = reader.integers()
    else if (field === 'data_offsets') offsets = reader.integers()
    else fail(`only dtype, shape and data_offsets for ${show(name)}`, show(field))
  })
  if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
    return fail(`a dtype, a shape and two data_offsets for ${show(name)}`, 'others')
  }
  return { name, dtype, shape, offsets }
}

class Reader {
  private at = 0

  constructor(
    private readonly text: string,
    private readonly fail: Fail,
  ) {}

  /** Calls `onField` with each key when the reader stands before its value. */
  object(onField: (key: string) => void): void {
    const seen = new Set<string>()
    this.expect('{')
    if (this.take('}')) return
    do {
      const key = this.string()
      if (seen.has(key)) this.fail('every key once in the header', `${show(key)} twice`)
      seen.add(key)
      this.expect(':')
      onField(key)
    } while (this.take(','))
    this.expect('}')
  }

  integers(): number[] {
    const values: number[] = []
    this.expect('[')
    if (this.take(']')) return values
    do {
      if (values.length === MAX_RANK) this.fail(`at most ${MAX_RANK} dimensions`, 'more')
      values.push(this.integer())
    } while (this.take(','))
    this.expect(']')
    return values
  }

  string(): string {
    this.expect('"')
    const start = this.at
    let plain = true
    while (this.at < this.text.length && this.text[this.at] !== '"') {
      const code = this.text.charCodeAt(this.at)
      if (code < 0x20 || code === BACKSLASH) plain = false
      this.at += code === BACKSLASH ? 2 : 1
    }
    this.expect('"')
    return plain ? this.text.slice(start, this.at - 1) : this.unescape(start - 1)
  }

  /** The string literal from `start` to here; JSON.parse knows the escapes. */
  private unescape(start: number): string {
    const literal = this.text.slice(start, this.at)
    let value: string | undefined
    try {
      value = JSON.parse(literal)
    } catch {}
    // An escape can spell half a character, which is no Unicode text.
    if (value === undefined || /\p{Surrogate}/u.test(value)) {
      return this.fail('valid strings in the header', literal.slice(0, 100))
    }
    return value
  }

  end(): void {
    this.skipBlanks()
    if (this.at < this.text.length) this.deviates('the end')
  }

  private integer(): number {
    this.skipBlanks()
    const pattern = /(?:0|[1-9]\d{0,15})(?![\d.eE])/y
    pattern.lastIndex = this.at
    const value = Number(pattern.exec(this.text)?.[0])
    if (!Number.isSafeInteger(value)) this.deviates('an integer in 0..2^53-1')
    this.at = pattern.lastIndex
    return value
  }

  private take(char: string): boolean {
    this.skipBlanks()
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  private expect(char: string): void {
    if (!this.take(char)) this.deviates(char)
  }

  private skipBlanks(): void {
    // The four blanks of JSON: space, line feed, carriage return, tab.
    for (let c = this.code(); c === 32 || c === 10 || c === 13 || c === 9; c = this.code())
      this.at++
  }

  private code(): number {
    return this.text.charCodeAt(this.at)
  }

  private deviates(expected: string): never {
    const found = this.text.slice(this.at, this.at + 16)
    return this.fail(
      `${expected} at character ${this.at} of the header`,
      found === '' ? 'its end' : show(found),
    )
  }
}

/** For error messages: a hostile header can hold names of any length. */
export function show(value: string | readonly number[]): string {
  const text = JSON.stringify(value.slice(0, 100))
  return value.length > 100 ? `${text}…` : text
}
