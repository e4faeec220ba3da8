/** Arithmetic and comparisons, with NumPy's broadcasting. */
import { type DType, isFloat, type NumericDType } from '../../backend/dtype.js'
import { optionsOf } from '../../base/arguments.js'
import { ArgumentError, excerpt } from '../../base/errors.js'
import { allocate, fullLike } from '../../tensor/allocate.js'
import { defaultFloat } from '../../tensor/defaultFloat.js'
import { type AnyTensor, type Operand, type Tensor, writeElements } from '../../tensor/tensor.js'
import * as elementwise from '../elementwise.js'
import * as logical from '../logical.js'
import { requireDType } from '../require.js'
import { square } from '../unary.js'

/** @inline */
type Rounding = 'floor' | 'trunc'

export class ArithmeticMethods<D extends DType> {
  /**
   * x + y, elementwise with NumPy's broadcasting, of floats or int32, the same for both. Integers wrap
   * around beyond their range.
   * @throws ShapeError when the shapes do not broadcast, ArgumentError for other dtypes, or a number
   *   that int32 does not hold
   */
  add(this: Tensor<D & NumericDType>, y: Tensor<D> | number): Tensor<D> {
    if (isShift(this, y)) return shifted(this, 1, y)
    return elementwise.add(this, operand(this, y))
  }
  /** x - y, elementwise with NumPy's broadcasting; dtypes and errors as for `add`. */
  sub(this: Tensor<D & NumericDType>, y: Tensor<D> | number): Tensor<D> {
    if (isShift(this, y)) return shifted(this, 1, -y)
    return elementwise.sub(this, operand(this, y))
  }
  /** x·y, elementwise with NumPy's broadcasting; dtypes and errors as for `add`. */
  mul(this: Tensor<D & NumericDType>, y: Tensor<D> | number): Tensor<D> {
    // Adding -0 changes nothing, while adding 0 would make 0 of -0.
    if (isShift(this, y)) return shifted(this, y, -0)
    return elementwise.mul(this, operand(this, y))
  }
  /**
   * x / y, elementwise with NumPy's broadcasting; throws as `add`. Division by 0 gives ±Infinity or NaN.
   * Of int32 the quotients are float32, as in PyTorch, unless they are rounded.
   */
  div(
    this: Tensor<D & NumericDType>,
    y: Tensor<D> | number,
  ): Tensor<D extends 'int32' ? 'float32' : D>
  /**
   * Whole quotients, of int32 as int32.
   * @param options.roundingMode `floor` to the next below, as Python divides, `trunc` towards 0
   * @throws KernelError for an int32 divisor of 0, ArgumentError for another mode
   */
  div(
    this: Tensor<D & NumericDType>,
    y: Tensor<D> | number,
    options: { roundingMode: Rounding },
  ): Tensor<D>
  div(this: AnyTensor, y: AnyTensor | number, options?: { roundingMode: Rounding }): AnyTensor {
    return divide(this, y, options)
  }
  /**
   * What a division to the next whole number below leaves: x - y·floor(x / y), with the sign of y, as in
   * Python; otherwise as `add`.
   * @throws KernelError for an int32 divisor of 0
   */
  remainder(this: Tensor<D & NumericDType>, y: Tensor<D> | number): Tensor<D> {
    return elementwise.remainder(this, operand(this, y))
  }
  /**
   * x^y, elementwise with NumPy's broadcasting, of floats; throws as `add`. NaN for x < 0 and a y that
   * is no whole number.
   */
  pow(this: Tensor, y: Operand): Tensor {
    return y === 2 ? square(this) : elementwise.pow(this, operand(this, y))
  }
  /**
   * The larger of x and y, elementwise with NumPy's broadcasting; dtypes and errors as for `add`. Where
   * they are equal, each gets half of the gradient; where one is NaN, both get all of it, as in PyTorch.
   */
  maximum(this: Tensor<D & NumericDType>, y: Tensor<D> | number): Tensor<D> {
    return elementwise.maximum(this, operand(this, y))
  }
  /**
   * The smaller of x and y, elementwise with NumPy's broadcasting; dtypes and errors as for `add`. Where
   * they are equal, each gets half of the gradient; where one is NaN, both get all of it, as in PyTorch.
   */
  minimum(this: Tensor<D & NumericDType>, y: Tensor<D> | number): Tensor<D> {
    return elementwise.minimum(this, operand(this, y))
  }

