/** `scope(fn)`: what a function makes is freed when it returns, except what it returns. */
import { refusePromise } from '../base/arguments.js'
import { savedStorages } from './graph.js'
import { currentScope, Scope, type Storage, within } from './storage.js'
import { Tensor } from './tensor.js'

function collect(value: unknown, found: Set<Storage>, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  if (value instanceof Tensor) {
    found.add(value.storage)
    if (value.grad) found.add(value.grad.storage)
    if (value.node) for (const storage of savedStorages(value.node)) found.add(storage)
  } else if (!ArrayBuffer.isView(value)) {
    const isCollection = value instanceof Map || value instanceof Set
    for (const item of isCollection ? value.values() : Object.values(value)) {
      collect(item, found, seen)
    }
  }
}

/**
 * Runs fn and frees every tensor made inside it, except those it returns (alone, or inside arrays,
 * objects, maps, sets and modules) and gradients that `backward` left on tensors from outside.
 * @returns what fn returns
 * @throws ArgumentError when fn is asynchronous
 * @example const loss = scope(() => model.forward(x).sub(y).square().mean().item())
 */
export function scope<T>(fn: () => T): T {
  const inner = new Scope()
  const outer = currentScope()
  try {
    const result = refusePromise('scope', within(inner, fn))
    const kept = new Set<Storage>()
    collect(result, kept, new Set())
    for (const storage of kept) if (storage.owner === inner) storage.moveTo(outer)
    return result
  } finally {
    inner.end()
  }
}
