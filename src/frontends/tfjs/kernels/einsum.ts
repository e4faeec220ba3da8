/**
 * Einstein sums: what only one tensor has and the result has not is summed up at first, and of two tensors the rest is a
 * batched product of matrices between transposes. TensorFlow.js knows none of three.
 */

import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { NeuroblasBackend } from '../backend.js'
import { type Rules, rule } from '../rule.js'
import { sizeOf } from '../shape.js'
import { product } from './matmul.js'
import { transposed } from './move.js'
import { reduced } from './reduce.js'

/** A tensor, and which dimension each of its axes is. */
interface Operand {
  x: TensorInfo
  dims: readonly number[]
}

/** Without the axes that are not to be kept. */
function summed(
  backend: NeuroblasBackend,
  { x, dims }: Operand,
  isKept: (dim: number) => boolean,
): Operand {
  const axis = [...dims.keys()].filter((i) => !isKept(dims[i]))
  const y = reduced(backend, x, { axis, keepDims: false }, (from, to, extents) =>
    backend.device.run('sum', from, to, ...extents, 1),
  )
  return { x: y, dims: dims.filter(isKept) }
}

const einsum = rule<TensorInfo[], { equation: string }>((backend, tensors, { equation }) => {
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(
    equation,
    tensors.length,
  )
  backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as never)
  if (tensors.some((x) => x.dtype !== 'float32')) return undefined
  const operands = tensors.map((x, i) =>
    summed(
      backend,
      { x, dims: idDims[i] },
      (dim) =>
        !summedDims.includes(dim) ||
        idDims.some((dims, other) => other !== i && dims.includes(dim)),
    ),
  )
  const [first, second] = operands
  const order = allDims.map((_, dim) => dim).filter((dim) => !summedDims.includes(dim))
  const y = second
    ? multiplied(backend, first, second, summedDims)
    : transposed(
        backend,
        first.x,
        order.map((dim) => first.dims.indexOf(dim)),
      )
  for (const { x } of operands) backend.disposeIntermediateTensorInfo(x)
  return y
})

/** The dimensions that are summed are in both. */
function multiplied(
  backend: NeuroblasBackend,
  { x: a, dims: aDims }: Operand,
  { x: b, dims: bDims }: Operand,
  summedDims: readonly number[],
): TensorInfo {
  const contracted = summedDims.filter((dim) => aDims.includes(dim))
  const isSummed = (dim: number) => contracted.includes(dim)
  const extent = (dim: number) =>
    aDims.includes(dim) ? a.shape[aDims.indexOf(dim)] : b.shape[bDims.indexOf(dim)]
  const shared = aDims.filter((dim) => bDims.includes(dim) && !isSummed(dim))
  const rows = aDims.filter((dim) => !bDims.includes(dim))
  const cols = bDims.filter((dim) => !aDims.includes(dim))
  const sizes = [shared, rows, contracted, cols].map((dims) => sizeOf(dims.map(extent)))
  const [count, m, k, n] = sizes
  const matrices = (
    x: TensorInfo,
    dims: readonly number[],
    order: readonly number[],
    shape: number[],
  ) =>
    transposed(
      backend,
      x,
      order.map((dim) => dims.indexOf(dim)),
      shape,
    )
  const left = matrices(a, aDims, [...shared, ...rows, ...contracted], [count, m, k])
  const right = matrices(b, bDims, [...shared, ...contracted, ...cols], [count, k, n])
  const y = product(
    backend,
    { handle: backend.handleOf(left), shape: left.shape },
    { handle: backend.handleOf(right), shape: right.shape },
    { transposeA: false, transposeB: false },
  )!
  backend.disposeIntermediateTensorInfo(left)
  backend.disposeIntermediateTensorInfo(right)
  const order = [...shared, ...rows, ...cols]
  const whole = backend.tensorOf(y.handle, order.map(extent), 'float32')
  // The first dimensions are those of the result, in its order.
  const perm = order.map((_, dim) => order.indexOf(dim))
  if (perm.every((dim, i) => dim === i)) return whole
  const result = transposed(backend, whole, perm)
  backend.disposeIntermediateTensorInfo(whole)
  return result
}

export const sums: Rules = { Einsum: einsum }
