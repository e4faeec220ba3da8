/**
 * Typed arrays behind integer handles: a table of generations over a pool of arrays by exact
 * length, so that a loop whose shapes repeat allocates nothing. The counterpart of
 * native/buffers.cc; a handle is slot + generation·2^22 in both, from 1 on, and a view is a handle of
 * its own for part of another buffer, its root.
 */
import { availableMemory, outOfMemory } from '../../base/availableMemory.js'
import { KernelError, OutOfMemoryError } from '../../base/errors.js'
import type { MemoryUse } from '../backend.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'
import type { Handle } from '../kernels.js'

const SLOTS = 2 ** 22
const LAST_GENERATION = 2 ** 31 - 1
// Released memory beyond this, or beyond a part of what is available, is left to the garbage collector.
const POOL_LIMIT = 512 * 2 ** 20

/** Elements of dtype bool: what tells them from uint8. */
export class BoolArray extends Uint8Array {}

interface Slot {
  readonly index: number
  generation: number
  /** Whether it is released when its owner is collected. */
  isOwned: boolean
  /** Undefined: the slot is free. */
  array: TypedArray | undefined
  /** The slot whose memory it is: its own or, for a view, that of its root. */
  root: Slot
  /** Programs and views that need it. */
  pins: number
  /** Released while it was pinned: it goes with the last pin. */
  released: boolean
  /** Of a root: buffers and views of it that running programs write, and that they only read. */
  written: number
  readers: number
}

/** Buffers that a running program uses, and whether it writes them. */
export type Holds = ReadonlyMap<Handle, boolean>

export class Buffers {
  readonly memory: MemoryUse = { live: 0, pooled: 0, peak: 0, buffers: 0 }
  /** Set while a program computes, which may use what it holds. */
  entered = false
  private readonly slots: Slot[] = []
  private readonly freeSlots: Slot[] = []
  private readonly pools = Object.fromEntries(
    Object.keys(dtypes).map((dtype) => [dtype, new Map<number, TypedArray[]>()]),
  ) as Record<DType, Map<number, TypedArray[]>>
  /** Bytes that may be taken before the system is asked again how many there are. */
  private budget = 0
  private poolLimit = POOL_LIMIT
  // It frees nothing before the job ends: JavaScript alone has no means to see within a job what was
  // collected, so that a loop without scopes that never pauses keeps all it makes.
  private readonly collected = new FinalizationRegistry<Handle>((handle) => this.release(handle))

  /** The handle of an array with undefined content. */
  allocate(length: number, dtype: DType): Handle {
    if (!(Number.isSafeInteger(length) && length >= 0) || !Object.hasOwn(this.pools, dtype)) {
      throw new KernelError(`alloc: expected a length and a dtype, got ${length} and ${dtype}`)
    }
    const pooled = this.pools[dtype].get(length)?.pop()
    if (pooled !== undefined) this.memory.pooled -= pooled.byteLength
    const array = pooled ?? this.create(length, dtype)
    const handle = this.enter(array)
    const memory = this.memory
    memory.live += array.byteLength
    memory.peak = Math.max(memory.peak, memory.live)
    memory.buffers++
    return handle
  }

  /** The handle of `length` elements of a buffer from `offset` on. */
  view(handle: Handle, offset: number, length: number): Handle {
    const of = this.slot(handle)
    if (of?.array === undefined) throw new KernelError('view: the handle is not a buffer in use')
    const isSize = (x: number) => Number.isSafeInteger(x) && x >= 0
    if (!isSize(offset) || !isSize(length)) {
      throw new KernelError(`view: expected an offset and a length, got ${offset} and ${length}`)
    }
    if (offset + length > of.array.length) {
      throw new KernelError(`view: elements past the end of a buffer of ${of.array.length}`)
    }
    const view = this.enter(of.array.subarray(offset, offset + length), of.root)
    of.root.pins++
    return view
  }

  /** False when the handle is not a buffer in use. */
  release(handle: Handle): boolean {
    const slot = this.slot(handle)
    if (slot === undefined) return false
    if (slot.isOwned) this.collected.unregister(slot)
    slot.isOwned = false
    if (slot.pins > 0) slot.released = true
    else this.free(slot)
    return true
  }

  /** Releases the buffer when the owner is collected; false when the handle is not a buffer in use. */
  own(handle: Handle, owner: object): boolean {
    const slot = this.slot(handle)
    if (slot === undefined) return false
    if (slot.isOwned) this.collected.unregister(slot)
    this.collected.register(owner, handle, slot)
    slot.isOwned = true
    return true
  }

  /** Ends that. */
  disown(handle: Handle): boolean {
    const slot = this.slot(handle)
    if (slot === undefined) return false
    if (slot.isOwned) this.collected.unregister(slot)
    slot.isOwned = false
    return true
  }

  /** Leaves what is kept for reuse to the garbage collector; how many bytes. */
  trim(): number {
    const { pooled } = this.memory
    for (const pool of Object.values(this.pools)) pool.clear()
    this.memory.pooled = 0
    return pooled
  }

