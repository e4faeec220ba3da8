/** Activations, beside relu, sigmoid, tanh and softplus. */
import type { Tensor } from '../../tensor/tensor.js'
import * as activations from '../activations.js'

export class ActivationMethods {
  /** x > 0 ? x : negativeSlope·x; at 0 the derivative is negativeSlope. */
  leakyRelu(this: Tensor, negativeSlope = 0.01): Tensor {
    return activations.leakyRelu(this, negativeSlope)
  }
  /** x > 0 ? x : alpha·(e^x - 1) (Clevert et al. 2015); at 0 the derivative is alpha. */
  elu(this: Tensor, alpha = 1): Tensor {
    return activations.elu(this, alpha)
  }
  /**
   * 1.0507·elu(x, 1.67326): outputs of inputs with mean 0 and variance 1 have these again (Klambauer
   * et al. 2017).
   */
  selu(this: Tensor): Tensor {
    return activations.selu(this)
  }
  /**
   * x·Φ(x), with Φ of the normal distribution (Hendrycks and Gimpel 2016), accurate in both tails.
   * @param approximate `tanh` for x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2 instead
   * @throws ArgumentError for what is neither
   */
  gelu(this: Tensor, approximate: activations.GeluApproximation = 'none'): Tensor {
    return activations.gelu(this, approximate)
  }
  /** x·sigmoid(x), also known as swish. */
  silu(this: Tensor): Tensor {
    return activations.silu(this)
  }
  /** x·tanh(log(1 + e^x)) (Misra 2019). */
  mish(this: Tensor): Tensor {
    return activations.mish(this)
  }
  /**
   * min(max(x, min), max), whose derivative at the bounds is 0, other than that of `clip`.
   * @throws ArgumentError when min > max
   */
  hardtanh(this: Tensor, min = -1, max = 1): Tensor {
    return activations.hardtanh(this, min, max)
  }
  /** x / (1 + |x|) */
  softsign(this: Tensor): Tensor {
    return activations.softsign(this)
  }
  /**
   * x > 0 ? x : weight·x (He et al. 2015); at 0 the derivative is the weight's.
   * @param weight of shape [1], or [channels] for the last axis of x
   * @throws ShapeError for a weight of another shape
   */
  prelu(this: Tensor, weight: Tensor): Tensor {
    return activations.prelu(this, weight)
  }
}
