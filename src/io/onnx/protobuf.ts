/**
 * The wire format of protocol buffers (protobuf.dev/programming-guides/encoding): a message is a row of fields,
 * each a number, how it is laid out, and its bytes. A table of a message's fields reads and writes it.
 */
import { DataError } from '../../base/errors.js'

/** How the values of a field are told; of a message, its own fields. */
type Kind = 'int' | 'float' | 'double' | 'text' | 'bytes' | (() => Fields)

/** A field of a message: its number, what it holds, and whether it comes any number of times. */
interface Field {
  readonly number: number
  readonly kind: Kind
  readonly repeated?: true
}

/** The fields of a message by their names. */
type Fields = Readonly<Record<string, Field>>

/** The table of the fields of messages of type T. */
export type Schema<T> = { readonly [K in keyof T]-?: Field }

/** A message to write: what is missing is left out. */
export type Given<T> = T extends Uint8Array | string | number
  ? T
  : T extends readonly (infer E)[]
    ? readonly Given<E>[]
    : { readonly [K in keyof T]?: Given<T[K]> }

/** A field that comes once at most. */
export function one(number: number, kind: Kind): Field {
  return { number, kind }
}

/** A field that comes any number of times. */
export function many(number: number, kind: Kind): Field {
  return { number, kind, repeated: true }
}

const VARINT = 0
const EIGHT_BYTES = 1
const LENGTH = 2
const FOUR_BYTES = 5

/** Deeper than any model nests graphs in nodes, shallower than the stack. */
const MAX_DEPTH = 100

const fromText = new TextEncoder()
const toText = new TextDecoder('utf-8', { fatal: true })

/**
 * The bytes of a message, in pieces: those of `bytes` fields are not copied.
 * @param message numbers of `int` fields are whole, at most 2^53 in size
 */
export function encode<T>(schema: Schema<T>, message: Given<T>): Uint8Array[] {
  const pieces: Uint8Array[] = []
  encodeInto(pieces, schema as Fields, message as Record<string, unknown>)
  return pieces
}

/** @returns bytes that were written */
function encodeInto(
  pieces: Uint8Array[],
  fields: Fields,
  message: Record<string, unknown>,
): number {
  let length = 0
  const push = (piece: Uint8Array) => {
    pieces.push(piece)
    length += piece.length
  }
  for (const [name, { number, kind, repeated }] of Object.entries(fields)) {
    const value = message[name]
    if (value === undefined) continue
    const values = repeated ? (value as unknown[]) : [value]
    if (repeated && typeof kind === 'string' && isNumber(kind)) {
      if (values.length > 0) push(field(number, numbers(kind, values as number[])))
      continue
    }
    for (const item of values) {
      if (typeof kind === 'function') {
        const inner: Uint8Array[] = []
        const size = encodeInto(inner, kind(), item as Record<string, unknown>)
        push(Uint8Array.from([...varint(tagOf(number, LENGTH)), ...varint(size)]))
        // Not by spread: a graph has more pieces than a call takes arguments.
        for (const piece of inner) push(piece)
      } else if (isNumber(kind)) {
        push(Uint8Array.from(varint(tagOf(number, layoutOf(kind)))))
        push(numbers(kind, [item as number]))
      } else {
        const bytes = kind === 'text' ? fromText.encode(item as string) : (item as Uint8Array)
        push(Uint8Array.from([...varint(tagOf(number, LENGTH)), ...varint(bytes.length)]))
        push(bytes)
      }
    }
  }
  return length
}

const isNumber = (kind: Kind): kind is 'int' | 'float' | 'double' =>
  kind === 'int' || kind === 'float' || kind === 'double'

const tagOf = (number: number, layout: number) => number * 8 + layout

function layoutOf(kind: 'int' | 'float' | 'double'): number {
  if (kind === 'int') return VARINT
  return kind === 'float' ? FOUR_BYTES : EIGHT_BYTES
}

/** A field of bytes of known length. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([...varint(tagOf(number, LENGTH)), ...varint(bytes.length), ...bytes])
}

function numbers(kind: 'int' | 'float' | 'double', values: readonly number[]): Uint8Array {
  if (kind === 'int') return Uint8Array.from(values.flatMap(varint))
  const size = kind === 'float' ? 4 : 8
  const view = new DataView(new ArrayBuffer(values.length * size))
  values.forEach((value, i) => {
    if (kind === 'float') view.setFloat32(i * size, value, true)
    else view.setFloat64(i * size, value, true)
  })
  return new Uint8Array(view.buffer)
}

/** Seven bits a byte, the lowest first; negative numbers as their 64-bit two's complement. */
function varint(value: number): number[] {
  const bytes: number[] = []
  if (value >= 0 && value < 2 ** 31) {
    let rest = value
    for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
    return [...bytes, rest]
  }
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}

