/**
 * What a call of a kernel is in the parity test, before there are buffers.
 */
import type { DType, TypedArray } from '../../lib/backend/dtype.js'

/** A result buffer of that many elements, never written before. */
export interface Out {
  out: number
  dtype: DType
}
/** The buffer of an earlier argument: the result goes over an input. */
export interface Alias {
  alias: number
}
export type Arg = number | TypedArray | Out | Alias
export type Cases = Iterable<Arg[]>

export const out = (length: number, dtype: DType = 'float32'): Out => ({ out: length, dtype })
