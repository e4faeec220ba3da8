/**
 * Typed arrays behind integer handles: a table of generations over a pool of arrays by exact
 * length, so that a loop whose shapes repeat allocates nothing. The counterpart of
 * native/buffers.cc; a handle is slot + generation·2^22 in both.
 */
import { totalmem } from 'node:os'
import { KernelError, OutOfMemoryError } from '../../base/errors.js'
import type { MemoryUse } from '../backend.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'
import type { Handle } from '../kernels.js'

const SLOTS = 2 ** 22
const LAST_GENERATION = 2 ** 31 - 1
// Released memory beyond this is left to the garbage collector.
const POOL_LIMIT = 512 * 2 ** 20

export class Buffers {
  readonly memory: MemoryUse = { live: 0, pooled: 0, peak: 0, buffers: 0 }
  private readonly arrays: (TypedArray | undefined)[] = []
  private readonly generations: number[] = []
  private readonly freeSlots: number[] = []
  private readonly pools = Object.fromEntries(
    Object.keys(dtypes).map((dtype) => [dtype, new Map<number, TypedArray[]>()]),
  ) as Record<DType, Map<number, TypedArray[]>>
  // The system may promise memory it does not have and kill the process when it is touched.
  private readonly limit = totalmem()

  /** Buffers of runs under way, by the number of these, and those released meanwhile. */
  private readonly held = new Map<Handle, number>()
  private readonly released = new Set<Handle>()
  /** Set while a program computes, which may use what it holds. */
  entered = false

  /** The handle of an array with undefined content. */
  allocate(length: number, dtype: DType): Handle {
    if (!(Number.isSafeInteger(length) && length >= 0) || !Object.hasOwn(this.pools, dtype)) {
      throw new KernelError(`alloc: expected a length and a dtype, got ${length} and ${dtype}`)
    }
    const array = this.pools[dtype].get(length)?.pop()
    if (array !== undefined) this.memory.pooled -= array.byteLength
    return this.enter(array ?? this.create(length, dtype))
  }

  /** False when the handle is not a buffer in use. */
  release(handle: Handle): boolean {
    const array = this.find(handle)
    if (array === undefined || this.released.has(handle)) return false
    if (this.held.has(handle)) {
      this.released.add(handle)
      return true
    }
    const generation = Math.floor(handle / SLOTS)
    const slot = handle - generation * SLOTS
    this.arrays[slot] = undefined
    // A slot whose generations are used up is retired: a handle is never given out twice.
    if (generation < LAST_GENERATION) {
      this.generations[slot] = generation + 1
      this.freeSlots.push(slot)
    }
    this.memory.live -= array.byteLength
    this.memory.buffers--
    this.keep(array)
    return true
  }

  /** Undefined when the handle is stale, NaN, negative, fractional or was never given out. */
  find(handle: Handle): TypedArray | undefined {
    const generation = Math.floor(handle / SLOTS)
    const slot = handle - generation * SLOTS
    return this.generations[slot] === generation ? this.arrays[slot] : undefined
  }

  dtypeOf(array: TypedArray): DType {
    if (array instanceof Float32Array) return 'float32'
    if (array instanceof Float64Array) return 'float64'
    if (array instanceof Int32Array) return 'int32'
    return array instanceof BoolArray ? 'bool' : 'uint8'
  }

  /** Keeps these buffers for a run. */
  hold(handles: readonly Handle[]): void {
    for (const handle of handles) this.held.set(handle, (this.held.get(handle) ?? 0) + 1)
  }

  /** Ends that, and releases those that were to be released meanwhile. */
  letGo(handles: readonly Handle[]): void {
    for (const handle of handles) {
      const count = this.held.get(handle)! - 1
      if (count > 0) this.held.set(handle, count)
      else this.held.delete(handle)
      if (count === 0 && this.released.delete(handle)) this.release(handle)
    }
  }

  /** Whether a run under way holds the buffer, and something else asks. */
  isBusy(handle: Handle): boolean {
    return this.held.size > 0 && !this.entered && this.held.has(handle)
  }

  private enter(array: TypedArray): Handle {
    const slot = this.freeSlots.pop() ?? this.arrays.length
    if (slot === this.arrays.length) {
      if (slot === SLOTS) throw new OutOfMemoryError(`alloc: ${SLOTS} buffers are in use`)
      this.arrays.push(undefined)
      this.generations.push(0)
    }
    this.arrays[slot] = array
    const memory = this.memory
    memory.live += array.byteLength
    memory.peak = Math.max(memory.peak, memory.live)
    memory.buffers++
    return (slot + this.generations[slot] * SLOTS) as Handle
  }

  private create(length: number, dtype: DType): TypedArray {
    const { bytes, array } = dtypes[dtype]
    if (this.memory.live + length * bytes <= this.limit) {
      try {
        return dtype === 'bool' ? new BoolArray(length) : new array(length)
      } catch {
        // A RangeError: longer than arrays can be, or no memory.
      }
    }
    throw new OutOfMemoryError(`alloc: no memory for ${length} elements`)
  }

  private keep(array: TypedArray): void {
    const memory = this.memory
    // Lengths that no longer occur would fill the pool for ever, so it starts anew.
    if (memory.pooled + array.byteLength > POOL_LIMIT) {
      for (const pool of Object.values(this.pools)) pool.clear()
      memory.pooled = 0
      if (array.byteLength > POOL_LIMIT) return
    }
    const pool = this.pools[this.dtypeOf(array)]
    const arrays = pool.get(array.length)
    if (arrays === undefined) pool.set(array.length, [array])
    else arrays.push(array)
    memory.pooled += array.byteLength
  }
}

/** Elements of dtype bool: what tells them from uint8. */
export class BoolArray extends Uint8Array {}
