/**
 * What restricted Boltzmann machines and autoencoders have in common: one hidden layer that learns
 * from inputs alone, in an ordinary training run.
 */

import { ArgumentError, ShapeError } from '../base/errors.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import { zeros } from '../nn/init.js'
import { Linear, type LinearOptions } from '../nn/linear.js'
import { Module, Parameter } from '../nn/module.js'
import { noGrad } from '../tensor/graph.js'
import type { Tensor } from '../tensor/tensor.js'
import { fit } from '../training/fit.js'
import type { FitOptions } from '../training/fitOptions.js'
import type { TrainingHistory } from '../training/report.js'

/** Options of training a layer: those of `fit`, without the loss, which the layer has itself. */
export type LayerFitOptions = Omit<FitOptions, 'loss'>

/**
 * What restricted Boltzmann machines and autoencoders have in common: one hidden layer that learns
 * from inputs alone.
 */
export abstract class UnsupervisedLayer extends Module {
  /** x·weight + bias: weight [visible, hidden], bias [hidden]. */
  readonly encoder: Linear
  /** [visible] */
  readonly visibleBias: Parameter

  /**
   * A layer with new weights.
   * @throws ShapeError for sizes below 1
   */
  constructor(visible: number, hidden: number, options: LinearOptions) {
    super()
    this.encoder = new Linear(visible, hidden, options)
    this.visibleBias = new Parameter(zeros([visible]), { regularized: false })
  }

  /** Activities of the hidden units, [batch, hidden], for x [batch, visible]. */
  abstract encode(x: Tensor): Tensor

  /** What hidden activities [batch, hidden] say about the visible units, [batch, visible]. */
  abstract decode(h: Tensor): Tensor

  /** What training minimizes, for a batch x [batch, visible]: a scalar to call `backward` on. */
  abstract reconstructionLoss(x: Tensor): Tensor

  /** Whether inputs must lie between 0 and 1. */
  protected abstract readonly takesProbabilities: boolean

  /** The reconstruction of x. */
  forward(x: Tensor): Tensor {
    return this.decode(this.encode(x))
  }

  /**
   * Trains on the inputs of a data set, as `fit` does; its targets are not looked at.
   * @param below what the inputs go through first, without being trained
   * @throws ShapeError when the inputs have not as many values as there are visible units,
   * ArgumentError when they are not from 0 to 1 where they must be, and what `fit` throws
   * @example await rbm.fit(train, { optimizer: new SGD(rbm.parameters(), { lr: 0.1 }), epochs: 5 })
   */
  async fit(
    given: Dataset,
    options: LayerFitOptions,
    below?: (x: Tensor) => Tensor,
  ): Promise<TrainingHistory> {
    const data = checkDataset(this.constructor.name, given)
    if (below === undefined) this.#check(data)
    const { validation } = options ?? {}
    return fit(new LayerLoss(this, below), withoutTargets(data), {
      ...options,
      ...(typeof validation === 'object' && { validation: withoutTargets(validation) }),
      loss: (loss) => loss,
    })
  }

  #check({ inputs, inputShape, scale }: Dataset): void {
    const name = this.constructor.name
    const [visible] = this.encoder.weight.shape
    if (inputShape.length !== 1 || inputShape[0] !== visible) {
      throw new ShapeError(
        `${name}: expected inputs of shape [${visible}], got [${inputShape.join(', ')}]`,
      )
    }
    const isFromBytes = inputs instanceof Uint8Array && scale >= 0 && scale * 255 <= 1
    if (!this.takesProbabilities || isFromBytes) return
    for (let i = 0; i < inputs.length; i++) {
      const value = inputs[i] * scale
      if (value >= 0 && value <= 1) continue
      throw new ArgumentError(
        `${name}: expected inputs from 0 to 1, got ${value} at position ${i}; scale them, or choose real-valued visible units`,
      )
    }
  }
}

/** The loss of a layer as a model that `fit` trains. */
class LayerLoss extends Module {
  constructor(
    readonly layer: UnsupervisedLayer,
    readonly below: ((x: Tensor) => Tensor) | undefined,
  ) {
    super()
  }

  forward(x: Tensor): Tensor {
    const { below } = this
    return this.layer.reconstructionLoss(below ? noGrad(() => below(x)) : x)
  }
}

/** The data set with a 0 for every target. */
function withoutTargets(data: Dataset): Dataset {
  return { ...data, targets: new Float32Array(data.size), targetShape: [1], classes: [] }
}
