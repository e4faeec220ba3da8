/** Finds the values that are no finite numbers, and names the tensors that hold them. */
import { norm } from '../ops/reduce.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Module } from './module.js'

type Numbers = ArrayLike<number | bigint>
type Named<T> = readonly (readonly [name: string, values: T])[]

// Up to so many elements are read sooner than a kernel is called, without garbage into this array.
const few = new Float32Array(1024)

/** The Euclidean norm, infinite where float32 does not hold it. */
export function normOf(x: Tensor): number {
  // Natively nothing is computed in float64.
  if (x.dtype !== 'float32') return lengthOf(x.data(), x.size)
  if (x.size > few.length) return noGrad(() => scope(() => norm(x).item()))
  x.storage.backend.read(x.handle, few.subarray(0, x.size))
  return lengthOf(few, x.size)
}

function lengthOf(values: ArrayLike<number>, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += values[i] * values[i]
  return Math.sqrt(sum)
}

/** The first value that is not finite, with its tensor, as `NaN in layers.0.weight`. */
export function findNotFinite(tensors: Named<Tensor>): string | undefined {
  // No element is further from 0 than the norm is.
  const suspects = tensors.filter(([, x]) => !Number.isFinite(normOf(x)))
  return findNotFiniteValue(suspects)
}

/** The same where values may be apart from any tensor. */
export function findNotFiniteValue(
  entries: Named<{ readonly data: Numbers } | { data(): Numbers }>,
): string | undefined {
  for (const [name, entry] of entries) {
    const values = typeof entry.data === 'function' ? entry.data() : entry.data
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(Number(values[i]))) return `${values[i]} in ${name}`
    }
  }
  return undefined
}

/** For errors about what a model computed: whether its parameters are to blame. */
export function blameFor(model: Module): string {
  return findNotFinite([...model.namedState()]) ?? 'all parameters are finite'
}
