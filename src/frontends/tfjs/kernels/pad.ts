/** Elements around a tensor: of one value, or mirrored ones. */

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NeuroblasBackend } from '../backend.js'
import type { NumericType } from '../entry.js'
import { type Rules, rule, type Tensors } from '../rule.js'
import { sizeOf, stridesOf } from '../shape.js'
import { copyStrided } from '../strided.js'
import { isMoved } from './move.js'

export type Paddings = [before: number, after: number][]

/** x with so many elements of this value around it. */
export function padded(
  backend: NeuroblasBackend,
  x: TensorInfo,
  paddings: Paddings,
  value: number,
): TensorInfo {
  const shape = x.shape.map((extent, axis) => paddings[axis][0] + extent + paddings[axis][1])
  const dtype = x.dtype as NumericType
  const size = sizeOf(shape)
  const toStrides = stridesOf(shape)
  const y = backend.device.alloc(size, dtype)
  backend.device.run('fill', y, size, Number(value))
  copyStrided(backend, {
    from: backend.handleOf(x),
    to: y,
    shape: x.shape,
    fromStrides: stridesOf(x.shape),
    toStrides,
    toOffset: paddings.reduce((sum, [before], axis) => sum + before * toStrides[axis], 0),
  })
  return backend.tensorOf(y, shape, dtype)
}

const padV2 = rule<Tensors<'x'>, { paddings: Paddings; constantValue: number }>(
  (backend, { x }, { paddings, constantValue }) => {
    if (!isMoved(x) || paddings.some((pad) => pad[0] < 0 || pad[1] < 0)) return undefined
    return padded(backend, x, paddings, constantValue)
  },
)

/** Axis by axis: x, and its mirrored ends beside it, with the element at the edge (symmetric) or without. */
const mirrorPad = rule<Tensors<'x'>, { paddings: Paddings; mode: 'reflect' | 'symmetric' }>(
  (backend, { x }, { paddings, mode }) => {
    if (!isMoved(x) || sizeOf(x.shape) === 0) return undefined
    const edge = mode === 'reflect' ? 1 : 0
    let from = backend.share(x)
    paddings.forEach(([before, after], axis) => {
      if (before === 0 && after === 0) return
      const next = mirrored(backend, from, axis, [before, after], edge)
      backend.disposeIntermediateTensorInfo(from)
      from = next
    })
    return from
  },
)

function mirrored(
  backend: NeuroblasBackend,
  x: TensorInfo,
  axis: number,
  [before, after]: [number, number],
  edge: number,
): TensorInfo {
  const dtype = x.dtype as NumericType
  const extent = x.shape[axis]
  const shape = x.shape.with(axis, before + extent + after)
  const y = backend.device.alloc(sizeOf(shape), dtype)
  const from = backend.handleOf(x)
  const fromStrides = stridesOf(x.shape)
  const toStrides = stridesOf(shape)
  const copy = (count: number, first: number, step: 1 | -1, target: number) =>
    copyStrided(backend, {
      from,
      to: y,
      shape: x.shape.with(axis, count),
      fromStrides: fromStrides.with(axis, step * fromStrides[axis]),
      toStrides,
      fromOffset: first * fromStrides[axis],
      toOffset: target * toStrides[axis],
    })
  copy(extent, 0, 1, before)
  if (before > 0) copy(before, before - 1 + edge, -1, 0)
  if (after > 0) copy(after, extent - 1 - edge, -1, before + extent)
  return backend.tensorOf(y, shape, dtype)
}

export const pad: Rules = { PadV2: padV2, MirrorPad: mirrorPad }