  /** Undefined when the handle is stale, NaN, negative, fractional or was never given out. */
  find(handle: Handle): TypedArray | undefined {
    return this.slot(handle)?.array
  }

  dtypeOf(array: TypedArray): DType {
    if (array instanceof Float32Array) return 'float32'
    if (array instanceof Float64Array) return 'float64'
    if (array instanceof Int32Array) return 'int32'
    return array instanceof BoolArray ? 'bool' : 'uint8'
  }

  /** Keeps a buffer although its handle may be released. */
  pin(handle: Handle): void {
    const slot = this.slot(handle)
    if (slot === undefined) throw new KernelError('program: a buffer of it is not in use')
    slot.pins++
  }

  unpin(handle: Handle): void {
    const slot = this.slots[handle % SLOTS]
    if (--slot.pins === 0 && slot.released) this.free(slot)
  }

  /**
   * Keeps these buffers, which are in use or pinned, for a run: all of them or, where other runs exclude
   * this, none (false).
   */
  occupy(holds: Holds): boolean {
    for (const [handle, writes] of holds) if (this.isBusy(handle, writes)) return false
    for (const [handle, writes] of holds) {
      const slot = this.slots[handle % SLOTS]
      slot.pins++
      const { root } = slot
      // A run may use several views of the same memory.
      if (writes) root.written++
      else root.readers++
    }
    return true
  }

  /** Ends that. */
  vacate(holds: Holds): void {
    for (const [handle, writes] of holds) {
      const { root } = this.slots[handle % SLOTS]
      if (writes) root.written--
      else root.readers--
      this.unpin(handle)
    }
  }

  /** Whether a run under way excludes this use of a buffer, and something else asks. */
  isBusy(handle: Handle, writes: boolean): boolean {
    if (this.entered) return false
    const { root } = this.slots[handle % SLOTS]
    return root.written > 0 || (writes && root.readers > 0)
  }

  /** Undefined for a released one, unless a program computes, which may have it still. */
  private slot(handle: Handle): Slot | undefined {
    const slot = this.slots[handle % SLOTS]
    if (slot?.array === undefined || slot.generation !== Math.floor(handle / SLOTS))
      return undefined
    return slot.released && !this.entered ? undefined : slot
  }

  private enter(array: TypedArray, root?: Slot): Handle {
    const slot = this.freeSlots.pop() ?? this.addSlot()
    slot.array = array
    slot.root = root ?? slot
    return (slot.index + slot.generation * SLOTS) as Handle
  }

  private addSlot(): Slot {
    // The first is never used: 0 is no handle.
    const index = Math.max(this.slots.length, 1)
    if (index === SLOTS) throw new OutOfMemoryError(`alloc: ${SLOTS} buffers are in use`)
    const slot = { index, generation: 0, pins: 0, released: false, written: 0, readers: 0 }
    const unused = { isOwned: false, array: undefined, root: slot as unknown as Slot }
    this.slots[index] = Object.assign(slot, unused)
    return this.slots[index]
  }

  private free(slot: Slot): void {
    const { array, root } = slot
    slot.array = undefined
    slot.released = false
    // A slot whose generations are used up is retired: a handle is never given out twice.
    if (slot.generation++ < LAST_GENERATION) this.freeSlots.push(slot)
    if (root === slot) {
      this.memory.live -= array!.byteLength
      this.memory.buffers--
      this.keep(array!)
    } else if (--root.pins === 0 && root.released) this.free(root)
  }

  private create(length: number, dtype: DType): TypedArray {
    const bytes = length * dtypes[dtype].bytes
    if (!this.reserve(bytes) && (this.trim() === 0 || !this.reserve(bytes))) {
      throw outOfMemory('alloc', `${length} elements of ${dtype}`, bytes)
    }
    const type = dtype === 'bool' ? BoolArray : dtypes[dtype].array
    try {
      // Touched at once: what was only promised the system still counts as available.
      return new type(length).fill(0)
    } catch (error) {
      // A RangeError: longer than arrays can be, or no memory.
      throw new OutOfMemoryError(`alloc: no memory for ${length} elements`, { cause: error })
    }
  }

  /** Whether there is so much memory; the system would promise more, and kill who touches it. */
  private reserve(bytes: number): boolean {
    if (bytes > this.budget) {
      const { available } = availableMemory()
      this.poolLimit = Math.min(POOL_LIMIT, available / 8)
      if (bytes > available) return false
      // Others take memory, too: after a part of it the system is asked again.
      this.budget = Math.max(bytes, available / 8)
    }
    this.budget -= bytes
    return true
  }

  private keep(array: TypedArray): void {
    const memory = this.memory
    // Lengths that no longer occur would fill the pool for ever, so it starts anew.
    if (memory.pooled + array.byteLength > this.poolLimit) {
      this.trim()
      if (array.byteLength > this.poolLimit) return
    }
    const pool = this.pools[this.dtypeOf(array)]
    const arrays = pool.get(array.length)
    if (arrays === undefined) pool.set(array.length, [array])
    else arrays.push(array)
    memory.pooled += array.byteLength
  }
}
