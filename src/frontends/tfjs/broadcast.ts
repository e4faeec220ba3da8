/** Two operands whose elements are repeated along some axes, as the device's kernels take them. */

import { backend_util } from '@tensorflow/tfjs-core'
import type { Handle } from '../../internal.js'
import type { NeuroblasBackend } from './backend.js'
import type { NumericType } from './entry.js'
import { type Shape, sameShape, sizeOf, stridesOf } from './shape.js'
import { copyStrided } from './strided.js'

/** Levels from the last axis on, the extents and along which of them each operand moves. */
export interface Levels {
  readonly shape: Shape
  readonly extents: number[]
  readonly aMoves: boolean[]
  readonly bMoves: boolean[]
}

/** Neighbouring axes that both operands treat alike are one level. */
export function levelsOf(a: Shape, b: Shape): Levels {
  const shape = backend_util.assertAndGetBroadcastShape(a as number[], b as number[])
  const extents: number[] = []
  const aMoves: boolean[] = []
  const bMoves: boolean[] = []
  for (let fromEnd = 1; fromEnd <= shape.length; fromEnd++) {
    const extent = shape[shape.length - fromEnd]
    if (extent === 1) continue
    const aMove = fromEnd <= a.length && a[a.length - fromEnd] !== 1
    const bMove = fromEnd <= b.length && b[b.length - fromEnd] !== 1
    const last = extents.length - 1
    if (last >= 0 && aMoves[last] === aMove && bMoves[last] === bMove) extents[last] *= extent
    else {
      extents.push(extent)
      aMoves.push(aMove)
      bMoves.push(bMove)
    }
  }
  return { shape, extents, aMoves, bMoves }
}

export type Extents = [n0: number, n1: number, n2: number, aMask: number, bMask: number]
/** The mask of an operand that moves along all levels. */
export const ALL = 7
/** Of one that moves along the last level alone. */
export const LAST = 4

const maskOf = (moves: readonly boolean[]) =>
  (moves[0] ? 4 : 0) | (moves[1] ? 2 : 0) | (moves[2] ? 1 : 0)

/** Of at most three levels. */
export function extentsOf({ extents, aMoves, bMoves }: Levels): Extents {
  const [n2 = 1, n1 = 1, n0 = 1] = extents
  return [n0, n1, n2, maskOf(aMoves), maskOf(bMoves)]
}

/** The elements of x with all repetitions written out. */
export function expand(
  backend: NeuroblasBackend,
  x: Handle,
  from: Shape,
  to: Shape,
  dtype: NumericType,
): Handle {
  const strides = stridesOf(from)
  const missing = to.length - from.length
  const steps = to.map((_, axis) =>
    axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing],
  )
  const y = backend.device.alloc(sizeOf(to), dtype)
  copyStrided(backend, { from: x, to: y, shape: to, fromStrides: steps, toStrides: stridesOf(to) })
  return y
}

/** The device's kernels of two operands. */
export type BinaryKernel =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'atan2'
  | 'maximum'
  | 'minimum'
  | 'floorDivide'
  | 'remainder'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual'
  | 'logicalAnd'
  | 'logicalOr'

/** A buffer with its shape. */
export interface Elements {
  handle: Handle
  shape: Shape
}

/**
 * kernel(a, b) of operands in `dtype`, as `result`: in a new buffer, or in that of a, which must then have the
 * result's shape.
 */
export function binary(
  backend: NeuroblasBackend,
  kernel: BinaryKernel,
  a: Elements,
  b: Elements,
  dtype: NumericType,
  result: NumericType = dtype,
  inPlace = false,
): Elements {
  const { device } = backend
  if (sameShape(a.shape, b.shape)) {
    const size = sizeOf(a.shape)
    const y = inPlace ? a.handle : device.alloc(size, result)
    device.run(kernel, a.handle, b.handle, y, 1, 1, size, ALL, ALL)
    return { handle: y, shape: a.shape }
  }
  const levels = levelsOf(a.shape, b.shape)
  const { shape } = levels
  if (levels.extents.length > 3) return binaryExpanded(backend, kernel, a, b, shape, dtype, result)
  const y = inPlace ? a.handle : device.alloc(sizeOf(shape), result)
  device.run(kernel, a.handle, b.handle, y, ...extentsOf(levels))
  return { handle: y, shape }
}

function binaryExpanded(
  backend: NeuroblasBackend,
  kernel: BinaryKernel,
  a: Elements,
  b: Elements,
  shape: Shape,
  dtype: NumericType,
  result: NumericType,
): Elements {
  const whole = [a, b].map((x) => expand(backend, x.handle, x.shape, shape, dtype))
  const [left, right] = whole.map((handle) => ({ handle, shape }))
  const y = binary(backend, kernel, left, right, dtype, result)
  for (const handle of whole) backend.device.release(handle)
  return y
}
