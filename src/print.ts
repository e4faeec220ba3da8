/**
 * Numbers as text and as nested arrays.
 */
import type { Shape } from './shape.js'

/** Nested arrays of numbers; a plain number has no axes. */
export type Nested = number | readonly Nested[]

/** Flat row-major values as nested arrays of a shape. */
export function nest(values: ArrayLike<number>, shape: Shape): Nested {
  let position = 0
  const build = (axis: number): Nested =>
    axis === shape.length
      ? values[position++]
      : Array.from({ length: shape[axis] }, () => build(axis + 1))
  return build(0)
}

/** Placeholder until formatting as NumPy prints stands here. */
export function formatTensor(values: ArrayLike<number>, shape: Shape): string {
  return JSON.stringify(nest(values, shape))
}
