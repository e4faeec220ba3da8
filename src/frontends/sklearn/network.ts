/** The perceptron of an estimator, and what it is trained with. */

import {
  init,
  Linear,
  type Loss,
  type Module,
  noGrad,
  type Optimizer,
  ReLU,
  Sequential,
  SGD,
  Sigmoid,
  scope,
  Tanh,
  type TargetKind,
  tensor,
} from '../../index.js'
import { AdamHat, type Values } from '../../internal.js'
import { Objective } from './objective.js'
import type { MLPParameters } from './parameters.js'

const hidden: Record<MLPParameters['activation'], (() => Module) | undefined> = {
  identity: undefined,
  logistic: () => new Sigmoid(),
  tanh: () => new Tanh(),
  relu: () => new ReLU(),
}

/** The perceptron, and what it is trained with. */
export class Network {
  readonly layers: readonly Linear[]
  readonly model: Sequential
  readonly loss: Loss<TargetKind>
  readonly #objective: Objective

  constructor(
    readonly units: readonly number[],
    { loss, gradientScale }: { loss: Loss<TargetKind>; gradientScale: number },
    { activation, alpha }: MLPParameters,
  ) {
    this.layers = units
      .slice(1)
      .map((fanOut, i) => new Linear(units[i], fanOut, { init: init.zeros }))
    const between = hidden[activation]
    this.model = new Sequential(
      ...this.layers.flatMap((layer, i) => (i > 0 && between ? [between(), layer] : [layer])),
    )
    this.#objective = new Objective(this.layers, loss, gradientScale, alpha)
    this.loss = (outputs, targets) => this.#objective.value(outputs, targets)
  }

  set alpha(alpha: number) {
    this.#objective.alpha = alpha
  }

  /** A new one; SGD's learning rate is in the gradients already. */
  optimizer(params: MLPParameters): Optimizer {
    const { solver, learningRateInit, momentum, nesterovsMomentum, beta1, beta2, epsilon } = params
    const { regularizer } = this.#objective
    this.setRate(solver === 'sgd' ? learningRateInit : 1)
    return solver === 'sgd'
      ? new SGD(this.model.parameters(), {
          lr: 1,
          momentum,
          nesterov: nesterovsMomentum && momentum > 0,
          regularizer,
        })
      : new AdamHat(this.model.parameters(), {
          lr: learningRateInit,
          beta1,
          beta2,
          epsilon,
          regularizer,
        })
  }

  setRate(rate: number): void {
    this.#objective.rate = rate
  }

  /** Outputs before their activation for `examples` rows of values. */
  forward(values: Float32Array, examples: number): Values {
    const [features, outputs] = [this.units[0], this.units.at(-1)!]
    const results = new Float32Array(examples * outputs)
    const batch = 1000
    for (let from = 0; from < examples; from += batch) {
      const to = Math.min(from + batch, examples)
      const x = values.subarray(from * features, to * features)
      const y = noGrad(() =>
        scope(() => this.model.forward(tensor(x, [to - from, features])).data()),
      )
      results.set(y, from * outputs)
    }
    return { values: results, shape: [examples, outputs] }
  }

  dispose(): void {
    this.model.dispose()
    this.#objective.dispose()
  }
}
