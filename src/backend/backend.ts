/**
 * The seam: what every backend does, in numbers only. Shapes, gradients and errors a user reads are
 * made above it; memory and arithmetic below it.
 */
import type { Plan } from '../capture/plan.js'
import type { Handle, KernelArgs, KernelName } from './kernels.js'

/** Element types of a buffer. float32 stands for the backend's float, which JS can widen to 64 bits. */
export type DType = 'float32' | 'int32' | 'uint8'

/** float32 is what everything computes in; float64 exists on the JS backend, for gradient checks. */
export type Precision = 'float32' | 'float64'

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

/** Bytes and buffers of one backend in this thread. */
export interface MemoryUse {
  /** Bytes of buffers in use. */
  live: number
  /** Bytes kept for reuse. */
  pooled: number
  /** Largest value of `live` so far. */
  peak: number
  /** Number of buffers in use. */
  buffers: number
}

/** Row `pass` of a table goes into a cell before each pass, or out of it after each pass. */
export interface Transfer {
  readonly direction: 'feed' | 'collect'
  /** [passes, width] */
  readonly table: Handle
  readonly cell: Handle
  readonly width: number
}

/** A compiled plan. While it runs, the buffers that it uses cannot be used otherwise. */
export interface Program {
  /** Runs on this thread and its helpers; returns the passes done. Throws KernelError. */
  runSync(passes: number, transfers: readonly Transfer[]): number
  /** Runs beside JavaScript. */
  run(passes: number, transfers: readonly Transfer[]): Promise<number>
  /** Stops a run after the pass that is being computed. */
  cancel(): void
  /** Passes done of the run under way, or else of the last one; 0 where that was refused. */
  progress(): number
  dispose(): void
}

export interface Backend {
  readonly name: 'native' | 'js'
  readonly precision: Precision
  /** Whether products with weights in panels are faster than with rows. */
  readonly prefersPanels: boolean
  /** A buffer with undefined content. Throws OutOfMemoryError. */
  alloc(length: number, dtype: DType): Handle
  release(handle: Handle): void
  /** Copies src to the buffer's elements from offset on; the element types must agree. */
  write(handle: Handle, src: TypedArray, offset?: number): void
  /** Fills dst from the buffer's elements from offset on. */
  read(handle: Handle, dst: TypedArray, offset?: number): void
  /** Runs one kernel now. Throws KernelError when an extent or an index does not fit. */
  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void
  memory(): MemoryUse
  /** Makes a plan ready to run. Throws KernelError, OutOfMemoryError. */
  compile(plan: Plan): Program
}
