/**
 * Regularizers: λ·Ω over the weights of a network, never over its biases. The optimizer that is
 * given one adds its gradient (L2) or applies its proximal step (L1).
 */
import { isWithin } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * A penalty on weights. An object of your own with a `penalty` is one, too; `l1` and `l2` are only
 * for those that the optimizers have built in.
 */
export interface Regularizer {
  /** λ·Ω of one weight, a scalar that can be differentiated. */
  penalty(weight: Tensor): Tensor
  /** λ of the soft threshold that optimizers build into their update. */
  readonly l1?: number
  /**
   * λ of the decay that optimizers build into their update. A regularizer with neither is
   * differentiated.
   */
  readonly l2?: number
}

function checkLambda(name: string, lambda: number): void {
  if (!isWithin(lambda, 0, Infinity)) {
    throw new ArgumentError(`${name}: expected lambda >= 0, got ${excerpt(lambda)}`)
  }
}

/**
 * Ω = Σ W², gradient 2W; a Gaussian prior on the weights. PyTorch's weightDecay w is 2·lambda.
 * @param lambda strength, >= 0
 * @throws ArgumentError when lambda is out of range
 */
export function l2(lambda: number): Regularizer {
  checkLambda('l2', lambda)
  return { l2: lambda, penalty: (weight) => weight.square().sum().mul(lambda) }
}

/**
 * Ω = Σ |W|, gradient sign(W); a Laplacian prior. Weights that the step would carry across zero
 * stop there (Langford et al. 2009, "Sparse online learning via truncated gradient"), so that they
 * become exactly zero.
 * @param lambda strength, >= 0
 * @throws ArgumentError when lambda is out of range
 */
export function l1(lambda: number): Regularizer {
  checkLambda('l1', lambda)
  return { l1: lambda, penalty: (weight) => weight.abs().sum().mul(lambda) }
}
