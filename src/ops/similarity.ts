/** How alike two tensors are in their direction. */
import { ShapeError } from '../base/errors.js'
import { broadcastShapes, format, resolveAxis } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { requireFloats } from './require.js'

/** What lengths are taken to be at least, as in PyTorch. */
const SHORTEST = 1e-8

/** Of length 1 along an axis; divided first, so that no product overflows. */
function unit(x: Tensor, axis: number): Tensor {
  return x.div(x.norm(axis, true).clip(SHORTEST, Infinity))
}

/**
 * The cosine of the angle between a and b along an axis, the last by default: Σ a·b / (|a|·|b|), where no
 * length counts as less than 1e-8. The other axes broadcast.
 * @throws ShapeError when shapes do not fit, ArgumentError when a dtype is not float
 * @example cosineSimilarity(tensor([[3, 4]]), tensor([[4, 3]])) // [0.96]
 */
export function cosineSimilarity(a: Tensor, b: Tensor, axis = -1): Tensor {
  requireFloats('cosineSimilarity', a, b)
  const rank = broadcastShapes('cosineSimilarity', a.shape, b.shape).length
  const along = resolveAxis('cosineSimilarity', axis, rank) - rank
  if (a.shape.at(along) !== b.shape.at(along)) {
    throw new ShapeError(
      `cosineSimilarity: expected as many elements along axis ${axis}, got ${format(a.shape)} and ${format(b.shape)}`,
    )
  }
  return unit(a, along).mul(unit(b, along)).sum(along)
}
