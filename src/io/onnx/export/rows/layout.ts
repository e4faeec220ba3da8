/** Ops that move elements. */

import type { View } from '../../../../ops/views.js'
import type { Shape } from '../../../../tensor/shape.js'
import {
  type Emitter,
  END,
  isSameExtent,
  type OpValue,
  toChannelsFirst,
  toChannelsLast,
} from '../emitter.js'
import type { Extents, Reading } from '../merge.js'
import { fixed, own, plain, type Rows } from '../row.js'
import { type AxisRange, type Positions, positionsOf, rangesOf } from '../views.js'

/** With the batch and the channels as they are, the axes between them are reshaped in either order. */
const reshape = own((g, _, call) => {
  const [x] = call.from.inputs
  const [from, to] = [x.shape, call.shape]
  const keepsEnds = isSameExtent(from[0], to[0]) && isSameExtent(from.at(-1), to.at(-1))
  if (to.length < 2 || !keepsEnds || !g.isChannelsFirst(x)) {
    g.define(call, { plain: g.reshape(g.plain(x), from, to) })
    return
  }
  const ordered = (shape: Extents) => toChannelsFirst(shape.length).map((axis) => shape[axis])
  g.defineChannelsFirst(call, g.reshape(g.channelsFirst(x), ordered(from), ordered(to)))
})

/** What only brings channels to the other end is a name for the same elements. */
const transpose = own((g, { axes }: { axes: readonly number[] }, call) => {
  const [x] = call.from.inputs
  const rank = axes.length
  const isOrder = (order: readonly number[]) => rank > 2 && String(axes) === String(order)
  if (isOrder(toChannelsLast(rank))) g.defineChannelsFirst(call, g.plain(x))
  else if (isOrder(toChannelsFirst(rank))) g.define(call, { plain: g.channelsFirst(x) })
  else g.define(call, { plain: g.permuted(x, axes) })
})

const concat = own((g, { axis }: { axis: number }, call) => {
  const { inputs } = call.from
  if (inputs.some((x) => g.isChannelsFirst(x))) {
    const parts = inputs.map((x) => g.channelsFirst(x))
    const axisThere = toChannelsFirst(call.shape.length).indexOf(axis)
    g.defineChannelsFirst(call, g.node('Concat', parts, { axis: axisThere }))
  } else {
    const parts = inputs.map((x) => g.plain(x))
    g.define(call, { plain: g.node('Concat', parts, { axis }) })
  }
})

type Part = { readonly ranges: readonly AxisRange[] } | Positions

const partOf = (view: View, whole: Shape): Part => {
  const ranges = rangesOf(view, whole)
  return ranges === undefined ? positionsOf(view, whole) : { ranges }
}

const readSlice: Reading = (attributes, [x]) => partOf((attributes as { view: View }).view, x)

/** What lies at these positions of a value that is flat, or flat for each example. */
function take(g: Emitter, flat: string, { indices, perExample }: Positions, call: OpValue): string {
  const chosen = g.node('Gather', [flat, g.ints(indices)], { axis: perExample ? 1 : 0 })
  const [batch] = call.shape
  const from = perExample ? [batch, indices.length] : [indices.length]
  return g.reshape(chosen, from, call.shape)
}

function flattened(g: Emitter, x: string, perExample: boolean): string {
  return g.node('Reshape', [x, g.ints(perExample ? [0, -1] : [-1])])
}

const slice = plain((g, [x], part: Part, call) => {
  if (!('ranges' in part)) return take(g, flattened(g, x, part.perExample), part, call)
  if (part.ranges.length === 0) return x
  const list = (key: keyof AxisRange) =>
    g.ints(part.ranges.map((range) => fixed(range[key], 'a range', call)))
  return g.node('Slice', [x, list('start'), list('end'), list('axis'), list('step')])
}, readSlice)

interface PadAttributes {
  readonly shape: Shape
  readonly view: View
  readonly value: number
}

type Pads = { readonly value: number } & ({ readonly pads: readonly number[] } | Positions)

/** Elements around a part: so many before and after each axis, or the position of each, one behind the last for none. */
const readPad: Reading = (attributes, [x]): Pads => {
  const { shape, view, value } = attributes as PadAttributes
  const part = partOf(view, shape)
  if ('ranges' in part && part.ranges.every(({ step }) => step === 1)) {
    const before = shape.map((_, axis) => part.ranges.find((r) => r.axis === axis)?.start ?? 0)
    const after = shape.map((extent, axis) => extent - before[axis] - x[axis])
    return { value, pads: [...before, ...after] }
  }
  const { indices, perExample } = positionsOf(view, shape)
  const [size, parts] = [shape, x].map((s) =>
    s.slice(perExample ? 1 : 0).reduce((product, extent) => product * extent, 1),
  )
  const origin = Array<number>(size).fill(parts)
  for (const [i, position] of indices.entries()) origin[position] = i
  return { value, indices: origin, perExample }
}

const pad = plain((g, [x], pads: Pads, call) => {
  const value = g.scalar(pads.value, call.dtype)
  if ('pads' in pads) {
    if (pads.pads.every((n) => n === 0)) return x
    return g.node('Pad', [x, g.ints(pads.pads.map((n) => fixed(n, 'padding', call))), value])
  }
  const flat = flattened(g, x, pads.perExample)
  const one = pads.perExample ? [0, 0, 0, 1] : [0, 1]
  return take(g, g.node('Pad', [flat, g.ints(one), value]), pads, call)
}, readPad)

const roll = plain((g, [x], { axis, shift }, call) => {
  const by = fixed(shift, 'a shift', call)
  if (by === 0) return x
  const part = (start: number, end: number) =>
    g.node('Slice', [x, g.ints([start]), g.ints([end]), g.ints([axis])])
  return g.node('Concat', [part(-by, END), part(0, -by)], { axis })
})

export const layoutRows: Rows = {
  reshape,
  transpose,
  concat,
  slice,
  pad,
  roll,
  broadcastTo: plain((g, [x], _, call) => g.node('Expand', [x, g.extents(call.shape)])),
  triangle: plain((g, [x], { diagonal, upper }, call) => {
    const isWhole = call.dtype === 'int32' || call.dtype === 'uint8'
    const from = isWhole ? g.cast(x, 'int64') : x
    const y = g.node('Trilu', [from, g.scalar(diagonal, 'int64')], { upper: Number(upper) })
    return isWhole ? g.cast(y, call.dtype) : y
  }),
}
