/** The types of values in NumPy's files, in bytes of either order. */
import { endianness } from 'node:os'

/** The values of an array of NumPy's, row-major. */
export type NpyValues =
  | (Float32Array | Float64Array)
  | (Int8Array | Int16Array | Int32Array | BigInt64Array)
  | (Uint8Array | Uint16Array | Uint32Array | BigUint64Array)
  | readonly string[]

/** A type of values, as `numpy.dtype` has it. */
export interface NpyType {
  /** Bytes of a value. */
  readonly bytes: number
  /** The values in some bytes, which may be changed. */
  readonly read: (bytes: Uint8Array) => NpyValues
}

type Constructor = new (buffer: ArrayBufferLike, offset: number, length: number) => NpyValues
const ARRAYS: Record<string, Constructor> = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
}
/** Of a text; more is no label. */
const MAX_CHARACTERS = 2 ** 16

/**
 * The type of a `descr` such as `<f4`: numbers of any width and booleans, as bytes 0 and 1; half floats
 * become float32; texts of code points (U) or of bytes (S). Undefined for other ones.
 */
export function npyType(descr: string): NpyType | undefined {
  const [, order, kind, size] = /^([<>|=])([a-zA-Z])(\d{1,6})$/.exec(descr) ?? []
  if (kind === undefined) return undefined
  const count = Number(size)
  const isSwapped = { '<': 'BE', '>': 'LE' }[order] === endianness()
  const Values = ARRAYS[kind + size]
  if (Values) {
    return {
      bytes: count,
      read: (bytes) => {
        if (isSwapped) swap(bytes, count)
        return new Values(bytes.buffer, bytes.byteOffset, bytes.length / count)
      },
    }
  }
  if (kind + size === 'f2') {
    return {
      bytes: 2,
      read: (bytes) => {
        if (isSwapped) swap(bytes, 2)
        const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
        return Float32Array.from(halves, floatOfHalf)
      },
    }
  }
  if (count === 0 || count > MAX_CHARACTERS) return undefined
  if (kind === 'U') {
    return {
      bytes: 4 * count,
      read: (bytes) => {
        if (isSwapped) swap(bytes, 4)
        return pieces(bytes, 4 * count, codePoints)
      },
    }
  }
  if (kind === 'S') {
    return {
      bytes: count,
      read: (bytes) => pieces(bytes, count, (text) => text.toString('utf8').replace(/\0+$/, '')),
    }
  }
  return undefined
}

/** The same memory; types of what is public name no Buffer, which browsers lack. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function swap(bytes: Uint8Array, width: number): void {
  if (width === 2) bufferOf(bytes).swap16()
  if (width === 4) bufferOf(bytes).swap32()
  if (width === 8) bufferOf(bytes).swap64()
}

function pieces(bytes: Uint8Array, width: number, read: (piece: Buffer) => string): string[] {
  const all = bufferOf(bytes)
  return Array.from({ length: all.length / width }, (_, i) =>
    read(all.subarray(i * width, (i + 1) * width)),
  )
}

/** Text in UTF-32, without the zeros at its end; what is no code point becomes U+FFFD. */
function codePoints(bytes: Buffer): string {
  const points = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const end = points.findLastIndex((point) => point !== 0) + 1
  const valid = Array.from(points.subarray(0, end), (point) => (point > 0x10ffff ? 0xfffd : point))
  return String.fromCodePoint(...valid)
}

/** IEEE 754 binary16: a sign, 5 bits of exponent with bias 15, 10 bits of fraction. */
function floatOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
