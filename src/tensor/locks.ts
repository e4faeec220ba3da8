/**
 * Readers-writer locks: who uses which memory across an `await`. Readers share it, a writer has it alone,
 * and those who wait get it in the order in which they asked. While a model is trained, others are
 * refused instead. A single op needs no lock: nothing else happens before it is over.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { BusyError } from '../base/errors.js'

/** What is read and what is written, by objects that stand for it, as `Storage.memory`. */
export interface Uses {
  readonly reads: ReadonlySet<object>
  readonly writes: ReadonlySet<object>
}

export const NOTHING: ReadonlySet<object> = new Set()

/** What stands for the memory of tensors. */
export function memoryOf(
  tensors: readonly { readonly storage: { readonly memory: object } }[],
): ReadonlySet<object> {
  return new Set(tensors.map(({ storage }) => storage.memory))
}

const held = new Set<Lock>()
/** In the order of arrival. */
const waiting = new Set<Lock>()
/** How many trainings have their model alone. */
let trainings = 0

/** The lock that the code at hand was begun with: what that has is not kept from it. */
const context = new AsyncLocalStorage<Lock>()

function enclosing(): Lock | undefined {
  let lock = context.getStore()
  while (lock !== undefined && !held.has(lock)) lock = lock.outer
  return lock
}

export class Lock {
  readonly outer = enclosing()
  #uses: Uses
  #grant: (() => void) | undefined

  /**
   * Asks for what is used; see `isHeld`.
   * @param op who asks: a name for messages
   * @param isTraining whether others that ask for the same are refused, and not made to wait
   * @throws BusyError where a model is trained that others may not use meanwhile
   */
  constructor(
    readonly op: string,
    uses: Uses,
    readonly isTraining = false,
  ) {
    this.#uses = uses
    for (const lock of held) {
      const isOwn = !isTraining && isWithin(this.outer, lock)
      if (lock.isTraining && !isOwn && lock.excludes(uses)) throw lock.refusal(op)
    }
    // Within a lock nobody waits for those who wait for its end, nor is refused for their sake.
    for (const lock of this.outer === undefined ? waiting : []) {
      if (lock.isTraining && lock.excludes(uses)) throw lock.refusal(op)
    }
    this.#ask()
  }

  get isHeld(): boolean {
    return held.has(this)
  }

  /** Until it is held, which it is not yet. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#grant = resolve
    })
  }

  /** Does something with what is held, also across its awaits. */
  run<T>(fn: () => T): T {
    return context.run(this, fn)
  }

  /** Lets others read meanwhile what is written otherwise, and then has it alone again. */
  async lend<T>(fn: () => T | Promise<T>): Promise<T> {
    const uses = this.#uses
    this.#leave()
    this.#uses = { reads: new Set([...uses.reads, ...uses.writes]), writes: NOTHING }
    this.#enter()
    settle()
    try {
      return await fn()
    } finally {
      this.#leave()
      this.#uses = uses
      this.#ask()
      if (!this.isHeld) await this.turn()
    }
  }

  release(): void {
    this.#leave()
    // What was begun within it, such as a timer, may keep it for long.
    this.#uses = { reads: NOTHING, writes: NOTHING }
    settle()
  }

  /** Whether these uses cannot go on beside it. */
  excludes({ reads, writes }: Uses): boolean {
    const own = this.#uses
    return meet(writes, own.writes) || meet(writes, own.reads) || meet(own.writes, reads)
  }

  /** Whether it keeps others from reading this. */
  keeps(memory: object): boolean {
    return this.isTraining && this.#uses.writes.has(memory)
  }

  refusal(op: string, advice = ''): BusyError {
    if (this.isTraining) return refusalOfTrained(op, this.op)
    return new BusyError(
      `${op}: ${this.op}() uses the same memory and is not done; await it first${advice}`,
    )
  }

  /** Whether somebody has what it needs, or asked for it earlier. */
  mustWait(): boolean {
    for (const lock of held) {
      if (lock.excludes(this.#uses) && !isWithin(this.outer, lock)) return true
    }
    if (this.outer !== undefined) return false
    for (const lock of waiting) {
      if (lock === this) return false
      if (lock.excludes(this.#uses)) return true
    }
    return false
  }

  /** Its turn has come. */
  grant(): void {
    waiting.delete(this)
    this.#enter()
    this.#grant?.()
  }

  #ask(): void {
    if (this.mustWait()) waiting.add(this)
    else this.#enter()
  }

  #enter(): void {
    held.add(this)
    if (this.isTraining && this.#uses.writes.size > 0) trainings++
  }

  #leave(): void {
    waiting.delete(this)
    if (held.delete(this) && this.isTraining && this.#uses.writes.size > 0) trainings--
  }
}

/** Gives those their turn for whom nobody is in the way any more. */
function settle(): void {
  for (const lock of waiting) if (!lock.mustWait()) lock.grant()
}

function meet(a: ReadonlySet<object>, b: ReadonlySet<object>): boolean {
  if (b.size > 0) for (const item of a) if (b.has(item)) return true
  return false
}

/** Whether a lock is another one, or was asked for within it. */
function isWithin(lock: Lock | undefined, other: Lock): boolean {
  for (let at = lock; at !== undefined; at = at.outer) if (at === other) return true
  return false
}

/** What says to `op` that a model is being trained. */
export function refusalOfTrained(op: string, trainer: string): BusyError {
  return new BusyError(
    `${op}: this model is being trained by ${trainer}(); await that first, use the model in its callbacks, or ask a copy that they bring up to date`,
  )
}

/** Does something that awaits with a lock, in its turn. @throws BusyError as `Lock` */
export async function withLock<T>(lock: Lock, fn: () => Promise<T>): Promise<T> {
  try {
    if (!lock.isHeld) await lock.turn()
    return await lock.run(fn)
  } finally {
    lock.release()
  }
}

/**
 * Refuses what is to be done at once, beside those who use the same across an await.
 * @throws BusyError, which ends with the advice
 */
export function refuseLocked(op: string, uses: Uses, advice?: string): void {
  if (held.size === 0) return
  const own = enclosing()
  for (const lock of held) {
    if (lock.excludes(uses) && !isWithin(own, lock)) throw lock.refusal(op, advice)
  }
}

/** The same for what is written. */
export function refuseWriting(op: string, memory: () => ReadonlySet<object>): void {
  if (held.size > 0) refuseLocked(op, { reads: NOTHING, writes: memory() })
}

/** Whether any training has its model alone. */
export function isAnyTrained(): boolean {
  return trainings > 0
}

/** Refuses the use of what a training has alone. @throws BusyError */
export function refuseTrained(op: string, memory: object): void {
  for (const lock of held) {
    if (lock.keeps(memory) && !isWithin(enclosing(), lock)) throw lock.refusal(op)
  }
}
