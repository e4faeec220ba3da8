/** Element types. */

/** Element types of a buffer. float32 stands for the backend's float, which JS can widen to 64 bits. */
export type DType = 'float32' | 'int32' | 'uint8'

/** float32 is what everything computes in; float64 exists on the JS backend, for gradient checks. */
export type Precision = 'float32' | 'float64'

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array
