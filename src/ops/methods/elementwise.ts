/** Functions of each element, and softmax. */
import type { DType, NumericDType } from '../../backend/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import { clip } from '../elementwise.js'
import { logSoftmax, softmax } from '../softmax.js'
import * as unary from '../unary.js'

export class ElementwiseMethods<D extends DType> {
  /** -x, of floats or int32, of which the least stays as it is. */
  neg(this: Tensor<D & NumericDType>): Tensor<D> {
    return unary.neg(this)
  }
  /** |x|, of floats or int32, as `neg`; its derivative at 0 and at NaN is 0. */
  abs(this: Tensor<D & NumericDType>): Tensor<D> {
    return unary.abs(this)
  }
  /** -1, 0 or 1, of floats or int32; of NaN 0, as in PyTorch. It has no gradient. */
  sign(this: Tensor<D & NumericDType>): Tensor<D> {
    return unary.sign(this)
  }
  /** e^x */
  exp(this: Tensor): Tensor {
    return unary.exp(this)
  }
  /** Natural logarithm; -Infinity at 0 and NaN below. */
  log(this: Tensor): Tensor {
    return unary.log(this)
  }
  /** √x; NaN below 0. */
  sqrt(this: Tensor): Tensor {
    return unary.sqrt(this)
  }
  /** x² */
  square(this: Tensor): Tensor {
    return unary.square(this)
  }
  /** 1 / x */
  reciprocal(this: Tensor): Tensor {
    return unary.reciprocal(this)
  }
  /** Sine of x in radians. */
  sin(this: Tensor): Tensor {
    return unary.sin(this)
  }
  /** Cosine of x in radians. */
  cos(this: Tensor): Tensor {
    return unary.cos(this)
  }
  /** log(1 + x), accurate near 0; -Infinity at -1 and NaN below. */
  log1p(this: Tensor): Tensor {
    return unary.log1p(this)
  }
  /** e^x - 1, accurate near 0. */
  expm1(this: Tensor): Tensor {
    return unary.expm1(this)
  }
  /** The error function, 2/√π ∫ e^(-t²) dt from 0 to x. */
  erf(this: Tensor): Tensor {
    return unary.erf(this)
  }
  /** The next whole number below, or x; without a gradient, as `ceil`, `round` and `trunc`. */
  floor(this: Tensor): Tensor {
    return unary.floor(this)
  }
  /** The next whole number above, or x. */
  ceil(this: Tensor): Tensor {
    return unary.ceil(this)
  }
  /** The nearest whole number; of two that are equally near the even one, as NumPy and PyTorch. */
  round(this: Tensor): Tensor {
    return unary.round(this)
  }
  /** x without what is behind the point. */
  trunc(this: Tensor): Tensor {
    return unary.trunc(this)
  }
  /** 1 where x is NaN, else 0. */
  isNaN(this: Tensor): Tensor {
    return unary.isNaN(this)
  }
  /** 0 where x is NaN or infinite, else 1. */
  isFinite(this: Tensor): Tensor {
    return unary.isFinite(this)
  }
  /** max(0, x); its derivative at 0 is 0. */
  relu(this: Tensor): Tensor {
    return unary.relu(this)
  }
  /** 1 / (1 + e^-x) */
  sigmoid(this: Tensor): Tensor {
    return unary.sigmoid(this)
  }
  /** Hyperbolic tangent. */
  tanh(this: Tensor): Tensor {
    return unary.tanh(this)
  }
  /** log(1 + e^x), without overflow and accurate in both tails. */
  softplus(this: Tensor): Tensor {
    return unary.softplus(this)
  }
  /**
   * min(max(x, low), high); the gradient is 0 where something was cut off, not at the bounds.
   * @throws ArgumentError when low > high
   */
  clip(this: Tensor, low: number, high: number): Tensor {
    return clip(this, { low, high })
  }
  /**
   * e^x / Σ e^x along an axis, the last one by default; stable for any x.
   * @throws ShapeError when there is no such axis
   */
  softmax(this: Tensor, axis = -1): Tensor {
    return softmax(this, axis)
  }
  /**
   * log(softmax(x)) along an axis, the last one by default, without rounding small probabilities to
   * 0.
   * @throws ShapeError when there is no such axis
   */
  logSoftmax(this: Tensor, axis = -1): Tensor {
    return logSoftmax(this, axis)
  }
}
