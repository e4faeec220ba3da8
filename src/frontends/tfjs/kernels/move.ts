/** Kernels that move elements: slices, transposes, joins, repetitions. */

import { backend_util, slice_util, type TensorInfo, util } from '@tensorflow/tfjs-core'
import type { NeuroblasBackend } from '../backend.js'
import { isNumeric, type NumericType } from '../entry.js'
import { type Rules, rule, type Tensors } from '../rule.js'
import { axesOf, type Shape, sizeOf, sizeWithin, stridesOf } from '../shape.js'
import { copyStrided } from '../strided.js'

interface Steps {
  shape: Shape
  strides: readonly number[]
  offset?: number
}

const MOST_AXES = 8

/** A new tensor of elements of x that lie `strides` apart, in the order of `shape`. */
export function gathered(
  backend: NeuroblasBackend,
  x: TensorInfo,
  { shape, strides, offset = 0 }: Steps,
  as: Shape = shape,
): TensorInfo {
  const dtype = x.dtype as NumericType
  const y = backend.device.alloc(sizeOf(shape), dtype)
  copyStrided(backend, {
    from: backend.handleOf(x),
    to: y,
    shape,
    fromStrides: strides,
    toStrides: stridesOf(shape),
    fromOffset: offset,
  })
  return backend.tensorOf(y, as, dtype)
}

export const isMoved = (x: TensorInfo) => isNumeric(x.dtype) && x.shape.length <= MOST_AXES

export function transposed(
  backend: NeuroblasBackend,
  x: TensorInfo,
  perm: readonly number[],
  as?: Shape,
): TensorInfo {
  const strides = stridesOf(x.shape)
  const moved = {
    shape: perm.map((axis) => x.shape[axis]),
    strides: perm.map((axis) => strides[axis]),
  }
  return gathered(backend, x, moved, as)
}

const transpose = rule<Tensors<'x'>, { perm: number[] }>((backend, { x }, { perm }) =>
  isMoved(x) ? transposed(backend, x, axesOf('transpose', perm, x.shape)) : undefined,
)

export function sliced(
  backend: NeuroblasBackend,
  x: TensorInfo,
  begin: readonly number[],
  size: Shape,
  as: Shape = size,
): TensorInfo {
  const strides = stridesOf(x.shape)
  const offset = begin.reduce((sum, place, axis) => sum + place * strides[axis], 0)
  return gathered(backend, x, { shape: size, strides, offset }, as)
}

const slice = rule<Tensors<'x'>, { begin: number | number[]; size: number | number[] }>(
  (backend, { x }, attributes) => {
    if (!isMoved(x)) return undefined
    const [begin, size] = slice_util.parseSliceParams(x as never, attributes.begin, attributes.size)
    slice_util.assertParamsValid(x as never, begin, size)
    return sliced(backend, x, begin, size)
  },
)

interface StridedSliceAttributes {
  begin: number[]
  end: number[]
  strides: number[]
  beginMask: number
  endMask: number
  ellipsisMask: number
  newAxisMask: number
  shrinkAxisMask: number
}

const stridedSlice = rule<Tensors<'x'>, StridedSliceAttributes>((backend, { x }, a) => {
  if (!isMoved(x)) return undefined
  const info = slice_util.sliceInfo(
    x.shape,
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  )
  if (info.isIdentity) return backend.share(x, info.finalShape)
  const own = stridesOf(x.shape)
  const offset = info.begin.reduce((sum, place, axis) => sum + place * own[axis], 0)
  const shape = slice_util.computeOutShape(info.begin, info.end, info.strides)
  const strides = own.map((stride, axis) => stride * info.strides[axis])
  return gathered(
    backend,
    x,
    { shape, strides, offset: sizeOf(shape) === 0 ? 0 : offset },
    info.finalShape,
  )
})

/** The parts of x along an axis, each of so many places. */
function parts(
  backend: NeuroblasBackend,
  x: TensorInfo,
  axis: number,
  sizes: readonly number[],
  as: (size: Shape) => Shape,
): TensorInfo[] {
  const begin = x.shape.map(() => 0)
  return sizes.map((extent) => {
    const size = x.shape.with(axis, extent)
    const part = sliced(backend, x, begin, size, as(size))
    begin[axis] += extent
    return part
  })
}

