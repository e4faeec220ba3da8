/** Products of matrices, batches of them, and with bias and activation. */

import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core'
import { activate, isActivation, prelu } from '../activation.js'
import type { NeuroblasBackend } from '../backend.js'
import { binary, type Elements, extentsOf, levelsOf } from '../broadcast.js'
import { floatsOf, handlesOf, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sameShape, sizeOf } from '../shape.js'

interface Transposes {
  transposeA: boolean
  transposeB: boolean
}

/** What a fused kernel does to its products. */
export interface Finish {
  activation?: string
  leakyreluAlpha?: number
}

interface Product {
  m: number
  n: number
  k: number
  /** The shape around the matrices. */
  outer: Shape
}

/** The extents of op(a)·op(b); throws where they do not fit. */
function extents(a: Shape, b: Shape, { transposeA, transposeB }: Transposes): Product {
  const [rows, cols] = a.slice(-2)
  const [rowsB, colsB] = b.slice(-2)
  const [m, k] = transposeA ? [cols, rows] : [rows, cols]
  const [inner, n] = transposeB ? [colsB, rowsB] : [rowsB, colsB]
  util.assert(
    k === inner,
    () =>
      `Error in matMul: inner shapes (${k}) and (${inner}) of Tensors with shapes ${a} and ${b} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  )
  const outer = backend_util.assertAndGetBroadcastShape(a.slice(0, -2), b.slice(0, -2))
  return { m, n, k, outer }
}

/** op(a)·op(b) of buffers; undefined for batches that alternate between being repeated and not. */
export function product(
  { device }: NeuroblasBackend,
  a: Elements,
  b: Elements,
  transposes: Transposes,
): Elements | undefined {
  const { m, n, k, outer } = extents(a.shape, b.shape, transposes)
  const count = sizeOf(outer)
  const [transA, transB] = [Number(transposes.transposeA), Number(transposes.transposeB)]
  const shape = [...outer, m, n]
  if (count === 1) {
    const y = device.alloc(m * n, 'float32')
    device.run('gemm', a.handle, b.handle, y, transA, transB, m, n, k, 1, 0, 0)
    return { handle: y, shape }
  }
  const levels = levelsOf(a.shape.slice(0, -2), b.shape.slice(0, -2))
  if (levels.extents.length > 3) return undefined
  const y = device.alloc(count * m * n, 'float32')
  const [n0, n1, n2, aMask, bMask] = extentsOf(levels)
  device.run(
    'gemmBatched',
    a.handle,
    b.handle,
    y,
    transA,
    transB,
    n0,
    n1,
    n2,
    aMask,
    bMask,
    m,
    n,
    k,
  )
  return { handle: y, shape }
}

const batchMatMul = rule<Tensors<'a' | 'b'>, Transposes>((backend, { a, b }, transposes) => {
  const handles = handlesOf(backend, [a, b], 'float32')
  if (handles === undefined) return undefined
  const [left, right] = handles
  const y = product(
    backend,
    { handle: left, shape: a.shape },
    { handle: right, shape: b.shape },
    transposes,
  )
  return y && backend.tensorOf(y.handle, y.shape, 'float32')
})

/** What a fused kernel adds and multiplies by, in the result's own layout. */
export interface Fused {
  bias?: TensorInfo
  preluActivationWeights?: TensorInfo
}

const fits = (x: TensorInfo, shape: Shape) =>
  sameShape(backend_util.assertAndGetBroadcastShape(x.shape, shape as number[]), shape) &&
  levelsOf(shape, x.shape).extents.length <= 3

/** Whether bias and activation can be put over a result of this shape in place. */
export function canFinish(
  shape: Shape,
  { bias, preluActivationWeights }: Fused,
  { activation }: Finish,
): boolean {
  if (bias && !(bias.dtype === 'float32' && fits(bias, shape))) return false
  if (activation === 'prelu') {
    return preluActivationWeights?.dtype === 'float32' && fits(preluActivationWeights, shape)
  }
  return !activation || activation === 'linear' || isActivation(activation)
}

/** The result with bias and activation: the same buffer, or a new one in its place. */
export function finish(
  backend: NeuroblasBackend,
  y: Elements,
  { bias, preluActivationWeights }: Fused,
  { activation, leakyreluAlpha }: Finish,
): TensorInfo {
  const { device } = backend
  if (bias) {
    const values = { handle: floatsOf(backend, bias), shape: bias.shape }
    binary(backend, 'add', y, values, 'float32', 'float32', true)
  }
  let { handle } = y
  if (activation === 'prelu') {
    const weights = preluActivationWeights!
    handle = prelu(backend, y, { handle: floatsOf(backend, weights), shape: weights.shape })
    device.release(y.handle)
  } else if (activation && isActivation(activation)) {
    activate(device, activation, handle, handle, sizeOf(y.shape), leakyreluAlpha)
  }
  return backend.tensorOf(handle, y.shape, 'float32')
}

/** Products of two matrices with a bias for each column are one kernel. */
const linearKernels = {
  linear: 'linear',
  relu: 'linearRelu',
  sigmoid: 'linearSigmoid',
} as const

function linear(
  backend: NeuroblasBackend,
  { a, b, bias }: Tensors<'a' | 'b' | 'bias'>,
  activation: keyof typeof linearKernels,
): TensorInfo | undefined {
  const handles = handlesOf(backend, [a, b, bias], 'float32')
  if (handles === undefined) return undefined
  const [x, w, c] = handles
  const { m, n, k } = extents(a.shape, b.shape, { transposeA: false, transposeB: false })
  const y = backend.device.alloc(m * n, 'float32')
  backend.device.run(linearKernels[activation], x, w, c, y, m, n, k, 0)
  const outer = a.shape.slice(0, -2)
  return backend.tensorOf(y, [...outer, m, n], 'float32')
}

const fusedMatMul = rule<Tensors<'a' | 'b'> & Fused, Transposes & Finish>(
  (backend, inputs, attributes) => {
    const { a, b, bias } = inputs
    const { transposeA, transposeB } = attributes
    const activation = attributes.activation ?? 'linear'
    const n = b.shape[b.shape.length - (transposeB ? 2 : 1)]
    const areMatrices =
      sizeOf(a.shape.slice(0, -2)) === 1 && sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    if (
      bias &&
      areMatrices &&
      !transposeA &&
      !transposeB &&
      activation in linearKernels &&
      sizeOf(bias.shape) === n &&
      bias.shape.at(-1) === n &&
      bias.shape.length <= a.shape.length
    ) {
      return linear(backend, { a, b, bias }, activation as keyof typeof linearKernels)
    }
    const handles = handlesOf(backend, [a, b], 'float32')
    if (handles === undefined) return undefined
    const { m, outer } = extents(a.shape, b.shape, attributes)
    if (!canFinish([...outer, m, n], inputs, attributes)) return undefined
    const [left, right] = handles
    const y = product(
      backend,
      { handle: left, shape: a.shape },
      { handle: right, shape: b.shape },
      attributes,
    )
    return y && finish(backend, y, inputs, attributes)
  },
)

export const matmul: Rules = { BatchMatMul: batchMatMul, _FusedMatMul: fusedMatMul }
