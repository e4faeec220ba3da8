/** `scope(fn)`: what a function makes is freed when it returns, except what it returns. */
import { types } from 'node:util'
import { checkFunction, refusePromise } from '../base/arguments.js'
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
 * @throws ArgumentError when fn is no function, or asynchronous
 * @example const loss = scope(() => model.forward(x).sub(y).square().mean().item())
 */
export function scope<T>(fn: () => T): T {
  checkFunction('scope', 'a function', fn)
  const inner = new Scope()
  const outer = currentScope()
  try {
    const result = refusePromise('scope', within(inner, fn))
    for (const storage of storagesIn(result)) if (storage.owner === inner) storage.moveTo(outer)
    return result
  } finally {
    inner.end()
  }
}
