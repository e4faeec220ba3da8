/** Reductions, softmax, and the largest and smallest with their places. */

import { type TensorInfo, util } from '@tensorflow/tfjs-core'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { NONE, type NumericType } from '../entry.js'
import { floatsOf, type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { aroundAxis, axesOf, type Shape, sizeOf, sizeWithin } from '../shape.js'

type Extents = [outer: number, length: number, inner: number]
type Fold = (from: Handle, to: Handle, extents: Extents) => void

/** Runs of neighbouring axes, the last first: each is folded at once. */
function runsOf(axes: readonly number[]): [begin: number, end: number][] {
  const runs: [number, number][] = []
  for (const axis of [...axes].sort((a, b) => b - a)) {
    const last = runs.at(-1)
    if (last && last[0] === axis + 1) last[0] = axis
    else runs.push([axis, axis + 1])
  }
  return runs
}

/** x with the axes folded away, one run after the other. */
function foldAxes(
  { device }: NeuroblasBackend,
  x: Handle,
  given: Shape,
  axes: readonly number[],
  dtype: NumericType,
  fold: Fold,
): Handle {
  let shape = [...given]
  let from = x
  for (const [begin, end] of runsOf(axes)) {
    const outer = sizeWithin(shape, 0, begin)
    const length = sizeWithin(shape, begin, end)
    const inner = sizeWithin(shape, end, shape.length)
    const to = device.alloc(outer * inner, dtype)
    fold(from, to, [outer, length, inner])
    if (from !== x) device.release(from)
    from = to
    shape = shape.toSpliced(begin, end - begin)
  }
  return from
}

/** All of x: the same data where it is of that dtype. */
function copied(
  backend: NeuroblasBackend,
  x: TensorInfo,
  shape: Shape,
  dtype: NumericType,
): TensorInfo {
  if (backend.data.get(x.dataId).dtype === dtype) return backend.share(x, shape)
  const size = sizeOf(shape)
  const y = backend.device.alloc(size, dtype)
  backend.device.run('cast', backend.handleOf(x), y, size)
  return backend.tensorOf(y, shape, dtype)
}

interface Attributes {
  /** All of them where it is null. */
  axis: number | number[] | null | undefined
  keepDims: boolean
}

/** The result of folding; a tensor that shares x where there is nothing to fold. */
export function reduced(
  backend: NeuroblasBackend,
  x: TensorInfo,
  { axis, keepDims }: Attributes,
  fold: Fold,
): TensorInfo {
  const axes = axesOf('reduction', axis as number[], x.shape)
  const isFolded = x.shape.map((_, i) => axes.includes(i))
  const shape = keepDims
    ? x.shape.map((extent, i) => (isFolded[i] ? 1 : extent))
    : x.shape.filter((_, i) => !isFolded[i])
  const dtype = x.dtype as NumericType
  if (axes.length === 0) return copied(backend, x, shape, dtype)
  const y = foldAxes(backend, backend.handleOf(x), x.shape, axes, dtype, fold)
  return backend.tensorOf(y, shape, dtype)
}

const sum = rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
  const { device } = backend
  if (x.dtype === 'float32') {
    return reduced(backend, x, attributes, (from, to, extents) =>
      device.run('sum', from, to, ...extents, 1),
    )
  }
  if (x.dtype !== 'int32' && x.dtype !== 'bool') return undefined
  // Of bool, how many are true.
  const wholes = x.dtype === 'bool' ? { ...x, dtype: 'int32' as const } : x
  return reduced(backend, wholes, attributes, (from, to, extents) =>
    device.run('sumInt32', from, to, ...extents),
  )
})

/** Of nothing it is 0, as on the backend `cpu`. */
const mean = rule<Tensors<'x'>, Attributes>((backend, { x: given }, attributes) => {
  if (given.dtype !== 'float32' && given.dtype !== 'int32' && given.dtype !== 'bool')
    return undefined
  const x = { ...given, dtype: 'float32' as const }
  return reduced(backend, x, attributes, (from, to, extents) =>
    backend.device.run('sum', from, to, ...extents, 1 / Math.max(1, extents[1])),
  )
})

/** The device refuses to choose from nothing, which is left to the backend `cpu`. */
function extreme(kernel: 'max' | 'min'): Rule {
  return rule<Tensors<'x'>, Attributes & { reductionIndices?: Attributes['axis'] }>(
    (backend, { x }, { reductionIndices, axis, keepDims }) => {
      if ((x.dtype !== 'float32' && x.dtype !== 'int32') || sizeOf(x.shape) === 0) return undefined
      return reduced(
        backend,
        x,
        { axis: reductionIndices === undefined ? axis : reductionIndices, keepDims },
        (from, to, extents) => backend.device.run(kernel, from, to, ...extents),
      )
    },
  )
}

function truth(kernel: 'any' | 'all'): Rule {
  return rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
    if (x.dtype !== 'bool') return undefined
    return reduced(backend, x, attributes, (from, to, extents) =>
      backend.device.run(kernel, from, to, ...extents),
    )
  })
}

/** Of int32 it wraps around. */
const prod = rule<Tensors<'x'>, Attributes>((backend, { x }, attributes) => {
  if (x.dtype !== 'float32' && x.dtype !== 'int32') return undefined
  return reduced(backend, x, attributes, (from, to, extents) =>
    backend.device.run('prod', from, to, ...extents),
  )
})

function place(kernel: 'argmaxInOrder' | 'argminInOrder'): Rule {
  return rule<Tensors<'x'>, { axis: number }>((backend, { x }, { axis }) => {
    const axes = util.parseAxisParam(axis, x.shape)
    if (
      (x.dtype !== 'float32' && x.dtype !== 'int32') ||
      axes.length !== 1 ||
      sizeOf(x.shape) === 0
    )
      return undefined
    const [outer, length, inner] = aroundAxis(x.shape, axes[0])
    const y = backend.device.alloc(outer * inner, 'int32')
    backend.device.run(kernel, backend.handleOf(x), y, outer, length, inner)
    return backend.tensorOf(y, x.shape.toSpliced(axes[0], 1), 'int32')
  })
}

/** Along the last axis. */
const softmax = rule<Tensors<'logits'>, { dim: number }>((backend, { logits }, { dim }) => {
  const x = floatsOf(backend, logits)
  const last = logits.shape.length - 1
  if (x === NONE || last < 0 || (dim !== -1 && dim !== last)) return undefined
  const size = sizeOf(logits.shape)
  const cols = logits.shape[last]
  const y = backend.device.alloc(size, 'float32')
  backend.device.run('softmax', x, y, cols === 0 ? 0 : size / cols, cols)
  return backend.tensorOf(y, logits.shape, 'float32')
})

export const reduce: Rules = {
  Sum: sum,
  Mean: mean,
  Max: extreme('max'),
  Min: extreme('min'),
  Prod: prod,
  Any: truth('any'),
  All: truth('all'),
  ArgMax: place('argmaxInOrder'),
  ArgMin: place('argminInOrder'),
  Softmax: softmax,
}
