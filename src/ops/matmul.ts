/**
 * Products of matrices; transposes are flags of the GEMM, never copies.
 */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { sumTo } from './raw.js'
import { requireFloats, requireTensor } from './require.js'

/** @inline */
interface Transposes {
  transA: boolean
  transB: boolean
}

/** m, n, k of op(a) [m, k] and op(b) [k, n], which must be matrices that fit. */
function extentsOf(op: string, a: Tensor, b: Tensor, { transA, transB }: Transposes) {
  requireFloats(op, a, b)
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new ShapeError(
      `${op}: expected two matrices, got ${format(a.shape)} x ${format(b.shape)}`,
    )
  }
  const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape
  const [kB, n] = transB ? [b.shape[1], b.shape[0]] : b.shape
  if (k !== kB) {
    const turned = (flag: boolean) => (flag ? ' transposed' : '')
    throw new ShapeError(
      `${op}: inner dimensions differ, got ${format(a.shape)}${turned(transA)} x ${format(b.shape)}${turned(transB)} (${k} vs ${kB})`,
    )
  }
  return [m, n, k] as const
}

/** y = op(a)·op(b) for matrices, with y new. */
function gemm(op: string, a: Tensor, b: Tensor, transposes: Transposes): Tensor {
  const [m, n, k] = extentsOf(op, a, b, transposes)
  const { transA, transB } = transposes
  const y = allocate(a, [m, n])
  const { backend } = a.storage
  backend.run('gemm', a.handle, b.handle, y.handle, +transA, +transB, m, n, k, 1, 0, 0)
  return y
}

const multiply = defineOp<readonly [Tensor, Tensor], Transposes>('matmul', {
  forward: ([a, b], attributes) => gemm('matmul', a, b, attributes),
  save: (_, inputs) => inputs,
  backward: (dy, [a, b], { attributes: { transA, transB } }) => [
    () =>
      transA
        ? gemm('matmul', b, dy, { transA: transB, transB: true })
        : gemm('matmul', dy, b, { transA: false, transB: !transB }),
    () =>
      transB
        ? gemm('matmul', dy, a, { transA: true, transB: transA })
        : gemm('matmul', a, dy, { transA: !transA, transB: false }),
  ],
})

const AS_THEY_ARE: Transposes = { transA: false, transB: false }

function transposesOf(given: Partial<Transposes>): Transposes {
  const transposes = {
    ...AS_THEY_ARE,
    ...optionsOf('matmul', given, { transA: true, transB: true }),
  }
  for (const [name, flag] of Object.entries(transposes)) checkFlag('matmul', name, flag)
  return transposes
}

/**
 * Product of two matrices, [m, k]·[k, n] = [m, n]; a vector counts as a row on the left and as a
 * column on the right, and that axis is dropped from the result. `transA` and `transB` transpose a
 * matrix without copying it.
 * @throws ShapeError when the inner dimensions differ or there are other than 1 or 2 axes, ArgumentError
 * for flags that do not exist
 */
export function matmul(a: Tensor, b: Tensor, transposes?: Partial<Transposes>): Tensor {
  requireTensor('matmul', a)
  requireTensor('matmul', b)
  const { transA, transB } = transposes === undefined ? AS_THEY_ARE : transposesOf(transposes)
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
  const kept = y.shape.filter((_, axis) => !(axis === 0 ? aIsVector : bIsVector))
  return y.reshape(kept)
}

/**
 * x·weight + bias, the affine layer: x [batch, fanIn], weight [fanIn, fanOut], bias [fanOut].
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const linear = defineOp<readonly [x: Tensor, weight: Tensor, bias: Tensor]>('linear', {
  forward: ([x, weight, bias]) => {
    requireFloats('linear', x, bias)
    const [m, n, k] = extentsOf('linear', x, weight, AS_THEY_ARE)
    if (bias.shape.length !== 1 || bias.shape[0] !== n) {
      throw new ShapeError(`linear: expected a bias of shape [${n}], got ${format(bias.shape)}`)
    }
    const y = allocate(x, [m, n])
    const { backend } = x.storage
    backend.run('linear', x.handle, weight.handle, bias.handle, y.handle, m, n, k, 0)
    return y
  },
  save: (_, [x, weight]) => [x, weight],
  backward: (dy, [x, weight], { shapes }) => [
    () => gemm('linear', dy, weight, { transA: false, transB: true }),
    () => gemm('linear', x, dy, { transA: true, transB: false }),
    () => sumTo(dy, shapes[2]),
  ],
})
