/**
 * The element types of buffers and tensors, in one table. The addon has the same (native/dtype.h) and
 * is compared with it when it is loaded.
 */

/** A row's position is the dtype's code. `safetensors` is its name in files of that format. */
const rows = [
  { name: 'float32', bytes: 4, isFloat: true, array: Float32Array, safetensors: 'F32' },
  { name: 'float64', bytes: 8, isFloat: true, array: Float64Array, safetensors: 'F64' },
  { name: 'int32', bytes: 4, isFloat: false, array: Int32Array, safetensors: 'I32' },
  { name: 'uint8', bytes: 1, isFloat: false, array: Uint8Array, safetensors: 'U8' },
  // 0 is false, everything else true.
  { name: 'bool', bytes: 1, isFloat: false, array: Uint8Array, safetensors: 'BOOL' },
] as const

type Row = (typeof rows)[number]
/**
 * The dtypes of a tensor. `float32` is what networks are computed in. `float64` is for gradient
 * checks: it is computed with on the JavaScript backend alone; natively such a tensor can be
 * filled, copied, cast and indexed. `int32` holds labels, indices and counts, and is computed with
 * where the results are whole numbers, and sorted, too; `uint8` holds the bytes of images, `bool` 0 and 1,
 * for the logical operations. All of them can be compared, moved, indexed, reshaped, sliced, joined and cast.
 *
 * @useDeclaredType
 */
export type DType = Row['name']
/**
 * Those that gradients are computed in.
 *
 * @useDeclaredType
 */
export type FloatDType = Extract<Row, { isFloat: true }>['name']
/** Those that numbers are added and multiplied in. */
export type NumericDType = FloatDType | 'int32'
type Arrays = { [R in Row as R['name']]: R['array']['prototype'] }
/** The typed array that holds elements of a dtype. */
export type ArrayOf<D extends DType> = D extends DType ? Arrays[D] : never
export type TypedArray = ArrayOf<DType>

export interface DTypeFacts {
  readonly name: DType
  /** Its position in the table, which stands for it where only numbers go. */
  readonly code: number
  /** Of one element. */
  readonly bytes: number
  readonly isFloat: boolean
  readonly array: {
    readonly name: string
    new (length: number): TypedArray
    new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray
    from(values: ArrayLike<number>): TypedArray
  }
  readonly safetensors: string
}

/** The table by name, in its order. */
export const dtypes = Object.fromEntries(
  rows.map((row, code) => [row.name, { ...row, code }]),
) as unknown as Readonly<Record<DType, DTypeFacts>>

/** Whether gradients and arithmetic are computed in it. */
export function isFloat(dtype: DType): dtype is FloatDType {
  return dtypes[dtype].isFloat
}

/** Whether numbers are added and multiplied in it. */
export function isNumeric(dtype: DType): dtype is NumericDType {
  return isFloat(dtype) || dtype === 'int32'
}
