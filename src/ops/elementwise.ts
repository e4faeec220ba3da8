/** Elementwise ops of two operands, with NumPy's broadcasting, of an operand and numbers, and `where`. */
import { ALONG_ALL } from '../backend/broadcast.js'
import { type DType, isFloat } from '../backend/dtype.js'
import type { KernelName } from '../backend/kernels.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { allocate, floatOf, fullLike } from '../tensor/allocate.js'
import { broadcastShapes, planBroadcast, type Shape, sameShape } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { expandForward, permuteForward } from './raw.js'
import {
  requireDType,
  requireFloat,
  requireFloats,
  requireNumerics,
  requireTensor,
} from './require.js'

type Arithmetic = Extract<
  KernelName,
  'add' | 'sub' | 'mul' | 'maximum' | 'minimum' | 'floorDivide' | 'remainder'
>
type Comparison = Extract<
  KernelName,
  'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual'
>
type Logical = Extract<KernelName, 'logicalAnd' | 'logicalOr' | 'logicalXor'>
type BinaryKernel = Arithmetic | Comparison | Logical | 'div' | 'pow' | 'truncDivide'

/** Runs a binary kernel with broadcasting; the result has the dtype of a, unless another is given. */
export function runBinary(
  op: string,
  kernel: BinaryKernel,
  a: AnyTensor,
  b: AnyTensor,
  dtype: DType = a.dtype,
): AnyTensor {
  if (sameShape(a.shape, b.shape)) {
    const y = allocate(a, a.shape, dtype)
    a.storage.backend.run(kernel, a.handle, b.handle, y.handle, 1, 1, a.size, ALONG_ALL, ALONG_ALL)
    return y
  }
  const shape = broadcastShapes(op, a.shape, b.shape)
  const plan = planBroadcast(a.shape, b.shape, shape)
  if (plan === undefined) return runRegrouped(op, kernel, a, b, shape, dtype)
  const y = allocate(a, shape, dtype)
  const [n0, n1, n2] = plan.extents
  a.storage.backend.run(kernel, a.handle, b.handle, y.handle, n0, n1, n2, plan.aMask, plan.bMask)
  return y
}

/** Brings axes that are repeated alike side by side, which leaves at most three levels. */
function runRegrouped(
  op: string,
  kernel: BinaryKernel,
  a: AnyTensor,
  b: AnyTensor,
  shape: Shape,
  dtype: DType,
): AnyTensor {
  const aligned = [a, b].map((x) => x.view([...shape.slice(x.shape.length).fill(1), ...x.shape]))
  const kindOf = (axis: number) => aligned.map((x) => (x.shape[axis] === 1 ? 0 : 1)).join()
  const axes = shape.map((_, axis) => axis).sort((i, j) => kindOf(i).localeCompare(kindOf(j)))
  const [p, q] = aligned.map((x) => permuteForward(x, axes))
  const grouped = runBinary(op, kernel, p, q, dtype)
  const y = permuteForward(
    grouped,
    axes.map((_, axis) => axes.indexOf(axis)),
  )
  for (const x of [...aligned, p, q, grouped]) x.dispose()
  return y
}

/** Of numbers of one dtype, which the result has, too. */
function arithmetic(kernel: Arithmetic, [a, b]: AnyPair): AnyTensor {
  requireNumerics(kernel, a, b)
  return runBinary(kernel, kernel, a, b)
}

type AnyPair = readonly [AnyTensor, AnyTensor]
type Pair = readonly [Tensor, Tensor]
type Single = readonly [Tensor]

export const add = defineOp<AnyPair, undefined, AnyTensor>('add', {
  forward: (inputs) => arithmetic('add', inputs),
  backward: (dy) => [() => dy, () => dy],
})

export const sub = defineOp<AnyPair, undefined, AnyTensor>('sub', {
  forward: (inputs) => arithmetic('sub', inputs),
  backward: (dy) => [() => dy, () => dy.neg()],
})

export const mul = defineOp<AnyPair, undefined, AnyTensor>('mul', {
  forward: (inputs) => arithmetic('mul', inputs),
  save: (_, inputs) => inputs,
  backward: (dy, [a, b]) => [() => dy.mul(b), () => dy.mul(a)],
})

export const div = defineOp<Pair>('div', {
  forward: ([a, b]) => {
    requireFloats('div', a, b)
    return runBinary('div', 'div', a, b)
  },
  save: (y, [, b]) => [y, b],
  backward: (dy, [y, b]) => [() => dy.div(b), () => dy.mul(y.div(b)).neg()],
})

export const pow = defineOp<Pair>('pow', {
  forward: ([a, b]) => {
    requireFloats('pow', a, b)
    return runBinary('pow', 'pow', a, b)
  },
  save: (y, [a, b]) => [y, a, b],
  backward: (dy, [y, a, b]) => [
    // d/da a^b = b·a^(b - 1), and 0 where b is 0, whatever a is.
    () => dy.mul(where(b.equal(0), fullLike(y, 0), b.mul(a.pow(b.sub(1))))),
    // d/db a^b = a^b·log a, and 0 where a is 0 (a^b stays 0 there).
    () => dy.mul(where(a.equal(0), fullLike(y, 0), y.mul(a.log()))),
  ],
})

/**
 * The gradient of one operand of maximum or minimum as PyTorch has it: none where the other was
 * selected, half where they are equal, else all of it, so that both get it where one is NaN.
 */
