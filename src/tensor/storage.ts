/**
 * Ownership of memory. A buffer made inside a scope belongs to it and is freed at its end unless it
 * is returned; one made outside any scope is freed when its last tensor is garbage collected, or by
 * `dispose()`.
 */
import type { Backend } from '../backend/backend.js'
import type { DType } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { noteChange } from '../backend/reads.js'
import { isRecording, noteMemory, noteRead, recorded, underneath } from '../backend/record.js'
import { ReleasedTensorError, StaleTensorError } from '../base/errors.js'
import { isAnyTrained, refuseTrained } from './locks.js'

// Handles are never 0.
const released = 0 as Handle

/** Where the handle of a storage comes from that does not allocate a buffer of its own. */
type Source =
  /** A buffer that somebody else frees, who is not collected before the tensors that show it. */
  | { readonly handle: Handle; readonly lender: object }
  /** A view of the buffer of another storage; freeing it leaves that one as it is. */
  | { readonly handle: Handle; readonly root: Storage }

/** One buffer of a backend, shared by the tensors that show it. */
export class Storage {
  /** Tensors that still use it. */
  references = 1
  owner: Scope | null = null
  readonly #backend: Backend
  /** The backend, or the recorder that gave the buffer its name. */
  readonly #allocator: Backend
  #handle: Handle
  #state: 'owned' | 'borrowed' | 'stale' = 'owned'
  readonly #source: Source | undefined
  #version = 0
  /** Whether a captured function uses it. */
  #isReplayed = false

  constructor(
    backend: Backend,
    readonly dtype: DType,
    readonly length: number,
    source?: Source,
  ) {
    this.#backend = underneath(backend)
    this.#allocator = backend
    this.#source = source
    this.#handle = source?.handle ?? backend.alloc(length, dtype)
    if (source && 'lender' in source) {
      this.#state = 'borrowed'
      return
    }
    if (innermost) innermost.adopt(this)
    else backend.own(this.#handle, this)
  }

  /** Where the buffer is; while that backend is recorded, its recorder. */
  get backend(): Backend {
    return recorded(this.#backend)
  }

  /**
   * Raised by every write in place, so that backward notices a saved value that changed; a view has
   * that of the buffer it is part of.
   */
  get version(): number {
    return this.#root.#version
  }
  set version(value: number) {
    this.#root.#version = value
  }

  /** What stands for the memory in locks: the same for all that is part of it, or lent by the same. */
  get memory(): object {
    return this.#source && 'lender' in this.#source ? this.#source.lender : this.#root
  }

  get #root(): Storage {
    return this.#source && 'root' in this.#source ? this.#source.root : this
  }

  /** The elements from `offset` on, as a view that keeps the buffer in place until it is released. */
  part(offset: number, length: number): Storage {
    const { backend } = this
    const handle = backend.view(this.handle, offset, length)
    return new Storage(backend, this.dtype, length, { handle, root: this.#root })
  }

  get released(): boolean {
    return this.#handle === released
  }

  /** Whether `handle` gives the buffer. */
  get isUsable(): boolean {
    return this.#state !== 'stale' && !this.released
  }

  /** Whether it was made while a captured function was recorded. */
  get isRecorded(): boolean {
    return this.#allocator !== this.#backend
  }

  /** The backend's name for the buffer. Throws ReleasedTensorError when it was freed, BusyError. */
  get handle(): Handle {
    if (this.#state === 'stale') {
      throw new StaleTensorError(
        'tensor: a later call of the captured function overwrote it; read results before, or clone() them',
      )
    }
    if (this.#handle === released) {
      throw new ReleasedTensorError(
        'tensor: it was released (by dispose(), or at the end of the scope it was made in)',
      )
    }
    if (isAnyTrained()) refuseTrained('tensor', this.memory)
    if (isRecording() && !this.isRecorded) {
      this.#isReplayed = true
      noteRead(this, 'isUsable', true)
      noteMemory(this.#handle, this.memory)
    }
    return this.#handle
  }

  /** Marks a borrowed buffer as overwritten by its owner. */
  expire(): void {
    this.#state = 'stale'
    if (this.#isReplayed) noteChange()
  }

  release(): void {
    if (this.#handle === released || this.#state !== 'owned') return
    // What is to live as long as this buffer must not go to a scope that has ended.
    this.owner = null
    const handle = this.#handle
    this.#handle = released
    this.#allocator.release(handle)
    if (this.#isReplayed) noteChange()
  }

  /** Hands the buffer to another owner; null is the garbage collector. */
  moveTo(owner: Scope | null): void {
    if (owner === this.owner || this.#handle === released || this.#state !== 'owned') return
    if (this.owner === null) this.#allocator.disown(this.#handle)
    if (owner) owner.adopt(this)
    else {
      this.owner = null
      this.#allocator.own(this.#handle, this)
    }
  }
}

/** The buffers made since a scope began. */
export class Scope {
  readonly #storages: Storage[] = []

  /** @param limit at how many storages those released meanwhile are forgotten, which ends all marks */
  constructor(private limit = 1000) {}

  adopt(storage: Storage): void {
    if (this.#storages.length >= this.limit) {
      this.releaseSince(0, () => true)
      this.limit = Math.max(this.limit, 2 * this.#storages.length)
    }
    storage.owner = this
    this.#storages.push(storage)
  }

  /** How many buffers were made so far; a mark for `releaseSince`. */
  get mark(): number {
    return this.#storages.length
  }

  /** Frees what was made since the mark, except what `kept` holds. */
  releaseSince(mark: number, kept: (storage: Storage) => boolean): void {
    const storages = this.#storages
    let end = mark
    for (let i = mark; i < storages.length; i++) {
      const storage = storages[i]
      if (storage.owner !== this || storage.released) continue
      if (kept(storage)) storages[end++] = storage
      else storage.release()
    }
    storages.length = end
  }

  /** Frees everything that still belongs to the scope. */
  end(): void {
    this.releaseSince(0, () => false)
  }
}

let innermost: Scope | null = null

/** The scope that new buffers belong to; null where the collector frees them. */
export function currentScope(): Scope | null {
  return innermost
}

/** Runs fn with this scope as the one that new buffers belong to; null leaves them to the collector. */
export function within<T>(scope: Scope | null, fn: () => T): T {
  const before = innermost
  innermost = scope
  try {
    return fn()
  } finally {
    innermost = before
  }
}
