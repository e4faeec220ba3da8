import { DataStorage, engine, type KernelBackend } from '@tensorflow/tfjs-core'
import { DataId, type Entry } from './entry.js'

type Id = object

/**
 * The entries by data id. Those of ids that were made here hang on them, which costs a tenth of an entry in a
 * WeakMap; ids of other backends come here when their tensors are moved.
 */
export class Entries extends DataStorage<Entry> {
  readonly #moved = new WeakMap<Id, Entry>()
  readonly #backend: KernelBackend
  #count = 0

  constructor(backend: KernelBackend) {
    super(backend, engine())
    this.#backend = backend
  }

  /** A new id for an entry. */
  add(entry: Entry): DataId {
    this.#count++
    return new DataId(entry)
  }

  #find(id: Id): Entry | undefined {
    return (id instanceof DataId ? id.entry : undefined) ?? this.#moved.get(id)
  }

  override get(id: Id): Entry {
    const entry = this.#find(id)
    if (entry) return entry
    engine().moveData(this.#backend, id)
    return this.#find(id)!
  }

  override set(id: Id, entry: Entry): void {
    this.#count++
    this.#moved.set(id, entry)
  }

  override has(id: Id): boolean {
    return this.#find(id) !== undefined
  }

  override delete(id: Id): boolean {
    if (!this.has(id)) return false
    this.#count--
    if (id instanceof DataId) id.entry = undefined
    this.#moved.delete(id)
    return true
  }

  override numDataIds(): number {
    return this.#count
  }
}
