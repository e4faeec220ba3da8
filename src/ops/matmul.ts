/**
 * Products of matrices, alone or as many as a batch has; transposes are flags of the GEMM, and what is
 * repeated by broadcasting is read where it lies: there are no copies.
 */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import {
  broadcastShapes,
  format,
  planBroadcast,
  type Shape,
  sameShape,
  sizeOf,
} from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { expandForward, sumTo } from './raw.js'
import { requireFloats, requireTensor } from './require.js'

/** @inline */
interface Transposes {
  transA: boolean
  transB: boolean
}

const AS_THEY_ARE: Transposes = { transA: false, transB: false }

/** Rows and columns of op(x), whose last two axes are the matrix. */
function matrixOf({ shape }: Tensor, transposed: boolean): [number, number] {
  const [rows, cols] = shape.slice(-2)
  return transposed ? [cols, rows] : [rows, cols]
}

/** m, n, k of op(a) [..., m, k] and op(b) [..., k, n], which must be matrices that fit. */
function extentsOf(op: string, a: Tensor, b: Tensor, { transA, transB }: Transposes) {
  requireFloats(op, a, b)
  const [m, k] = matrixOf(a, transA)
  const [kB, n] = matrixOf(b, transB)
  if (k !== kB) {
    const turned = (flag: boolean) => (flag ? ' transposed' : '')
    throw new ShapeError(
      `${op}: inner dimensions differ, got ${format(a.shape)}${turned(transA)} x ${format(b.shape)}${turned(transB)} (${k} vs ${kB})`,
    )
  }
  return [m, n, k] as const
}

const batchOf = ({ shape }: Tensor): Shape => shape.slice(0, -2)

/** The axes before the matrices of a result. */
function commonBatch(op: string, a: Tensor, b: Tensor): Shape {
  const [aBatch, bBatch] = [batchOf(a), batchOf(b)]
  if (sameShape(aBatch, bBatch)) return aBatch
  return broadcastShapes(`${op} of ${format(a.shape)} x ${format(b.shape)}`, aBatch, bBatch)
}

/** Whether the rows of all a are those of a single product: there is one b. */
const isOneProduct = (a: Tensor, b: Tensor, { transA }: Transposes) =>
  sizeOf(batchOf(b)) === 1 && (!transA || sizeOf(batchOf(a)) === 1)

