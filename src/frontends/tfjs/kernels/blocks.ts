/** Blocks of space that become batch or depth, and back: a reshape, a transpose and a reshape. */

import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core'
import type { NeuroblasBackend } from '../backend.js'
import { isNumeric } from '../entry.js'
import { type Rules, rule, type Tensors } from '../rule.js'
import type { Shape } from '../shape.js'
import { sliced, transposed } from './move.js'
import { type Paddings, padded } from './pad.js'

const MOST_AXES = 8

/** x with axes split as `split`, in the order of `perm`, joined as `joined`. */
function rearranged(
  backend: NeuroblasBackend,
  x: TensorInfo,
  split: Shape,
  perm: readonly number[],
  joined: Shape,
): TensorInfo {
  return transposed(backend, { ...x, shape: split as number[] }, perm, joined)
}

interface SpaceToBatch {
  blockShape: number[]
  paddings: Paddings
}

const spaceToBatchND = rule<Tensors<'x'>, SpaceToBatch>((backend, { x }, attributes) => {
  const { blockShape, paddings } = attributes
  if (!isNumeric(x.dtype) || x.shape.length + blockShape.length > MOST_AXES) return undefined
  const size = util.sizeFromShape(blockShape)
  const all = x.shape.map((_, axis) => paddings[axis - 1] ?? [0, 0]) as Paddings
  const whole = padded(backend, x, all, 0)
  const split = backend_util.getReshaped(whole.shape, blockShape, size, false)
  const perm = backend_util.getPermuted(split.length, blockShape.length, false)
  const joined = backend_util.getReshapedPermuted(whole.shape, blockShape, size, false)
  const y = rearranged(backend, whole, split, perm, joined)
  backend.disposeIntermediateTensorInfo(whole)
  return y
})

interface BatchToSpace {
  blockShape: number[]
  crops: number[][]
}

const batchToSpaceND = rule<Tensors<'x'>, BatchToSpace>((backend, { x }, { blockShape, crops }) => {
  if (!isNumeric(x.dtype) || x.shape.length + blockShape.length > MOST_AXES) return undefined
  const size = util.sizeFromShape(blockShape)
  const split = backend_util.getReshaped(x.shape, blockShape, size)
  const perm = backend_util.getPermuted(split.length, blockShape.length)
  const joined = backend_util.getReshapedPermuted(x.shape, blockShape, size)
  const whole = rearranged(backend, x, split, perm, joined)
  // Of the batch and the axes of the blocks; what comes after them stays whole.
  const begin = backend_util.getSliceBeginCoords(crops, blockShape.length)
  const kept = backend_util.getSliceSize(joined, crops, blockShape.length)
  const y = sliced(
    backend,
    whole,
    joined.map((_, axis) => begin[axis] ?? 0),
    joined.map((extent, axis) => kept[axis] ?? extent),
  )
  backend.disposeIntermediateTensorInfo(whole)
  return y
})

const depthToSpace = rule<Tensors<'x'>, { blockSize: number; dataFormat: string }>(
  (backend, { x }, { blockSize: block, dataFormat }) => {
    if (!isNumeric(x.dtype) || dataFormat !== 'NHWC') return undefined
    const [batch, height, width, channels] = x.shape
    const depth = channels / (block * block)
    const split = [batch, height, width, block, block, depth]
    const joined = [batch, height * block, width * block, depth]
    return rearranged(backend, x, split, [0, 1, 3, 2, 4, 5], joined)
  },
)

export const blocks: Rules = {
  SpaceToBatchND: spaceToBatchND,
  BatchToSpaceND: batchToSpaceND,
  DepthToSpace: depthToSpace,
}
