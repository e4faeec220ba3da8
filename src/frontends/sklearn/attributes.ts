/** What a fitted estimator tells of itself: scikit-learn's attributes, without the underscore. */
import type { Sequential } from '../../index.js'
import type { Network } from './network.js'
import type { MLPParameters } from './parameters.js'
import type { Progress } from './progress.js'

export abstract class FittedAttributes {
  abstract readonly params: MLPParameters
  /** @throws NotFittedError before `fit` */
  protected abstract get fitted(): { network: Network; progress: Progress }

  /** Loss of the last epoch, the penalty included: mean over its examples, each before its step. */
  get loss(): number {
    return this.fitted.progress.lossCurve.at(-1) ?? Number.NaN
  }
  /** The loss of each epoch. */
  get lossCurve(): readonly number[] {
    return this.fitted.progress.lossCurve
  }
  /** The least loss so far; undefined with earlyStopping. */
  get bestLoss(): number | undefined {
    const { bestLoss } = this.fitted.progress
    return this.params.earlyStopping ? undefined : bestLoss
  }
  /** With earlyStopping, the score on the examples set aside after each epoch. */
  get validationScores(): readonly number[] | undefined {
    const { validationScores } = this.fitted.progress
    return this.params.earlyStopping ? validationScores : undefined
  }
  /** With earlyStopping, the largest of `validationScores`. */
  get bestValidationScore(): number | undefined {
    const { bestScore } = this.fitted.progress
    return this.params.earlyStopping ? bestScore : undefined
  }
  /** Epochs of the last fit. */
  get nIter(): number {
    return this.fitted.progress.epochs
  }
  /** Examples trained on so far. */
  get t(): number {
    return this.fitted.progress.examples
  }
  /** Features of each example. */
  get nFeaturesIn(): number {
    return this.fitted.network.units[0]
  }
  /** Units of the last layer. */
  get nOutputs(): number {
    return this.fitted.network.units.at(-1)!
  }
  /** Layers of units, inputs and outputs included. */
  get nLayers(): number {
    return this.fitted.network.units.length
  }
  /** Of each layer, its weights [fanIn][fanOut]. */
  get coefs(): number[][][] {
    return this.fitted.network.layers.map(({ weight }) => weight.toArray(2))
  }
  /** Of each layer, its biases. */
  get intercepts(): number[][] {
    return this.fitted.network.layers.map(({ bias }) => bias!.toArray(1))
  }
  /** The network itself, without its output activation, for `saveModel`, `fit`, `capture`, … */
  get model(): Sequential {
    return this.fitted.network.model
  }
}
