/**
 * Regular parts of a tensor, read and written: slices with steps, reversed axes, diagonals. Reading one
 * is what goes back through writing it, and the other way round.
 */
import type { KernelArgs } from '../backend/kernels.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { MAX_RANK, type Shape } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { filled } from './raw.js'

/** Elements of a buffer: those at offset + Σ i·strides, for all i below the shape. */
export interface View {
  readonly shape: Shape
  readonly offset: number
  readonly strides: readonly number[]
}

/** All elements of a tensor of this shape. */
export function wholeOf(shape: Shape): View {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return { shape, offset: 0, strides }
}

/** So many elements of an axis from `start` on, `step` apart. */
export function along(view: View, axis: number, start: number, length: number, step = 1): View {
  const stride = view.strides[axis]
  return {
    shape: view.shape.with(axis, length),
    offset: view.offset + start * stride,
    strides: view.strides.with(axis, step * stride),
  }
}

interface Axis {
  extent: number
  x: number
  y: number
}

/** Extents and strides in both views; axes that run on into each other in both are one. */
function axesOf(from: View, to: View): Axis[] {
  const axes: Axis[] = []
  for (let axis = 0; axis < from.shape.length; axis++) {
    const extent = from.shape[axis]
    if (extent === 1) continue
    const [x, y] = [from.strides[axis], to.strides[axis]]
    const last = axes.at(-1)
    if (last?.x === extent * x && last.y === extent * y) {
      axes[axes.length - 1] = { extent: extent * last.extent, x, y }
    } else axes.push({ extent, x, y })
  }
  return axes
}

const ONCE: Axis = { extent: 1, x: 0, y: 0 }

/** Copies the elements of one view to another of the same shape, in the buffers of x and y. */
export function copyView(x: AnyTensor, from: View, y: AnyTensor, to: View): void {
  if (from.shape.includes(0)) return
  const axes = axesOf(from, to)
  const { backend } = x.storage
  const [rows, cols] = axes.length === 2 ? axes : [ONCE, ...axes]
  // What most of them are: pieces of rows.
  if (axes.length <= 2 && cols?.x === 1 && cols.y === 1 && rows.x >= 0 && rows.y >= 0) {
    const places = [from.offset, rows.x, to.offset, rows.y] as const
    backend.run('copy2d', x.handle, y.handle, rows.extent, cols.extent, ...places)
    return
  }
  const all = [...new Array<Axis>(MAX_RANK - axes.length).fill(ONCE), ...axes]
  const numbers = [
    from.offset,
    to.offset,
    ...all.map(({ extent }) => extent),
    ...all.map((axis) => axis.x),
    ...all.map((axis) => axis.y),
  ]
  const args = [x.handle, y.handle, ...numbers] as unknown as KernelArgs<'copyStrided'>
  backend.run('copyStrided', ...args)
}

/** The elements of a view, as a copy. */
export const readView = defineOp<readonly [AnyTensor], { view: View }, AnyTensor>('slice', {
  forward: ([x], { view }) => {
    const y = allocate(x, view.shape, x.dtype)
    copyView(x, view, y, wholeOf(view.shape))
    return y
  },
  backward: (dy, _, { shapes: [shape], attributes: { view } }) => [
    (): Tensor => writeView(dy, { shape, view, value: 0 }) as Tensor,
  ],
})

interface WriteAttributes {
  shape: Shape
  view: View
  value: number
}

/** A tensor of that shape with x in the view, and one value elsewhere. */
export const writeView = defineOp<readonly [AnyTensor], WriteAttributes, AnyTensor>('pad', {
  forward: ([x], { shape, view, value }) => {
    const y = filled(x, value, shape)
    copyView(x, wholeOf(view.shape), y, view)
    return y
  },
  backward: (dy, _, { attributes: { view } }) => [(): Tensor => readView(dy, { view }) as Tensor],
})

/** @inline */
export type Range = readonly [start?: number, end?: number, step?: number] | undefined

/** The part of a tensor that ranges of its axes name; all of an axis without one. */
export function sliceOf(shape: Shape, ranges: readonly Range[]): View {
  if (ranges.length > shape.length) {
    throw new ShapeError(`slice: expected at most ${shape.length} ranges, got ${ranges.length}`)
  }
  let view = wholeOf(shape)
  for (const [axis, range] of ranges.entries()) {
    if (range === undefined) continue
    if (!Array.isArray(range) || range.length > 3) {
      throw new ArgumentError(
        `slice: expected [start, end] or [start, end, step], got ${excerpt(range)}`,
      )
    }
    view = along(view, axis, ...resolveRange(shape[axis], range))
  }
  return view
}

/** Start, length and step of a range, which is read as Python reads start:end:step. */
function resolveRange(extent: number, range: NonNullable<Range>): [number, number, number] {
  const [start, end, step = 1] = range
  if (![start ?? 0, end ?? 0, step].every(Number.isInteger) || step === 0) {
    const got = range.map(excerpt).join(', ')
    throw new ArgumentError(`slice: expected integers and a step other than 0, got ${got}`)
  }
  // What a step of -1 ends before lies in front of the first element.
  const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1]
  const resolved = (position: number) =>
    Math.min(Math.max(position < 0 ? position + extent : position, least), most)
  const from = start === undefined ? (step > 0 ? least : most) : resolved(start)
  const to = end === undefined ? (step > 0 ? most : least) : resolved(end)
  const length = Math.max(Math.ceil((to - from) / step), 0)
  return [length > 0 ? from : 0, length, step]
}
