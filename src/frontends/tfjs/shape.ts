/** Shapes, as the kernels need them. */

import { util } from '@tensorflow/tfjs-core'
import { ArgumentError } from '../../index.js'

export type Shape = readonly number[]

export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]
  return size
}

/** The product of the extents from `begin` to before `end`. */
export function sizeWithin(shape: Shape, begin: number, end: number): number {
  let size = 1
  for (let i = begin; i < end; i++) size *= shape[i]
  return size
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** How far apart neighbours along each axis lie. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** [outer, length, inner] around one axis. */
export function aroundAxis(shape: Shape, axis: number): [number, number, number] {
  return [sizeWithin(shape, 0, axis), shape[axis], sizeWithin(shape, axis + 1, shape.length)]
}

/** Axes from 0; all of them where none are given. @throws ArgumentError where one is given twice */
export function axesOf(op: string, given: number | readonly number[], shape: Shape): number[] {
  const axes = util.parseAxisParam(given as number[], shape as number[])
  if (new Set(axes).size === axes.length) return axes
  throw new ArgumentError(`${op}: expected axes that differ, got ${axes}`)
}
