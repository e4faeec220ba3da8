/** Regular parts of a tensor in the terms of ONNX: slices axis by axis, or positions where that does not do. */

import { type View, wholeOf } from '../../../ops/views.js'
import type { Shape } from '../../../tensor/shape.js'
import { sizeOf } from '../../../tensor/shape.js'
import { END } from './emitter.js'

/** The range of an axis as ONNX's Slice takes it; all of an axis has none. */
export interface AxisRange {
  readonly axis: number
  readonly start: number
  readonly end: number
  readonly step: number
}

/** Positions of the elements in the whole, or in each example of it. */
export interface Positions {
  readonly indices: readonly number[]
  readonly perExample: boolean
}

/** A part as ranges of axes, where it is that. */
export function rangesOf(view: View, whole: Shape): AxisRange[] | undefined {
  const strides = wholeOf(whole).strides
  if (view.shape.length !== whole.length) return undefined
  const ranges: AxisRange[] = []
  let rest = view.offset
  for (const [axis, extent] of whole.entries()) {
    const start = Math.floor(rest / strides[axis])
    rest -= start * strides[axis]
    const length = view.shape[axis]
    const step = length > 1 ? view.strides[axis] / strides[axis] : 1
    if (!Number.isInteger(step) || step === 0 || start >= Math.max(extent, 1)) return undefined
    if (step === 1 && length === extent) continue
    ranges.push({ axis, ...rangeOf(start, length, step, extent) })
  }
  return rest === 0 ? ranges : undefined
}

/** One to an end of the axis is told by that end, which is the same for any extent. */
function rangeOf(start: number, length: number, step: number, extent: number) {
  const end = start + length * step
  if (length === 0) return { start: 0, end: 0, step: 1 }
  if (step > 0) return { start, end: end >= extent ? END : end, step }
  return { start: start === extent - 1 ? -1 : start, end: end < 0 ? -END : end, step }
}

/** The positions of a part. */
export function positionsOf(view: View, whole: Shape): Positions {
  const [batch, ...example] = whole
  const size = sizeOf(example)
  const isBatch = view.shape[0] === batch && view.strides[0] === size && batch > 1
  const within = isBatch
    ? listPositions(view.shape.slice(1), view.strides.slice(1), view.offset)
    : []
  const perExample = isBatch && within.every((position) => position >= 0 && position < size)
  if (perExample) return { indices: within, perExample }
  return { indices: listPositions(view.shape, view.strides, view.offset), perExample }
}

function listPositions(shape: Shape, strides: readonly number[], offset: number): number[] {
  return shape.reduce(
    (list, extent, axis) =>
      list.flatMap((position) =>
        Array.from({ length: extent }, (_, i) => position + i * strides[axis]),
      ),
    [offset],
  )
}
