/** Lists and dictionaries of modules, by the names that PyTorch's have; arrays and objects do as well. */
import { noteRead, noteSet } from '../backend/record.js'
import { ArgumentError, excerpt, spelled } from '../base/errors.js'
import { type AnyModule, checkModule, Module } from './module.js'
import { PARTS } from './walk.js'

/**
 * Modules in order, for a `forward` of your own to call. Their paths are those of an array: `blocks.0.weight`.
 * @example
 * class Net extends Module {
 *   readonly blocks = new ModuleList([new Linear(8, 8), new Linear(8, 8)])
 *   forward(x: Tensor): Tensor {
 *     for (const block of this.blocks) x = block.forward(x).relu()
 *     return x
 *   }
 * }
 */
export class ModuleList<M extends AnyModule = AnyModule> extends Module<[], never> {
  #items: readonly M[]

  /**
   * A list of these modules.
   * @throws ArgumentError for what is no module
   */
  constructor(modules: Iterable<M> = []) {
    super()
    this.#items = modulesFrom('ModuleList', modules)
  }

  /** What a walk finds in it. @internal */
  [PARTS](): Iterable<readonly [string, M]> {
    return this.#items.map((module, i) => [`${i}`, module] as const)
  }

  get #noted(): readonly M[] {
    noteRead(this, 'length', this.#items.length)
    return this.#items
  }

  /** How many there are. */
  get length(): number {
    return this.#noted.length
  }

  /** The module at a place, from the end where it is below 0; undefined beyond both. */
  at(index: number): M | undefined {
    return this.#noted.at(index)
  }

  /**
   * Puts a module at the end.
   * @throws ArgumentError for what is no module
   */
  append(module: M): this {
    checkModule('ModuleList', module)
    noteSet(this, 'length', this.#items.length)
    this.#items = [...this.#items, module]
    return this
  }

  /** First to last. */
  [Symbol.iterator](): IterableIterator<M> {
    return this.#noted[Symbol.iterator]()
  }

  /**
   * A list computes nothing itself.
   * @throws ArgumentError always
   */
  forward(): never {
    throw new ArgumentError('ModuleList: expected its modules to be called one by one')
  }
}

/**
 * Modules by name, for a `forward` of your own to call. Their paths are those of an object: `heads.left.weight`.
 * @example
 * class Net extends Module {
 *   readonly heads = new ModuleDict({ left: new Linear(8, 2), right: new Linear(8, 3) })
 *   forward(x: Tensor): Tensor {
 *     return this.heads.get('left').forward(x)
 *   }
 * }
 */
export class ModuleDict<M extends AnyModule = AnyModule> extends Module<[], never> {
  #items: ReadonlyMap<string, M>

  /**
   * A dictionary of these modules.
   * @param modules an object of them, a Map or other pairs
   * @throws ArgumentError for what is no module, and for a name that is empty or has a dot
   */
  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super()
    const entries = entriesFrom(modules)
    for (const [name, module] of entries) checkEntry(name, module)
    this.#items = new Map(entries)
  }

  /** What a walk finds in it. @internal */
  [PARTS](): Iterable<readonly [string, M]> {
    return this.#items
  }

  get #noted(): ReadonlyMap<string, M> {
    noteRead(this, 'items', this.#items)
    return this.#items
  }

  /** For the recordings that read it. @internal */
  get items(): ReadonlyMap<string, M> {
    return this.#items
  }

  /** How many there are. */
  get size(): number {
    return this.#noted.size
  }

  /**
   * The module of a name.
   * @throws ArgumentError where there is none
   */
  get(name: string): M {
    const module = this.#noted.get(name)
    if (module !== undefined) return module
    throw new ArgumentError(
      `ModuleDict: expected a name of ${[...this.#items.keys()].join(', ') || 'none'}, got ${spelled(name)}`,
    )
  }

  /** Whether there is a module of this name. */
  has(name: string): boolean {
    return this.#noted.has(name)
  }

  /**
   * Adds a module, or puts it in place of the one of this name.
   * @throws ArgumentError for what is no module, and for a name that is empty or has a dot
   */
  set(name: string, module: M): this {
    checkEntry(name, module)
    noteSet(this, 'items', this.#items)
    this.#items = new Map([...this.#items, [name, module]])
    return this
  }

  /** The names, in order. */
  keys(): IterableIterator<string> {
    return this.#noted.keys()
  }

  /** The modules, in order. */
  values(): IterableIterator<M> {
    return this.#noted.values()
  }

  /** Names and modules, in order. */
  entries(): IterableIterator<[string, M]> {
    return this.#noted.entries()
  }

  /**
   * A dictionary computes nothing itself.
   * @throws ArgumentError always
   */
  forward(): never {
    throw new ArgumentError('ModuleDict: expected its modules to be called one by one')
  }
}

function modulesFrom<M>(op: string, modules: Iterable<M>): M[] {
  if (typeof modules?.[Symbol.iterator] !== 'function') {
    throw new ArgumentError(`${op}: expected an array of modules, got ${excerpt(modules)}`)
  }
  const items = [...modules]
  for (const module of items) checkModule(op, module)
  return items
}

function entriesFrom<M>(
  modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]>,
): (readonly [string, M])[] {
  const isObject = typeof modules === 'object' && modules !== null
  const entries =
    isObject && Symbol.iterator in modules ? [...modules] : Object.entries(modules ?? {})
  if (isObject && entries.every(Array.isArray)) return entries
  throw new ArgumentError(`ModuleDict: expected modules by name, got ${excerpt(modules)}`)
}

function checkEntry(name: string, module: unknown): void {
  if (typeof name !== 'string' || name === '' || name.includes('.')) {
    throw new ArgumentError(
      `ModuleDict: expected names that are not empty and have no dot, got ${excerpt(name)}`,
    )
  }
  checkModule('ModuleDict', module)
}
