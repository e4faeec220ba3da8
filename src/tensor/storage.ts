/**
 * Who frees what. A buffer made inside a scope belongs to it and is freed at its end unless it is
 * returned; one made outside any scope is freed when its last tensor is garbage collected, or by
 * `dispose()`.
 */
import type { Backend } from '../backend/backend.js'
import type { DType } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { recorded, underneath } from '../backend/record.js'
import { ReleasedTensorError, StaleTensorError } from '../base/errors.js'

const released = -1 as Handle

/** One buffer of a backend, shared by the tensors that are views of it. */
export class Storage {
  /** Tensors that still use it. */
  references = 1
  /** Raised by every write in place, so that backward notices a saved value that changed. */
  version = 0
  owner: Scope | null = null
  readonly #backend: Backend
  /** The backend, or the recorder that gave the buffer its name. */
  readonly #allocator: Backend
  #handle: Handle
  #state: 'owned' | 'borrowed' | 'stale' = 'owned'
  /** Who frees a borrowed buffer: not collected before the tensors that show it. */
  readonly lender: object | undefined

  /** @param borrowed a buffer that somebody else frees */
  constructor(
    backend: Backend,
    readonly dtype: DType,
    readonly length: number,
    borrowed?: { handle: Handle; lender: object },
  ) {
    this.#backend = underneath(backend)
    this.#allocator = backend
    if (borrowed !== undefined) {
      this.#handle = borrowed.handle
      this.lender = borrowed.lender
      this.#state = 'borrowed'
      return
    }
    this.#handle = backend.alloc(length, dtype)
    if (innermost) innermost.adopt(this)
    else collected.register(this, { backend: this.#allocator, handle: this.#handle }, this)
  }

  /** Where the buffer is; while that backend is recorded, its recorder. */
  get backend(): Backend {
    return recorded(this.#backend)
  }

  get released(): boolean {
    return this.#handle === released
  }

  /** The backend's name for the buffer. Throws ReleasedTensorError when it was freed. */
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
    return this.#handle
  }

  /** Marks a borrowed buffer as overwritten by its owner. */
  expire(): void {
    this.#state = 'stale'
  }

  release(): void {
    if (this.#handle === released || this.#state !== 'owned') return
    if (this.owner === null) collected.unregister(this)
    // What is to live as long as this buffer must not go to a scope that has ended.
    this.owner = null
    const handle = this.#handle
    this.#handle = released
    this.#allocator.release(handle)
  }

  /** Hands the buffer to another owner; null is the garbage collector. */
  moveTo(owner: Scope | null): void {
    if (owner === this.owner || this.#handle === released || this.#state !== 'owned') return
    if (this.owner === null) collected.unregister(this)
    if (owner) owner.adopt(this)
    else {
      this.owner = null
      collected.register(this, { backend: this.#allocator, handle: this.#handle }, this)
    }
  }
}

const collected = new FinalizationRegistry<{
  backend: Backend
  handle: Handle
}>(({ backend, handle }) => backend.release(handle))

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
