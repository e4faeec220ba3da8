/** Einstein sums of two tensors: a batched product of matrices between transposes. */

import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import { type Rules, rule } from '../rule.js'
import { sizeOf } from '../shape.js'
import { product } from './matmul.js'
import { transposed } from './move.js'

/** Sums over axes that only one operand has, and those of other numbers of operands, are left to `cpu`. */
const einsum = rule<TensorInfo[], { equation: string }>((backend, tensors, { equation }) => {
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(
    equation,
    tensors.length,
  )
  backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as never)
  if (tensors.length !== 2 || tensors.some((x) => x.dtype !== 'float32')) return undefined
  const [a, b] = tensors
  const [aDims, bDims] = idDims
  const isSummed = (dim: number) => summedDims.includes(dim)
  if (summedDims.some((dim) => !(aDims.includes(dim) && bDims.includes(dim)))) return undefined
  const extent = (dim: number) =>
    aDims.includes(dim) ? a.shape[aDims.indexOf(dim)] : b.shape[bDims.indexOf(dim)]
  const shared = aDims.filter((dim) => bDims.includes(dim) && !isSummed(dim))
  const rows = aDims.filter((dim) => !bDims.includes(dim))
  const cols = bDims.filter((dim) => !aDims.includes(dim))
  const sizes = [shared, rows, summedDims, cols].map((dims) => sizeOf(dims.map(extent)))
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
  const left = matrices(a, aDims, [...shared, ...rows, ...summedDims], [count, m, k])
  const right = matrices(b, bDims, [...shared, ...summedDims, ...cols], [count, k, n])
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
})

export const sums: Rules = { Einsum: einsum }
