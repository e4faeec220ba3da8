/** Every element, or row, of one tensor with every one of another. */
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { broadcastShapes, format, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { expandTo } from './layout.js'
import { requireFloats } from './require.js'

/**
 * Products of all elements of one vector with all of another: a [n] and b [m] make [n, m].
 * @throws ShapeError for what are no vectors, ArgumentError when a dtype is not float
 * @example outer(tensor([1, 2]), tensor([3, 4])) // [[3, 4], [6, 8]]
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  requireFloats('outer', a, b)
  if (a.shape.length !== 1 || b.shape.length !== 1) {
    throw new ShapeError(
      `outer: expected two vectors, got ${format(a.shape)} and ${format(b.shape)}`,
    )
  }
  return a.reshape([a.size, 1]).mul(b)
}

/** Gradient with respect to a. */
function gradient(a: Tensor, b: Tensor, y: Tensor, dy: Tensor): Tensor {
  const da = allocate(a, a.shape)
  const [outer, rowsA, cols] = a.shape
  const buffers = [a.handle, b.handle, y.handle, dy.handle, da.handle] as const
  a.storage.backend.run('cdistGrad', ...buffers, outer, rowsA, b.shape[1], cols)
  return da
}

// a [outer, rowsA, cols], b [outer, rowsB, cols]
const distances = defineOp<readonly [Tensor, Tensor]>('cdist', {
  forward: ([a, b]) => {
    const [outer, rowsA, cols] = a.shape
    const rowsB = b.shape[1]
    const y = allocate(a, [outer, rowsA, rowsB])
    const { backend } = a.storage
    backend.run('cdist', a.handle, b.handle, y.handle, outer, rowsA, rowsB, cols)
    return y
  },
  save: (y, [a, b]) => [y, a, b],
  backward: (dy, [y, a, b]) => [
    () => gradient(a, b, y, dy),
    () => gradient(b, a, y.transpose([0, 2, 1]), dy.transpose([0, 2, 1])),
  ],
})

/**
 * Euclidean distances between the rows of a [..., n, features] and of b [..., m, features]:
 * [..., n, m]. Axes before them broadcast. The gradient of a distance of 0 is 0, as in PyTorch.
 * @throws ShapeError when shapes do not fit, ArgumentError when a dtype is not float
 * @example cdist(tensor([[0, 0], [3, 4]]), tensor([[0, 0]])) // [[0], [5]]
 */
export function cdist(a: Tensor, b: Tensor): Tensor {
  requireFloats('cdist', a, b)
  const features = a.shape.at(-1)
  if (a.shape.length < 2 || b.shape.length < 2 || features !== b.shape.at(-1)) {
    throw new ShapeError(
      `cdist: expected rows with as many features, [..., n, features] and [..., m, features], got ${format(a.shape)} and ${format(b.shape)}`,
    )
  }
  const batch = broadcastShapes('cdist', a.shape.slice(0, -2), b.shape.slice(0, -2))
  const rowsOf = (x: Tensor) => {
    const rows = x.shape.slice(-2)
    const isWhole =
      x.shape.length === batch.length + 2 && sizeOf(x.shape) === sizeOf([...batch, ...rows])
    return (isWhole ? x : expandTo(x, [...batch, ...rows])).reshape([sizeOf(batch), ...rows])
  }
  return distances(rowsOf(a), rowsOf(b)).reshape([...batch, a.shape.at(-2)!, b.shape.at(-2)!])
}
