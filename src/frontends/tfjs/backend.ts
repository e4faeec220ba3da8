import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { backend_util, type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core'
import type { Backend, Handle } from '../../internal.js'
import { currentBackend } from '../../internal.js'
import { Entry, isNumeric, type NumericType } from './entry.js'
import { type Shape, sizeOf } from './shape.js'
import { Entries } from './storage.js'

type Values = backend_util.BackendValues

/**
 * TensorFlow.js's backend `neuroblas`. Tensors lie in buffers of the addon, and are read back only when
 * JavaScript asks for their values; kernels that it does not have are those of the backend `cpu`.
 */
export class NeuroblasBackend extends MathBackendCPU {
  /** @internal */
  readonly device: Backend = currentBackend()
  /** @internal */
  declare data: Entries
  readonly #fallbacks = new Map<string, number>()

  /** On neuroblas's own backend: the addon, or JavaScript where that cannot be loaded. */
  constructor() {
    super()
    this.data = new Entries(this)
  }

  /**
   * How often kernels of the backend `cpu` computed, by their names, since the backend was made.
   * @example console.log(tf.backend().fallbacks()) // { NonMaxSuppressionV3: 1 }
   */
  fallbacks(): Record<string, number> {
    return Object.fromEntries(this.#fallbacks)
  }

  /** @internal */
  noteFallback(kernel: string): void {
    this.#fallbacks.set(kernel, (this.#fallbacks.get(kernel) ?? 0) + 1)
  }

  /** The buffer of a tensor's elements, in its dtype; NONE of text and complex numbers. @internal */
  handleOf({ dataId, dtype }: TensorInfo): Handle {
    return isNumeric(dtype) ? this.data.get(dataId).as(dtype) : (0 as Handle)
  }

  /** A tensor of a buffer, which belongs to it from now on. @internal */
  tensorOf(handle: Handle, shape: Shape, dtype: NumericType): TensorInfo {
    const entry = new Entry(this.device, undefined, dtype, 1)
    entry.adopt(handle, dtype, sizeOf(shape))
    return { dataId: this.data.add(entry), shape: shape as number[], dtype }
  }

  /** Another tensor of the same elements. @internal */
  share(x: TensorInfo, shape: Shape = x.shape, dtype: DataType = x.dtype): TensorInfo {
    this.data.get(x.dataId).refCount++
    return { dataId: x.dataId, shape: shape as number[], dtype }
  }

  /** Of values that may be the caller's own: they are copied. */
  override write(values: Values, _shape: number[], dtype: DataType): object {
    const entry = new Entry(this.device, values, dtype, 1)
    if (isNumeric(dtype)) entry.as(dtype)
    return this.data.add(entry)
  }

  /** Of values that a kernel has made, which stay where they are until they are needed elsewhere. */
  override makeTensorInfo(
    shape: number[],
    dtype: DataType,
    values?: Values | string[],
  ): TensorInfo {
    const isText = dtype === 'string' && util.isString(values?.[0] as unknown as string)
    const encoded = isText ? (values as string[]).map((text) => util.encodeString(text)) : values
    const entry = new Entry(this.device, encoded as Values | undefined, dtype, 1)
    return { dataId: this.data.add(entry), shape, dtype }
  }

  /** @internal */
  override move(
    dataId: object,
    values: Values,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    const isComplex = dtype === 'complex64' && values
    const entry = new Entry(this.device, isComplex ? undefined : values, dtype, refCount)
    if (isComplex) {
      const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array)
      entry.complexTensorInfos = {
        real: this.makeTensorInfo(shape, 'float32', real),
        imag: this.makeTensorInfo(shape, 'float32', imag),
      }
    }
    this.data.set(dataId, entry)
  }

  /** Always a copy, which is the caller's own. */
  override readSync(dataId: object): Values {
    const entry = this.data.get(dataId)
    const { dtype } = entry
    if (dtype === 'complex64') return super.readSync(dataId)
    if (!isNumeric(dtype)) return (entry.values as Uint8Array[]).slice()
    if (entry.handle !== 0 && entry.held === dtype) return entry.read() as Values
    return copyAs(dtype, entry.values as ArrayLike<number>)
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true
    const entry = this.data.get(dataId)
    entry.refCount--
    if (!force && entry.refCount > 0) return false
    if (entry.complexTensorInfos) {
      this.disposeData(entry.complexTensorInfos.real.dataId, true)
      this.disposeData(entry.complexTensorInfos.imag.dataId, true)
    }
    this.data.delete(dataId)
    entry.release()
    return true
  }

  /** With what the device holds for this thread, in bytes: `numBytesInBuffers`. */
  override memory(): ReturnType<MathBackendCPU['memory']> & Record<'numBytesInBuffers', number> {
    return { ...super.memory(), numBytesInBuffers: this.device.memory().live }
  }
}

/** A copy in the array class of the dtype. */
function copyAs(dtype: NumericType, values: ArrayLike<number>): Values {
  if (dtype === 'float32') return Float32Array.from(values)
  return dtype === 'int32' ? Int32Array.from(values) : Uint8Array.from(values)
}