const splitV = rule<Tensors<'x'>, { numOrSizeSplits: number | number[]; axis: number }>(
  (backend, { x }, { numOrSizeSplits, axis }) => {
    if (!isMoved(x)) return undefined
    const [along] = util.parseAxisParam(axis, x.shape)
    const sizes = backend_util.prepareSplitSize(x as never, numOrSizeSplits, along)
    return parts(backend, x, along, sizes, (size) => size)
  },
)

const unpack = rule<Tensors<'value'>, { axis: number }>((backend, { value: x }, { axis }) => {
  if (!isMoved(x)) return undefined
  const along = axis < 0 ? axis + x.shape.length : axis
  const ones = new Array<number>(x.shape[along]).fill(1)
  return parts(backend, x, along, ones, (size) => size.toSpliced(along, 1))
})

/** Tensors of one dtype side by side: each is [outer, its own extent·inner]. */
function joined(
  backend: NeuroblasBackend,
  tensors: readonly TensorInfo[],
  outer: number,
  shape: Shape,
): TensorInfo {
  const { device } = backend
  const dtype = tensors[0].dtype as NumericType
  const y = device.alloc(sizeOf(shape), dtype)
  const width = outer === 0 ? 0 : sizeOf(shape) / outer
  let at = 0
  for (const tensor of tensors) {
    const cols = outer === 0 ? 0 : sizeOf(tensor.shape) / outer
    if (cols > 0) device.run('copy2d', backend.handleOf(tensor), y, outer, cols, 0, cols, at, width)
    at += cols
  }
  return backend.tensorOf(y, shape, dtype)
}

const concat = rule<TensorInfo[], { axis: number }>((backend, inputs, { axis }) => {
  const [first] = inputs
  const [along] = util.parseAxisParam(axis, first.shape)
  backend_util.assertParamsConsistent(
    inputs.map((x) => x.shape),
    along,
  )
  if (!isNumeric(first.dtype) || inputs.some((x) => x.dtype !== first.dtype)) return undefined
  const shape = backend_util.computeOutShape(
    inputs.map((x) => x.shape),
    along,
  )
  return joined(backend, inputs, sizeWithin(shape, 0, along), shape)
})

const pack = rule<TensorInfo[], { axis: number }>((backend, inputs, { axis }) => {
  const [first] = inputs
  for (const x of inputs) {
    util.assertShapesMatch(
      first.shape,
      x.shape,
      'All tensors passed to stack must have matching shapes',
    )
    util.assert(
      x.dtype === first.dtype,
      () => 'All tensors passed to stack must have matching dtypes',
    )
  }
  if (!isNumeric(first.dtype)) return undefined
  const along = axis < 0 ? axis + first.shape.length + 1 : axis
  const shape = first.shape.toSpliced(along, 0, inputs.length)
  return joined(backend, inputs, sizeWithin(shape, 0, along), shape)
})

/** Every axis as [repetitions, extent]. */
const tile = rule<Tensors<'x'>, { reps: number[] }>((backend, { x }, { reps }) => {
  if (!isMoved(x) || reps.length !== x.shape.length) return undefined
  const strides = stridesOf(x.shape)
  const axes = reps
    .flatMap((count, axis) => [
      { extent: count, stride: 0 },
      { extent: x.shape[axis], stride: strides[axis] },
    ])
    .filter(({ extent }) => extent !== 1)
  if (axes.length > MOST_AXES) return undefined
  return gathered(
    backend,
    x,
    { shape: axes.map(({ extent }) => extent), strides: axes.map(({ stride }) => stride) },
    x.shape.map((extent, axis) => extent * reps[axis]),
  )
})

const reverse = rule<Tensors<'x'>, { dims: number | number[] }>((backend, { x }, { dims }) => {
  if (!isMoved(x) || x.shape.length === 0) return undefined
  const axes = axesOf('reverse', dims, x.shape)
  const strides = stridesOf(x.shape)
  const offset = axes.reduce((sum, axis) => sum + (x.shape[axis] - 1) * strides[axis], 0)
  const back = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride))
  return gathered(backend, x, {
    shape: x.shape,
    strides: back,
    offset: sizeOf(x.shape) === 0 ? 0 : offset,
  })
})

export const move: Rules = {
  Transpose: transpose,
  Slice: slice,
  StridedSlice: stridedSlice,
  SplitV: splitV,
  Unpack: unpack,
  Concat: concat,
  Pack: pack,
  Tile: tile,
  Reverse: reverse,
}
