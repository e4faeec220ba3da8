/** What a perceptron of scikit-learn minimizes on a batch, and how its gradient is scaled. */

import {
  type Linear,
  type Loss,
  noGrad,
  type Regularizer,
  type TargetKind,
  type Targets,
  type Tensor,
  tensor,
} from '../../index.js'
import { everyIteration } from '../../internal.js'

/**
 * loss + alpha/2·Σ W² / n for a batch of n. The gradient is multiplied by a rate that can change
 * between epochs: SGD's learning rate, so that the velocity holds steps as it does in scikit-learn,
 * not gradients.
 */
export class Objective {
  /** Of the weights' penalty: λ·Σ W² with the λ of the batch whose step is next. */
  readonly regularizer: Regularizer
  readonly #layers: readonly Linear[]
  readonly #scale: Tensor
  #rate = 1
  #lambda = 0

  constructor(
    layers: readonly Linear[],
    readonly loss: Loss<TargetKind>,
    /** What the gradient of the loss, not that of the penalty, is multiplied by beside the rate. */
    readonly gradientScale: number,
    /** Strength of the penalty; it can change between fits. */
    public alpha: number,
  ) {
    this.#layers = layers
    this.#scale = tensor([1], [])
    const lambda = () => this.#lambda
    this.regularizer = {
      get l2() {
        return lambda()
      },
      penalty: (weight) => weight.square().sum().mul(lambda()),
    }
  }

  set rate(rate: number) {
    this.#rate = rate
    this.#scale.assign([rate * this.gradientScale])
  }

  /** The value is not scaled, its gradient is; that of the penalty is left to the optimizer. */
  value(outputs: Tensor, targets: Targets): Tensor {
    const n = outputs.shape[0]
    everyIteration(() => {
      this.#lambda = (this.#rate * this.alpha) / (2 * n)
    })
    const loss = this.loss(outputs, targets)
    const scaled = loss.mul(this.#scale)
    const rest = noGrad(() =>
      this.#layers.reduce(
        (sum, { weight }) =>
          sum.add(
            weight
              .norm()
              .square()
              .mul(this.alpha / (2 * n)),
          ),
        loss.sub(scaled),
      ),
    )
    return scaled.add(rest)
  }

  dispose(): void {
    this.#scale.dispose()
  }
}
