/**
 * What stands behind one data id: values in JavaScript or a buffer of the device, and only one of the two
 * is the authority. Buffers are released with the entry, or when it is collected.
 */

import type { backend_util, DataType, TensorInfo } from '@tensorflow/tfjs-core'
import type { Backend, Handle, TypedArray } from '../../internal.js'
import { dtypes } from '../../internal.js'

/** No buffer; handles begin with 1. */
export const NONE = 0 as Handle

/** The dtypes of TensorFlow.js that are computed with. */
export type NumericType = 'float32' | 'int32' | 'bool'

export function isNumeric(dtype: DataType): dtype is NumericType {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
}

/** The dtype that the array itself holds; the declared one where it says nothing (number[]). */
function heldBy(values: ArrayLike<unknown>, declared: NumericType): NumericType {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Int32Array) return 'int32'
  return values instanceof Uint8Array ? 'bool' : declared
}

export class Entry {
  /** The parts of a complex64 tensor. */
  complexTensorInfos: { real: TensorInfo; imag: TensorInfo } | undefined = undefined
  /** The buffer that is the authority, or NONE: then the values are. */
  handle: Handle = NONE
  /** What the buffer holds; `dtype` says what the tensor is. */
  held: NumericType = 'float32'
  length = 0
  /** The places of the largest elements that a pool chose, for its gradient. */
  places: Handle = NONE
  #values: backend_util.BackendValues | undefined
  /** A copy of the buffer, for kernels in JavaScript. */
  #copy: TypedArray | undefined = undefined
  /** The same elements in another dtype. */
  #cast: { handle: Handle; dtype: NumericType } | undefined = undefined

  constructor(
    readonly device: Backend,
    values: backend_util.BackendValues | undefined,
    readonly dtype: DataType,
    public refCount: number,
  ) {
    this.#values = values
  }

  /** What kernels in JavaScript read; they may write to what they have just made. */
  get values(): backend_util.BackendValues | undefined {
    if (this.handle === NONE) return this.#values
    this.#copy ??= this.read()
    return this.#copy as backend_util.BackendValues
  }

  /** Makes a buffer, which is this entry's own from now on, the authority. */
  adopt(handle: Handle, held: NumericType, length: number): void {
    this.handle = handle
    this.held = held
    this.length = length
    this.#values = undefined
    this.device.own(handle, this)
  }

  /** A fresh copy of the buffer. */
  read(): TypedArray {
    const values = new dtypes[this.held].array(this.length)
    this.device.read(this.handle, values)
    return values
  }

  /** The buffer with elements of this dtype, or NONE where there is none: text, complex numbers. */
  as(dtype: NumericType): Handle {
    if (this.handle === NONE && !this.#upload()) return NONE
    if (this.held === dtype) return this.handle
    if (this.#cast?.dtype !== dtype) {
      const handle = this.device.alloc(this.length, dtype)
      this.device.run('cast', this.handle, handle, this.length)
      this.device.own(handle, this)
      this.#releaseCast()
      this.#cast = { handle, dtype }
    }
    return this.#cast.handle
  }

  /** The places that a pool chose are its own from now on. */
  keepPlaces(places: Handle): void {
    this.places = places
    this.device.own(places, this)
  }

  release(): void {
    if (this.handle !== NONE) this.device.release(this.handle)
    if (this.places !== NONE) this.device.release(this.places)
    this.#releaseCast()
    this.handle = NONE
    this.places = NONE
    this.#copy = undefined
    this.#values = undefined
  }

  #releaseCast(): void {
    if (this.#cast) this.device.release(this.#cast.handle)
    this.#cast = undefined
  }

  #upload(): boolean {
    const values = this.#values
    if (!isNumeric(this.dtype) || values === undefined || values === null) return false
    const held = heldBy(values, this.dtype)
    const array = dtypes[held].array
    // As typed arrays of this realm: another one's, or number[], are copied first.
    const given = values instanceof array ? values : array.from(values as ArrayLike<number>)
    const handle = this.device.alloc(given.length, held)
    this.device.write(handle, given as TypedArray)
    this.adopt(handle, held, given.length)
    return true
  }
}

/** Names the data of a tensor that this backend made; holds its entry while there is one. */
export class DataId {
  entry: Entry | undefined

  constructor(entry: Entry) {
    this.entry = entry
  }
}
