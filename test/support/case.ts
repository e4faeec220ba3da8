/**
 * What a call of a kernel is in the parity test, before there are buffers.
 */
import type { DType, TypedArray } from '../../lib/backend/dtype.js'

/** A result buffer of that many elements, never written before. */
export interface Out {
  out: number
  dtype: DType
}
/** Elements whose dtype their array does not tell. */
export interface Data {
  data: TypedArray
  dtype: DType
}
/** The buffer of an earlier argument: the result goes over an input. */
export interface Alias {
  alias: number
}
export type Arg = number | TypedArray | Data | Out | Alias
export type Cases = Iterable<Arg[]>

export const out = (length: number, dtype: DType = 'float32'): Out => ({ out: length, dtype })

function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32'
  if (array instanceof Float64Array) return 'float64'
  return array instanceof Int32Array ? 'int32' : 'uint8'
}

/** The buffer that an argument asks for, and what it holds at first; undefined: anything. */
export function bufferOf(arg: TypedArray | Data | Out): {
  dtype: DType
  length: number
  data: TypedArray | undefined
} {
  if (ArrayBuffer.isView(arg)) return { dtype: dtypeOf(arg), length: arg.length, data: arg }
  if ('data' in arg) return { ...arg, length: arg.data.length }
  return { dtype: arg.dtype, length: arg.out, data: undefined }
}
