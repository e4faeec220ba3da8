/**
 * Shapes: their checks, their errors, and the rules of broadcasting. Knows nothing of tensors.
 */
import { maskOf } from '../backend/broadcast.js'
import { excerpt, ShapeError } from '../base/errors.js'

/** Extents of the axes, whole numbers from 0; [] is a scalar. */
export type Shape = readonly number[]

export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]
  return size
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** `[2, 3]`, as errors print it. */
export function format(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** Axes that a tensor has at most, and arrays inside each other. */
export const MAX_RANK = 8

/**
 * A copy of a shape, which its owner may change afterwards. Refuses what is not a list of at most
 * MAX_RANK non-negative integers with a size that can be counted.
 */
export function checkShape(op: string, given: Shape): number[] {
  if (typeof given === 'number') {
    throw new ShapeError(
      `${op}: expected the shape as one array, such as ${op}([2, 3]), got ${given}`,
    )
  }
  const rank = Array.isArray(given) ? given.length : 0
  // By its length: what the list says of iterating may be anything.
  const shape = Array.from({ length: Math.min(rank, MAX_RANK) }, (_, i) => given[i])
  if (!Array.isArray(given) || !shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw new ShapeError(`${op}: expected a shape of integers >= 0, got ${excerpt(given)}`)
  }
  checkRank(op, rank)
  if (!Number.isSafeInteger(sizeOf(shape))) {
    throw new ShapeError(`${op}: shape ${format(shape)} has too many elements`)
  }
  return shape
}

/** Refuses more axes than tensors have. */
export function checkRank(op: string, rank: number): void {
  if (rank <= MAX_RANK) return
  throw new ShapeError(`${op}: expected at most ${MAX_RANK} axes, got ${rank}`)
}

/** An axis counted from the front; negative ones count from the back. */
export function resolveAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range =
      rank === 0 ? 'no axis (the tensor is a scalar)' : `an axis from ${-rank} to ${rank - 1}`
    throw new ShapeError(`${op}: expected ${range}, got ${excerpt(axis)}`)
  }
  return axis < 0 ? axis + rank : axis
}

/** Axes counted from the front, ascending, each once; all of them for undefined. */
export function resolveAxes(
  op: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis)
  const list = Array.isArray(axes) ? axes.slice(0, MAX_RANK + 1) : [axes]
  const resolved = list.map((axis) => resolveAxis(op, axis, rank)).sort((a, b) => a - b)
  if (new Set(resolved).size !== resolved.length) {
    throw new ShapeError(`${op}: expected different axes, got ${excerpt(list)}`)
  }
  return resolved
}

/** The three extents of a kernel that works along one axis: [outer, length, inner]. */
export function aroundAxis(shape: Shape, axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))]
}

/** NumPy's rule: aligned at the last axis, an extent of 1 or a missing one is repeated. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const result = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1
    const n = b[b.length - i] ?? 1
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(`${op}: shapes do not broadcast, got ${format(a)} and ${format(b)}`)
    }
    result[rank - i] = m === 1 ? n : m
  }
  return result
}

/** A broadcast in terms of the binary kernels: extents and, per operand, a mask (see backend/broadcast.ts). */
export interface BroadcastPlan {
  extents: number[]
  aMask: number
  bMask: number
}

/**
 * Merges neighbouring axes that are repeated alike; undefined when more than three levels remain,
 * which the caller solves by expanding an operand first.
 */
export function planBroadcast(a: Shape, b: Shape, result: Shape): BroadcastPlan | undefined {
  const extents: number[] = []
  const kinds: number[] = [] // bit 0: a moves along, bit 1: b does
  for (let axis = 0; axis < result.length; axis++) {
    if (result[axis] === 1) continue
    const moves = (shape: Shape) =>
      (shape[axis - result.length + shape.length] ?? 1) === result[axis] ? 1 : 0
    const kind = moves(a) | (moves(b) << 1)
    if (kinds.at(-1) === kind) extents[extents.length - 1] *= result[axis]
    else {
      extents.push(result[axis])
      kinds.push(kind)
    }
  }
  if (extents.length > 3) return undefined
  while (extents.length < 3) {
    extents.unshift(1)
    kinds.unshift(3)
  }
  const mask = (operand: 1 | 2) => {
    const [n0, n1, n2] = kinds.map((kind) => (kind & operand) !== 0)
    return maskOf([n0, n1, n2])
  }
  return { extents, aMask: mask(1), bMask: mask(2) }
}

/** Fills in the one extent given as -1. Throws ShapeError when the sizes do not agree. */
export function resolveReshape(from: Shape, to: Shape): Shape {
  if (!Array.isArray(to)) checkShape('reshape', to)
  checkRank('reshape', to.length)
  const shape = [...to]
  const unknown = shape.indexOf(-1)
  if (unknown >= 0) {
    const known = sizeOf(shape.filter((_, i) => i !== unknown))
    shape[unknown] = known === 0 ? 0 : sizeOf(from) / known
  }
  if (
    !shape.every((extent) => Number.isInteger(extent) && extent >= 0) ||
    sizeOf(shape) !== sizeOf(from)
  ) {
    throw new ShapeError(
      `reshape: expected a shape of ${sizeOf(from)} elements, got ${excerpt(to)} for ${format(from)}`,
    )
  }
  return shape
}
