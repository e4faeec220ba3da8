/** The dtype of the floats that are made where none is named: float32, float64 in a gradient check. */
import type { FloatDType } from '../backend/dtype.js'

let current: FloatDType = 'float32'

export function defaultFloat(): FloatDType {
  return current
}

/** Runs fn, which must be synchronous, with another dtype as the default. */
export function withDefaultFloat<T>(dtype: FloatDType, fn: () => T): T {
  const before = current
  current = dtype
  try {
    return fn()
  } finally {
    current = before
  }
}
