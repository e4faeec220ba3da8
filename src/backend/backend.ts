/**
 * The interface of a backend. All that passes it are numbers and typed arrays: shapes, gradients
 * and the errors that a user reads are made above it, memory and arithmetic below it.
 */

import type { DType, TypedArray } from './dtype.js'
import type { Handle, KernelArgs, KernelName } from './kernels.js'
import type { Part, Plan, Program, Turn } from './program.js'
import type { Tape } from './tape.js'

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

export interface Backend {
  readonly name: 'native' | 'js'
  /** A buffer with undefined content. Throws OutOfMemoryError. */
  alloc(length: number, dtype: DType): Handle
  /**
   * A handle of its own for `length` elements of a buffer from `offset` on, to be released as any other.
   * The memory stays for as long as the view; `memory()` does not count it. Throws KernelError when the
   * buffer is shorter.
   */
  view(handle: Handle, offset: number, length: number): Handle
  release(handle: Handle): void
  /**
   * Has the buffer released when the owner is collected, unless it is released or disowned before. A call
   * may first release buffers of other owners that were collected: numbers of handles are to be
   * asked of their tensors after it.
   */
  own(handle: Handle, owner: object): void
  /** Leaves the release of a buffer to the caller again. */
  disown(handle: Handle): void
  /** Copies src to the buffer's elements from offset on; the element types must agree. */
  write(handle: Handle, src: TypedArray, offset?: number): void
  /** Fills dst from the buffer's elements from offset on. */
  read(handle: Handle, dst: TypedArray, offset?: number): void
  /** Runs one kernel now. Throws KernelError when an extent or an index does not fit. */
  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void
  memory(): MemoryUse
  /** Gives memory kept for reuse back to the system; how many bytes. */
  trim(): number
  /** The tape in the form that this backend computes fastest, with the same results but for rounding. */
  rewrite(tape: Tape): Tape
  /**
   * Makes a plan ready to run. It is disposed of when the owner is collected, unless it was before. Throws
   * KernelError, OutOfMemoryError.
   */
  compile(plan: Plan, owner?: object): Program
  /**
   * Runs programs beside JavaScript, each a part of it, turn after turn with nothing in between. How far
   * each came, it says itself. Throws KernelError.
   */
  runInTurns(parts: readonly Part[], turns: readonly Turn[]): Promise<void>
}
