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

/** Width in bytes and the way to a dtype of the library, for each dtype that can be read. */
export const DTYPES = {
  F32: own('float32'),
  I32: own('int32'),
  U8: own('uint8'),
  F64: { width: 8, dtype: 'F32', convert: fromFloat64 },
  F16: { width: 2, dtype: 'F32', convert: fromFloat16 },
  BF16: { width: 2, dtype: 'F32', convert: fromBfloat16 },
  I64: { width: 8, dtype: 'I32', convert: fromInt64 },
} as const
export type Dtype = keyof typeof DTYPES

function fromFloat64(buffer: ArrayBuffer, fail: Fail): Float32Array {
  const from = new Float64Array(buffer)
  const to = Float32Array.from(from)
  const lost = to.findIndex((value, i) => Math.abs(value) === Infinity && Number.isFinite(from[i]))
  return lost < 0 ? to : fail('values within float32', `${from[lost]}`)
}

/** Half precision: sign, 5 bits of exponent (bias 15), 10 of fraction (IEEE 754 binary16). */
function fromFloat16(buffer: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint16Array(buffer), (bits) => {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 0x1f
    const fraction = bits & 0x3ff
    if (exponent === 0x1f) return fraction ? NaN : sign * Infinity
    // Subnormal numbers have no hidden bit and the exponent of the smallest normal ones.
    return exponent === 0
      ? sign * fraction * 2 ** -24
      : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
}

/** The upper half of a float32. */
function fromBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (upper) => upper << 16)
  return new Float32Array(bits.buffer)
}

function fromInt64(buffer: ArrayBuffer, fail: Fail): Int32Array {
  const halves = new Int32Array(buffer)
  const lost = halves.findIndex((upper, i) => i % 2 === 1 && upper !== halves[i - 1] >> 31)
  if (lost >= 0) fail('integers within int32', `${new BigInt64Array(buffer)[(lost - 1) / 2]}`)
  return halves.filter((_, i) => i % 2 === 0)
}