  // Comparisons: floats, 1 where they hold, else 0; cast('bool') makes truth values of them.

  /**
   * 1 where x = y, else 0, as floats, with NumPy's broadcasting; of any dtype, the same for both.
   * @throws ShapeError when the shapes do not broadcast, ArgumentError when the dtypes differ
   */
  equal(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.equal(this, operand(this, y))
  }
  /** 1 where x ≠ y, else 0; otherwise as `equal`. */
  notEqual(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.notEqual(this, operand(this, y))
  }
  /** 1 where x < y, else 0; otherwise as `equal`. */
  less(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.less(this, operand(this, y))
  }
  /** 1 where x ≤ y, else 0; otherwise as `equal`. */
  lessEqual(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.lessEqual(this, operand(this, y))
  }
  /** 1 where x > y, else 0; otherwise as `equal`. */
  greater(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.greater(this, operand(this, y))
  }
  /** 1 where x ≥ y, else 0; otherwise as `equal`. */
  greaterEqual(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.greaterEqual(this, operand(this, y))
  }

  // Truth values of any dtypes: all but 0 is true.

  /**
   * Where both are true, with NumPy's broadcasting: a bool tensor, of tensors of any dtype, of whose
   * elements all but 0 are true.
   * @throws ShapeError when the shapes do not broadcast
   * @example x.greater(0).logicalAnd(x.less(1))
   */
  logicalAnd(this: Tensor<D>, y: AnyTensor): Tensor<'bool'> {
    return logical.logicalAnd(this, y)
  }
  /** Where one of the two or both are true; otherwise as `logicalAnd`. */
  logicalOr(this: Tensor<D>, y: AnyTensor): Tensor<'bool'> {
    return logical.logicalOr(this, y)
  }
  /** Where one of the two is true, not both; otherwise as `logicalAnd`. */
  logicalXor(this: Tensor<D>, y: AnyTensor): Tensor<'bool'> {
    return logical.logicalXor(this, y)
  }
  /** Where x is 0: a bool tensor. */
  logicalNot(this: Tensor<D>): Tensor<'bool'> {
    return logical.logicalNot(this)
  }
}

/** Whether it is a number beside floats, for which there is a kernel without broadcasting. */
function isShift(x: AnyTensor, y: AnyTensor | number): y is number {
  return typeof y === 'number' && x.dtype !== 'int32'
}

function shifted(x: AnyTensor, scale: number, shift: number): AnyTensor {
  return elementwise.affine(x, { scale, shift })
}

function divide(
  x: AnyTensor,
  y: AnyTensor | number,
  options?: { roundingMode: Rounding },
): AnyTensor {
  if (options === undefined) {
    const isInteger = x.dtype === 'int32'
    const divisor = isInteger && typeof y !== 'number' ? asFloats(y) : y
    const dividend = isInteger ? asFloats(x) : x
    return elementwise.div(dividend, operand(dividend, divisor))
  }
  const { roundingMode } = optionsOf('div', options, { roundingMode: true })
  const divisor = operand(x, y)
  if (roundingMode === 'floor') return elementwise.floorDivide(x, divisor)
  if (roundingMode !== 'trunc') {
    throw new ArgumentError(
      `div: expected roundingMode floor or trunc, got ${excerpt(roundingMode)}`,
    )
  }
  return x.dtype === 'int32' ? elementwise.truncDivide(x, divisor) : x.div(divisor).trunc()
}

/** int32 as floats; what is none is refused. */
function asFloats(x: AnyTensor): Tensor {
  requireDType('div', x, 'int32')
  return x.cast(defaultFloat()) as Tensor
}

/** A number as a scalar beside x; the op checks the dtype. */
function operand(x: AnyTensor, y: AnyTensor | number): AnyTensor {
  if (typeof y !== 'number') return y
  if (isFloat(x.dtype)) return fullLike(x, y, [])
  x.handle // refuses a released tensor
  const scalar = allocate(x, [], x.dtype)
  writeElements(x.dtype, scalar, [y])
  return scalar
}
