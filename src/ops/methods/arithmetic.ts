/** Arithmetic and comparisons, with NumPy's broadcasting. */
import { type DType, isFloat } from '../../backend/dtype.js'
import { allocate, fullLike } from '../../tensor/allocate.js'
import { type AnyTensor, type Operand, type Tensor, writeElements } from '../../tensor/tensor.js'
import * as elementwise from '../elementwise.js'
import { square } from '../unary.js'

export class ArithmeticMethods<D extends DType> {
  /**
   * x + y, elementwise with NumPy's broadcasting.
   * @throws ShapeError when the shapes do not broadcast, ArgumentError when a dtype is not float
   */
  add(this: Tensor, y: Operand): Tensor {
    if (typeof y === 'number') return elementwise.affine(this, { scale: 1, shift: y })
    return elementwise.add(this, y)
  }
  /** x - y, elementwise with NumPy's broadcasting; throws as `add`. */
  sub(this: Tensor, y: Operand): Tensor {
    if (typeof y === 'number') return elementwise.affine(this, { scale: 1, shift: -y })
    return elementwise.sub(this, y)
  }
  /** x·y, elementwise with NumPy's broadcasting; throws as `add`. */
  mul(this: Tensor, y: Operand): Tensor {
    // Adding -0 changes nothing, while adding 0 would make 0 of -0.
    if (typeof y === 'number') return elementwise.affine(this, { scale: y, shift: -0 })
    return elementwise.mul(this, y)
  }
  /**
   * x / y, elementwise with NumPy's broadcasting; throws as `add`. Division by 0 gives ±Infinity or
   * NaN.
   */
  div(this: Tensor, y: Operand): Tensor {
    return elementwise.div(this, operand(this, y))
  }
  /**
   * x^y, elementwise with NumPy's broadcasting; throws as `add`. NaN for x < 0 and a y that is no
   * whole number.
   */
  pow(this: Tensor, y: Operand): Tensor {
    return y === 2 ? square(this) : elementwise.pow(this, operand(this, y))
  }
  /**
   * The larger of x and y, elementwise with NumPy's broadcasting; throws as `add`. Where they are
   * equal, each gets half of the gradient; where one is NaN, both get all of it, as in PyTorch.
   */
  maximum(this: Tensor, y: Operand): Tensor {
    return elementwise.maximum(this, operand(this, y))
  }
  /**
   * The smaller of x and y, elementwise with NumPy's broadcasting; throws as `add`. Where they are
   * equal, each gets half of the gradient; where one is NaN, both get all of it, as in PyTorch.
   */
  minimum(this: Tensor, y: Operand): Tensor {
    return elementwise.minimum(this, operand(this, y))
  }

  // Comparisons: 1 where they hold, else 0. int32 tensors know `equal` and `notEqual`.

  /**
   * 1 where x = y, else 0, with NumPy's broadcasting; of any dtype, the same for both.
   * @throws ShapeError when the shapes do not broadcast, ArgumentError when the dtypes differ
   */
  equal(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.equal(this, operand(this, y))
  }
  /** 1 where x ≠ y, else 0; for floats and int32, otherwise as `equal`. */
  notEqual(this: Tensor<D>, y: Tensor<D> | number): Tensor {
    return elementwise.notEqual(this, operand(this, y))
  }
  /** 1 where x < y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  less(this: Tensor, y: Operand): Tensor {
    return elementwise.less(this, operand(this, y))
  }
  /** 1 where x ≤ y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  lessEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.lessEqual(this, operand(this, y))
  }
  /** 1 where x > y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  greater(this: Tensor, y: Operand): Tensor {
    return elementwise.greater(this, operand(this, y))
  }
  /** 1 where x ≥ y, else 0, with NumPy's broadcasting; for floats, throws as `add`. */
  greaterEqual(this: Tensor, y: Operand): Tensor {
    return elementwise.greaterEqual(this, operand(this, y))
  }
}

/** A number as a scalar beside x. */
// biome-ignore lint/suspicious/noExplicitAny: the dtype is checked by the op
function operand(x: AnyTensor, y: AnyTensor | number): any {
  if (typeof y !== 'number') return y
  if (isFloat(x.dtype)) return fullLike(x, y, [])
  x.handle // refuses a released tensor
  const scalar = allocate(x, [], x.dtype)
  writeElements(x.dtype, scalar, [y])
  return scalar
}