function gradOfSelected(dy: Tensor, isOther: Tensor, isEqual: Tensor): Tensor {
  return where(isOther, fullLike(dy, 0), where(isEqual, dy.mul(0.5), dy))
}

export const maximum = defineOp<AnyPair, undefined, AnyTensor>('maximum', {
  forward: (inputs) => arithmetic('maximum', inputs),
  save: (_, inputs) => inputs,
  backward: (dy, [a, b]) => [
    () => gradOfSelected(dy, less(a, b), equal(a, b)),
    () => gradOfSelected(dy, less(b, a), equal(a, b)),
  ],
})

export const minimum = defineOp<AnyPair, undefined, AnyTensor>('minimum', {
  forward: (inputs) => arithmetic('minimum', inputs),
  save: (_, inputs) => inputs,
  backward: (dy, [a, b]) => [
    () => gradOfSelected(dy, less(b, a), equal(a, b)),
    () => gradOfSelected(dy, less(a, b), equal(a, b)),
  ],
})

/** Whole quotients, as Python divides; without a gradient, which is 0. */
export const floorDivide = defineOp<AnyPair, undefined, AnyTensor>('floorDivide', {
  forward: (inputs) => arithmetic('floorDivide', inputs),
})
/** What floorDivide leaves, with the sign of b. */
export const remainder = defineOp<AnyPair, undefined, AnyTensor>('remainder', {
  forward: (inputs) => arithmetic('remainder', inputs),
  save: (_, inputs) => inputs,
  backward: (dy, [a, b]) => [() => dy, () => dy.mul(floorDivide(a, b)).neg()],
})
/** Quotients of integers without what is behind the point. */
export const truncDivide = defineOp<AnyPair, undefined, AnyTensor>('truncDivide', {
  forward: ([a, b]) => {
    requireDType('truncDivide', a, 'int32')
    requireDType('truncDivide', b, 'int32')
    return runBinary('truncDivide', 'truncDivide', a, b)
  },
})

/** 1 or 0, as floats, for operands of one dtype. */
function defineComparison(name: Comparison) {
  return defineOp<AnyPair>(name, {
    forward: ([a, b]) => {
      requireDType(name, b, a.dtype)
      return runBinary(name, name, a, b, floatOf(a)) as Tensor
    },
  })
}
export const equal = defineComparison('equal')
export const notEqual = defineComparison('notEqual')
export const less = defineComparison('less')
export const lessEqual = defineComparison('lessEqual')
export const greater = defineComparison('greater')
export const greaterEqual = defineComparison('greaterEqual')

/** scale·x + shift */
export const affine = defineOp<Single, { scale: number; shift: number }>('affine', {
  forward: ([x], { scale, shift }) => {
    requireFloat('affine', x)
    const y = allocate(x, x.shape)
    x.storage.backend.run('affine', x.handle, y.handle, x.size, scale, shift)
    return y
  },
  backward: (dy, _, { attributes: { scale } }) => [() => dy.mul(scale)],
})

/** min(max(x, low), high); the gradient is 0 where x was cut off, also one that is not finite. */
export const clip = defineOp<Single, { low: number; high: number }>('clip', {
  forward: ([x], { low, high }) => {
    requireFloat('clip', x)
    if (typeof low !== 'number' || typeof high !== 'number' || !(low <= high)) {
      throw new ArgumentError(
        `clip: expected low <= high, got ${excerpt(low)} and ${excerpt(high)}`,
      )
    }
    const y = allocate(x, x.shape)
    x.storage.backend.run('clip', x.handle, y.handle, x.size, low, high)
    return y
  },
  save: (y, [x]) => [y, x],
  backward: (dy, [y, x]) => [() => where(equal(y, x), dy, fullLike(dy, 0))],
})

/** Refuses what chooses nothing: a condition is a bool, or a float that is 0 or not. */
export function requireCondition(op: string, condition: AnyTensor): void {
  requireTensor(op, condition)
  if (condition.dtype !== 'bool' && !isFloat(condition.dtype)) requireDType(op, condition, 'bool')
}

const select = defineOp<readonly [AnyTensor, AnyTensor, AnyTensor], undefined, AnyTensor>('where', {
  forward: ([condition, a, b]) => {
    requireCondition('where', condition)
    requireDType('where', b, a.dtype)
    const shape = broadcastShapes(
      'where',
      broadcastShapes('where', condition.shape, a.shape),
      b.shape,
    )
    const [c, p, q] = [condition, a, b].map((x) =>
      sameShape(x.shape, shape) ? x.view() : expandForward(x, shape),
    )
    const y = allocate(a, shape, a.dtype)
    y.storage.backend.run('select', c.handle, p.handle, q.handle, y.handle, y.size)
    for (const x of [c, p, q]) x.dispose()
    return y
  },
  save: (_, [condition]) => [condition],
  backward: (dy, [condition]) => [
    () => fullLike(dy, 0),
    () => where(condition, dy, fullLike(dy, 0)),
    () => where(condition, fullLike(dy, 0), dy),
  ],
})

/**
 * condition ? a : b, elementwise; a and b are of one dtype, and all three broadcast.
 * @param condition a bool tensor, or a float one such as comparisons give, in which all but 0 holds
 * @throws ShapeError when the shapes do not broadcast, ArgumentError for other dtypes
 * @example where(x.greater(0), x, x.mul(0.1))
 */
export function where<D extends DType>(
  condition: Tensor | Tensor<'bool'>,
  a: Tensor<D>,
  b: Tensor<D>,
): Tensor<D> {
  return select(condition, a, b) as Tensor<D>
}
