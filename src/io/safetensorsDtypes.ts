/** The dtypes of safetensors files, and how the values of each become those of the library's own. */
import { type ArrayOf, dtypes } from '../backend/dtype.js'
import type { Fail } from './safetensorsHeader.js'

export type TensorData = Float32Array | Int32Array | Uint8Array

/** A tensor as it is in the file, after conversion to one of the library's own dtypes. */
export interface StoredTensor {
  readonly dtype: 'F32' | 'I32' | 'U8'
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** A dtype that the library has, too. */
function own<D extends 'float32' | 'int32' | 'uint8'>(name: D) {
  const { bytes: width, safetensors, array } = dtypes[name]
  return {
    width,
    dtype: safetensors as StoredTensor['dtype'],
    convert: (buffer: ArrayBuffer) => new array(buffer) as ArrayOf<D>,
  }
}

function fromFloat64(buffer: ArrayBuffer, fail: Fail): Float32Array {
  const from = new Float64Array(buffer)
  const to = Float32Array.from(from)
  const lost = to.findIndex((value, i) => Math.abs(value) === Infinity && Number.isFinite(from[i]))
  return lost < 0 ? to : fail('values within float32', `${from[lost]}`)
}

/** Half precision: sign, 5 bits of exponent (bias 15), 10 of fraction (IEEE 754 binary16). */
export function fromFloat16(buffer: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint16Array(buffer), halfOf)
}

function halfOf(bits: number): number {
  if ((bits & 0x7c00) < 0x7c00) return numberOf(bits, 16, 10, 15)
  return bits & 0x3ff ? NaN : bits & 0x8000 ? -Infinity : Infinity
}

/** What bits of sign, exponent and fraction say where they are a finite number. */
function numberOf(bits: number, width: number, fractionBits: number, bias: number): number {
  const sign = bits >> (width - 1) ? -1 : 1
  const exponent = (bits >> fractionBits) & (2 ** (width - 1 - fractionBits) - 1)
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits
  // Subnormal numbers have no hidden bit and the exponent of the smallest normal ones.
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias)
}

/** What each of the 256 bytes is, in the formats of 8 bits: the letters of PyTorch's float8 dtypes. */
const float8 = {
  /** Finite but for NaN, which is all bits set but the sign. */
  e4m3fn: (bits) => ((bits & 0x7f) === 0x7f ? NaN : numberOf(bits, 8, 3, 7)),
  /** The upper half of float16. */
  e5m2: (bits) => halfOf(bits << 8),
  /** Without infinities and -0, whose bits are NaN. */
  e4m3fnuz: (bits) => (bits === 0x80 ? NaN : numberOf(bits, 8, 3, 8)),
  e5m2fnuz: (bits) => (bits === 0x80 ? NaN : numberOf(bits, 8, 2, 16)),
  /** A power of two: the exponent of a float32, for the scale of a block. */
  e8m0fnu: (bits) => (bits === 0xff ? NaN : 2 ** (bits - 127)),
} as const satisfies Record<string, (bits: number) => number>

function fromFloat8(format: keyof typeof float8) {
  const values = Float32Array.from({ length: 256 }, (_, bits) => float8[format](bits))
  const convert = (buffer: ArrayBuffer) => {
    const bytes = new Uint8Array(buffer)
    const to = new Float32Array(bytes.length)
    for (let i = 0; i < bytes.length; i++) to[i] = values[bytes[i]]
    return to
  }
  return { width: 1, dtype: 'F32', convert } as const
}

/** The upper half of a float32. */
export function fromBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (upper) => upper << 16)
  return new Float32Array(bits.buffer)
}

function fromInt64(buffer: ArrayBuffer, fail: Fail): Int32Array {
  const halves = new Int32Array(buffer)
  const lost = halves.findIndex((upper, i) => i % 2 === 1 && upper !== halves[i - 1] >> 31)
  if (lost >= 0) fail('integers within int32', `${new BigInt64Array(buffer)[(lost - 1) / 2]}`)
  return halves.filter((_, i) => i % 2 === 0)
}

/** Width in bytes and the way to a dtype of the library, for each dtype that can be read. */
export const DTYPES = {
  F32: own('float32'),
  I32: own('int32'),
  U8: own('uint8'),
  F64: { width: 8, dtype: 'F32', convert: fromFloat64 },
  F16: { width: 2, dtype: 'F32', convert: fromFloat16 },
  BF16: { width: 2, dtype: 'F32', convert: fromBfloat16 },
  F8_E4M3: fromFloat8('e4m3fn'),
  F8_E5M2: fromFloat8('e5m2'),
  F8_E4M3FNUZ: fromFloat8('e4m3fnuz'),
  F8_E5M2FNUZ: fromFloat8('e5m2fnuz'),
  F8_E8M0: fromFloat8('e8m0fnu'),
  I64: { width: 8, dtype: 'I32', convert: fromInt64 },
} as const
export type Dtype = keyof typeof DTYPES
