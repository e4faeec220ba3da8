/**
 * What a kernel is in JavaScript: a function over typed arrays, its parameter list derived from the
 * kernel table. The counterpart of native/kernel.h, without its checks of extents: a typed array
 * ignores what lies outside it, so wrong extents give wrong numbers here but harm nothing else, and
 * ops have checked the shapes before. Index data is checked, because it comes from users.
 */
import { KernelError } from '../../base/errors.js'
import type { TypedArray } from '../dtype.js'
import type { KernelName, kernels } from '../kernels.js'

/** The backend's float, 32 or 64 bits wide. Arithmetic is in doubles, rounded when stored. */
export type Floats = Float32Array | Float64Array

/** What arithmetic is done with. */
export type Numbers = Floats | Int32Array

/** What a kernel gets for each dtype that its row names. */
interface Arrays {
  F: Floats
  N: Numbers
  T: TypedArray
  S: TypedArray
  int32: Int32Array
  float64: Float64Array
  uint8: Uint8Array
  bool: Uint8Array
}

type DecodedRow<Row> = Row extends `${string}:${string}:${infer D extends keyof Arrays}`
  ? Arrays[D]
  : number
type DecodedRows<Rows extends readonly string[]> = {
  [I in keyof Rows]: DecodedRow<Rows[I]>
}
export type JsKernel<K extends KernelName> = (...args: DecodedRows<(typeof kernels)[K]>) => void

/** Refuses an index outside [0, limit); `argument` is `kernel: name`. */
export function checkIndices(
  argument: string,
  indices: Int32Array,
  count: number,
  limit: number,
): void {
  for (let i = 0; i < count; i++) {
    const index = indices[i]
    if (index < 0 || index >= limit) {
      throw new KernelError(
        `${argument}[${i}]: expected an index from 0 to below ${limit}, got ${index}`,
      )
    }
  }
}