/**
 * Reads a message. Fields that the table does not know are passed over; `bytes` are views of the input;
 * repeated fields are always there. An `int` beyond 2^53 is rounded to a float64.
 * @param what names the file in errors
 * @throws DataError for bytes that are no such message
 */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, what: string): T {
  return new Reader(bytes, what).message(schema as Fields, bytes.length, 0) as T
}

class Reader {
  readonly #view: DataView
  #at = 0

  constructor(
    readonly bytes: Uint8Array,
    readonly what: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  message(fields: Fields, end: number, depth: number): Record<string, unknown> {
    if (depth > MAX_DEPTH) this.#fail(`messages inside each other, ${MAX_DEPTH} at most`)
    const names = namesOf(fields)
    const message: Record<string, unknown> = {}
    for (const [name, { repeated }] of Object.entries(fields)) if (repeated) message[name] = []
    while (this.#at < end) {
      const tag = this.#varint(end)
      const name = names.get(Math.floor(tag / 8))
      if (name === undefined) {
        this.#pass(tag % 8, end)
        continue
      }
      const { kind, repeated } = fields[name]
      const values = this.#values(kind, tag % 8, end, depth)
      if (repeated) for (const value of values) (message[name] as unknown[]).push(value)
      else if (values.length > 0) message[name] = values.at(-1)
    }
    return message
  }

  #values(kind: Kind, layout: number, end: number, depth: number): unknown[] {
    if (typeof kind === 'string' && isNumber(kind)) {
      if (layout === layoutOf(kind)) return [this.#number(kind, end)]
      const stop = this.#lengthOf(layout, end)
      const values: number[] = []
      while (this.#at < stop) values.push(this.#number(kind, stop))
      return values
    }
    const stop = this.#lengthOf(layout, end)
    if (typeof kind === 'function') return [this.message(kind(), stop, depth + 1)]
    const bytes = this.bytes.subarray(this.#at, stop)
    this.#at = stop
    return [kind === 'text' ? this.#text(bytes) : bytes]
  }

  /** Where a field of bytes ends, which begins here. */
  #lengthOf(layout: number, end: number): number {
    if (layout !== LENGTH) this.#fail(`a field of bytes, found layout ${layout}`)
    const length = this.#varint(end)
    if (!(length >= 0 && length <= end - this.#at)) {
      this.#fail(`a field of ${end - this.#at} bytes at most, found ${length}`)
    }
    return this.#at + length
  }

  #number(kind: 'int' | 'float' | 'double', end: number): number {
    if (kind === 'int') return this.#varint(end)
    const at = this.#at
    this.#pass(layoutOf(kind), end)
    return kind === 'float' ? this.#view.getFloat32(at, true) : this.#view.getFloat64(at, true)
  }

  #varint(end: number): number {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(end)
      low += (byte & 127) << shift
      if (byte < 128) return low
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte(end)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(BigInt.asIntN(64, value))
    }
    return this.#fail('whole numbers of 64 bits')
  }

  #byte(end: number): number {
    if (this.#at >= end) this.#fail('more bytes')
    return this.bytes[this.#at++]
  }

  #text(bytes: Uint8Array): string {
    try {
      return toText.decode(bytes)
    } catch {
      return this.#fail('text in UTF-8')
    }
  }

  /** Passes over a field. */
  #pass(layout: number, end: number): void {
    if (layout === VARINT) {
      this.#varint(end)
      return
    }
    const sizes = new Map([
      [EIGHT_BYTES, 8],
      [FOUR_BYTES, 4],
    ])
    const size = sizes.get(layout)
    const stop = size === undefined ? this.#lengthOf(layout, end) : this.#at + size
    if (stop > end) this.#fail('more bytes')
    this.#at = stop
  }

  #fail(expected: string): never {
    throw new DataError(
      `${this.what}: expected ${expected} at byte ${this.#at} of ${this.bytes.length}; the file is damaged, or no such file`,
    )
  }
}

const known = new WeakMap<Fields, ReadonlyMap<number, string>>()

function namesOf(fields: Fields): ReadonlyMap<number, string> {
  let names = known.get(fields)
  if (names === undefined) {
    names = new Map(Object.entries(fields).map(([name, { number }]) => [number, name]))
    known.set(fields, names)
  }
  return names
}
