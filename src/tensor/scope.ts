/**
 * `scope(fn)`: what a function makes is freed when it returns, except what it returns. `openScope()`: the
 * same across `await`.
 */
import { types } from 'node:util'
import { checkFunction, refusePromise } from '../base/arguments.js'
import { ArgumentError } from '../base/errors.js'
import { savedStorages } from './graph.js'
import { currentScope, Scope, type Storage, within } from './storage.js'
import { isTensor } from './tensor.js'

/** Buffers of the tensors in a value, also of those that `backward` still needs. */
function storagesIn(result: unknown): Set<Storage> {
  const found = new Set<Storage>()
  const seen = new Set<object>()
  const visit = (value: unknown) => {
    if (typeof value === 'object' && value !== null) seen.add(value)
  }
  visit(result)
  // A walk by calls would have no stack left for a long list whose items hold each other.
  for (const value of seen) {
    if (isTensor(value)) {
      found.add(value.storage)
      if (value.grad) found.add(value.grad.storage)
      if (value.node) for (const storage of savedStorages(value.node)) found.add(storage)
    } else if (!ArrayBuffer.isView(value)) {
      const isCollection = types.isMap(value) || types.isSet(value)
      for (const item of isCollection ? value.values() : Object.values(value)) visit(item)
    }
  }
  return found
}

/**
 * Runs fn and frees every tensor made inside it, except those it returns (alone, or inside arrays,
 * objects, maps, sets and modules) and gradients that `backward` left on tensors from outside.
 * @returns what fn returns
 * @throws ArgumentError when fn is no function, or asynchronous: `openScope` is for that
 * @example const loss = scope(() => model.forward(x).sub(y).square().mean().item())
 */
export function scope<T>(fn: () => T): T {
  checkFunction('scope', 'a function', fn)
  const inner = new Scope()
  const outer = currentScope()
  try {
    const result = refusePromise(
      'scope',
      within(inner, fn),
      '; openScope() makes a scope that stays open across await',
    )
    for (const storage of storagesIn(result)) if (storage.owner === inner) storage.moveTo(outer)
    return result
  } finally {
    inner.end()
  }
}

/**
 * A scope for asynchronous code; `openScope` makes one.
 *
 * What belongs to it is said where it is made, by `run`, and not by what happens to be open: during an
 * `await` other code runs, whose tensors are not this scope's to free.
 */
export class OpenScope {
  readonly #scope = new Scope()
  #isOpen = true

  /**
   * Runs fn; every tensor that it makes belongs to the scope, also what it returns.
   * @throws ArgumentError when fn is no function, or asynchronous (`await` outside, between two calls), or
   *   the scope was disposed of
   */
  run<T>(fn: () => T): T {
    this.#refuseEnded('run')
    checkFunction('run', 'a function', fn)
    return refusePromise('run', within(this.#scope, fn), '; await between two calls of run')
  }

  /**
   * Gives tensors that were made elsewhere to the scope: alone, or inside arrays, objects, maps, sets and
   * modules.
   * @returns the same value
   * @throws ArgumentError when the scope was disposed of
   * @example const losses = memory.add(await step.runMany(batches, labels))
   */
  add<T>(value: T): T {
    this.#refuseEnded('add')
    for (const storage of storagesIn(value)) storage.moveTo(this.#scope)
    return value
  }

  /** Frees everything that belongs to it. */
  dispose(): void {
    this.#isOpen = false
    this.#scope.end()
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #refuseEnded(op: string): void {
    if (!this.#isOpen) throw new ArgumentError(`${op}: expected an open scope, got a disposed one`)
  }
}

/**
 * A scope that stays open until it is disposed of, for asynchronous code. With `using` (TypeScript) that
 * is at the end of the block, also where it is left by an error; else call `dispose` in a `finally`.
 * @example
 * using memory = openScope()
 * const x = memory.run(() => tensor(rows))
 * const scores = memory.add(await classify.run(x))
 * return memory.run(() => scores.softmax().toArray())
 */
export function openScope(): OpenScope {
  return new OpenScope()
}
