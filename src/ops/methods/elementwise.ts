/** Functions of each element, and softmax. */
import type { Tensor } from '../../tensor/tensor.js'
import * as elementwise from '../elementwise.js'
import { logSoftmax, softmax } from '../softmax.js'

export class ElementwiseMethods {
  /** -x */
  neg(this: Tensor): Tensor {
    return elementwise.neg(this)
  }
  /** |x|; its derivative at 0 and at NaN is 0. */
  abs(this: Tensor): Tensor {
    return elementwise.abs(this)
  }
  /** -1, 0 or 1; of NaN 0, as in PyTorch. It has no gradient. */
  sign(this: Tensor): Tensor {
    return elementwise.sign(this)
  }
  /** e^x */
  exp(this: Tensor): Tensor {
    return elementwise.exp(this)
  }
  /** Natural logarithm; -Infinity at 0 and NaN below. */
  log(this: Tensor): Tensor {
    return elementwise.log(this)
  }
  /** √x; NaN below 0. */
  sqrt(this: Tensor): Tensor {
    return elementwise.sqrt(this)
  }
  /** x² */
  square(this: Tensor): Tensor {
    return elementwise.square(this)
  }
  /** 1 / x */
  reciprocal(this: Tensor): Tensor {
    return elementwise.reciprocal(this)
  }
  /** Sine of x in radians. */
  sin(this: Tensor): Tensor {
    return elementwise.sin(this)
  }
  /** Cosine of x in radians. */
  cos(this: Tensor): Tensor {
    return elementwise.cos(this)
  }
  /** max(0, x); its derivative at 0 is 0. */
  relu(this: Tensor): Tensor {
    return elementwise.relu(this)
  }
  /** 1 / (1 + e^-x) */
  sigmoid(this: Tensor): Tensor {
    return elementwise.sigmoid(this)
  }
  /** Hyperbolic tangent. */
  tanh(this: Tensor): Tensor {
    return elementwise.tanh(this)
  }
  /** log(1 + e^x), without overflow and accurate in both tails. */
  softplus(this: Tensor): Tensor {
    return elementwise.softplus(this)
  }
  /**
   * min(max(x, low), high); the gradient is 0 where something was cut off, not at the bounds.
   * @throws ArgumentError when low > high
   */
  clip(this: Tensor, low: number, high: number): Tensor {
    return elementwise.clip(this, { low, high })
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