/** y = op(a)·op(b) of the last two axes, with y new; the axes before them broadcast. */
function product(op: string, a: Tensor, b: Tensor, transposes: Transposes): Tensor {
  const [m, n, k] = extentsOf(op, a, b, transposes)
  const [transA, transB] = [+transposes.transA, +transposes.transB]
  const batch = commonBatch(op, a, b)
  const { backend } = a.storage
  if (isOneProduct(a, b, transposes)) {
    const y = allocate(a, [...batch, m, n])
    const rows = sizeOf(batchOf(a)) * m
    backend.run('gemm', a.handle, b.handle, y.handle, transA, transB, rows, n, k, 1, 0, 0)
    return y
  }
  const plan = planBroadcast(batchOf(a), batchOf(b), batch)
  if (plan === undefined) {
    const [p, q] = [a, b].map((x) => expandForward(x, [...batch, ...x.shape.slice(-2)]))
    const y = product(op, p, q, transposes)
    for (const x of [p, q]) x.dispose()
    return y
  }
  const y = allocate(a, [...batch, m, n])
  const { extents, aMask, bMask } = plan
  const [n0, n1, n2] = extents
  backend.run(
    'gemmBatched',
    a.handle,
    b.handle,
    y.handle,
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
  return y
}

/** All axes but the last as one: the rows of a batch of matrices. */
function asRows(x: Tensor): Tensor {
  return x.view([sizeOf(x.shape.slice(0, -1)), x.shape[x.shape.length - 1]])
}

/** A product as the gradient of an operand: in its shape, summed over what was repeated. */
function gradientOf(
  op: string,
  operand: Shape,
  a: Tensor,
  b: Tensor,
  transposes: Transposes,
): Tensor {
  const y = product(op, a, b, transposes)
  if (sameShape(y.shape, operand)) return y
  const dx = y.size === sizeOf(operand) ? y.view(operand) : sumTo(y, operand)
  y.dispose()
  return dx
}

/** The gradient of b, whose sum over a batch of one b is a single product. */
function gradientOfRight(
  op: string,
  dy: Tensor,
  a: Tensor,
  b: Shape,
  { transA, transB }: Transposes,
): Tensor {
  const isOne = !transA && sizeOf(b.slice(0, -2)) === 1
  const [p, q] = isOne ? [asRows(a), asRows(dy)] : [a.view(), dy.view()]
  const db = transB
    ? gradientOf(op, b, q, p, { transA: true, transB: transA })
    : gradientOf(op, b, p, q, { transA: !transA, transB: false })
  for (const x of [p, q]) x.dispose()
  return db
}

const multiply = defineOp<readonly [Tensor, Tensor], Transposes>('matmul', {
  forward: ([a, b], attributes) => product('matmul', a, b, attributes),
  save: (_, inputs) => inputs,
  backward: (dy, [a, b], { attributes, shapes }) => [
    () =>
      attributes.transA
        ? gradientOf('matmul', shapes[0], b, dy, { transA: attributes.transB, transB: true })
        : gradientOf('matmul', shapes[0], dy, b, { transA: false, transB: !attributes.transB }),
    () => gradientOfRight('matmul', dy, a, shapes[1], attributes),
  ],
})

function transposesOf(given: Partial<Transposes>): Transposes {
  const transposes = {
    ...AS_THEY_ARE,
    ...optionsOf('matmul', given, { transA: true, transB: true }),
  }
  for (const [name, flag] of Object.entries(transposes)) checkFlag('matmul', name, flag)
  return transposes
}

/**
 * Product of matrices, [..., m, k]·[..., k, n] = [..., m, n]: those of the last two axes, for each
 * place of the axes before them, which broadcast as NumPy's do. A vector counts as a row on the left
 * and as a column on the right, and that axis is dropped from the result. `transA` and `transB`
 * transpose the last two axes without copying them.
 * @throws ShapeError when the inner dimensions differ, the axes before do not broadcast, or one is a
 * scalar; ArgumentError for flags that do not exist
 * @example matmul(queries, keys, { transB: true }) // [32, 8, 10, 64] and [32, 8, 12, 64] give [32, 8, 10, 12]
 */
export function matmul(a: Tensor, b: Tensor, transposes?: Partial<Transposes>): Tensor {
  requireTensor('matmul', a)
  requireTensor('matmul', b)
  const { transA, transB } = transposes === undefined ? AS_THEY_ARE : transposesOf(transposes)
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeError(
      `matmul: expected vectors or matrices, got ${format(a.shape)} x ${format(b.shape)}`,
    )
  }
  const aIsVector = a.shape.length === 1
  const bIsVector = b.shape.length === 1
  if (!aIsVector && !bIsVector) return multiply(a, b, { transA, transB })
  if ((aIsVector && transA) || (bIsVector && transB)) {
    throw new ShapeError('matmul: expected a matrix to transpose, got a vector')
  }
  const y = multiply(
    aIsVector ? a.reshape([1, a.size]) : a,
    bIsVector ? b.reshape([b.size, 1]) : b,
    { transA, transB },
  )
  const isDropped = (axis: number) =>
    (axis === y.shape.length - 2 && aIsVector) || (axis === y.shape.length - 1 && bIsVector)
  return y.reshape(y.shape.filter((_, axis) => !isDropped(axis)))
}

/**
 * Products of two batches of matrices, [batch, m, k]·[batch, k, n] = [batch, m, n]; `matmul` takes other
 * ranks, and broadcasts.
 * @throws ShapeError for other shapes
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b]) requireTensor('bmm', x)
  const fits = a.shape.length === 3 && b.shape.length === 3 && a.shape[0] === b.shape[0]
  if (!fits || a.shape[2] !== b.shape[1]) {
    throw new ShapeError(
      `bmm: expected [batch, m, k] and [batch, k, n], got ${format(a.shape)} and ${format(b.shape)}`,
    )
  }
  return multiply(a, b, AS_THEY_ARE)
}

/**
 * x·weight + bias, the affine layer: x [..., fanIn], weight [fanIn, fanOut], bias [fanOut]; all axes of
 * x but the last are the batch.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const linear = defineOp<readonly [x: Tensor, weight: Tensor, bias: Tensor]>('linear', {
  forward: ([x, weight, bias]) => {
    requireFloats('linear', x, bias)
    if (x.shape.length < 2 || weight.shape.length !== 2) {
      throw new ShapeError(
        `linear: expected x [..., fanIn] and weight [fanIn, fanOut], got ${format(x.shape)} and ${format(weight.shape)}`,
      )
    }
    const [, n, k] = extentsOf('linear', x, weight, AS_THEY_ARE)
    if (bias.shape.length !== 1 || bias.shape[0] !== n) {
      throw new ShapeError(`linear: expected a bias of shape [${n}], got ${format(bias.shape)}`)
    }
    const leading = x.shape.slice(0, -1)
    const y = allocate(x, [...leading, n])
    const { backend } = x.storage
    const rows = sizeOf(leading)
    backend.run('linear', x.handle, weight.handle, bias.handle, y.handle, rows, n, k, 0)
    return y
  },
  save: (_, [x, weight]) => [x, weight],
  backward: (dy, [x, weight], { shapes }) => [
    () => product('linear', dy, weight, { transA: false, transB: true }),
    () => gradientOfRight('linear', dy, x, shapes[1], AS_THEY_ARE),
    () => sumTo(dy, shapes[2]),
  ],
})
