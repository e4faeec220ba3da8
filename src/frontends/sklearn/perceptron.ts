/** What the classifier and the regressor share: the network, its training, and when that ends. */

import {
  ArgumentError,
  type Dataset,
  DivergenceError,
  dataset,
  Generator,
  type Linear,
  type Loss,
  NotFittedError,
  type Optimizer,
  ShapeError,
  scope,
  type TargetKind,
} from '../../index.js'
import {
  drawSeed,
  excerpt,
  type Rows,
  readRows,
  refusalOfTrained,
  refuseRest,
  refuseTrained,
  streams,
  type Values,
} from '../../internal.js'
import { FittedAttributes } from './attributes.js'
import { type Encoded, setAside } from './encoded.js'
import { Network } from './network.js'
import { type MLPParameters, parametersOf } from './parameters.js'
import { Progress } from './progress.js'
import { train } from './training.js'

/** What targets are encoded for: the first training, a later one of the same network, or a score. */
export type Use = 'begin' | 'continue' | 'score'

export abstract class Perceptron<Y> extends FittedAttributes {
  /**
   * All parameters, with the defaults for those that were not given. They can be changed for the next
   * fit; what does not exist or is out of range is refused when it is written.
   */
  readonly params: MLPParameters
  #network: Network | undefined
  #optimizer: Optimizer | undefined
  #progress = new Progress()

  /**
   * An estimator that is not fitted yet.
   * @throws ArgumentError for a parameter that does not exist or is out of range
   */
  constructor(params: Partial<MLPParameters> = {}) {
    super()
    this.params = parametersOf(this.constructor.name, params)
  }

  /** The targets of some examples. */
  protected abstract encode(y: Y, examples: number, use: Use): Encoded
  /** Keeps what there is to predict, when training begins. */
  protected learn(_: Encoded): void {}
  /** The loss of outputs before the output activation. */
  protected abstract lossFor(outputs: number): { loss: Loss<TargetKind>; gradientScale: number }
  /** The score of outputs against encoded targets. */
  protected abstract scoreOf(outputs: Values, targets: Encoded['targets']): number

  /** Draws a layer's first weights and biases: uniform, as Glorot and Bengio (2010) bound them. */
  protected initialize({ weight, bias }: Linear, generator: Generator): void {
    const [fanIn, fanOut] = weight.shape
    const bound = Math.sqrt((this.params.activation === 'logistic' ? 2 : 6) / (fanIn + fanOut))
    weight.assign(generator.uniform(weight.shape, -bound, bound))
    bias!.assign(generator.uniform([fanOut], -bound, bound))
  }

  /**
   * Trains from new weights, with warmStart from those that there are.
   * @param X [examples][features]
   * @throws ArgumentError, ShapeError for input that does not fit, DivergenceError when the loss or a
   * weight is no longer finite, with earlyStopping the best weights are kept then; BusyError while it is being
   * fitted
   */
  async fit(X: Rows, y: Y, ...rest: never[]): Promise<this> {
    this.refuseTraining()
    this.#checkArguments(y, rest)
    await this.#train(X, y, false)
    return this
  }

  /** One epoch more, from what the last call left, its optimizer's state included. */
  protected async trainOnce(X: Rows, y: Y, rest: never[]): Promise<void> {
    this.refuseTraining()
    this.#checkArguments(y, rest)
    if (this.params.earlyStopping) {
      throw new ArgumentError(`${this.#name}: partialFit does not support earlyStopping`)
    }
    await this.#train(X, y, true)
  }

  /**
   * How good the predictions for X are: mean accuracy, for values R². Labels that were not there in
   * training are never predicted. Where training has diverged the score is NaN, with a warning.
   * @throws NotFittedError before `fit`, ArgumentError and ShapeError for input that does not fit
   */
  score(X: Rows, y: Y, ...rest: never[]): number {
    this.#checkArguments(y, rest)
    const outputs = this.outputs(X)
    const { targets } = this.encode(y, outputs.shape[0], 'score')
    if (notFinite(outputs) === undefined) return this.scoreOf(outputs, targets)
    this.warn(
      'the score is NaN, for the outputs are not finite; its training diverged, fit it again',
    )
    return Number.NaN
  }

  /** Frees the weights; the estimator counts as not fitted then. */
  dispose(): void {
    this.#network?.dispose()
    this.#optimizer?.dispose()
    this.#network = undefined
    this.#optimizer = undefined
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /**
   * What the last layer computes for X, before its activation, [examples, outputs].
   * @throws BusyError while it is being fitted
   */
  protected outputs(X: Rows): Values {
    const { network } = this.fitted
    refuseTrained(this.#name, network.model)
    const { values, shape } = this.#matrix(X, network.units[0])
    return network.forward(values, shape[0])
  }

  /**
   * The same to predict by.
   * @throws DivergenceError for an output that is not finite
   */
  protected finiteOutputs(X: Rows): Values {
    const { values, shape } = this.outputs(X)
    const wrong = notFinite({ values, shape })
    if (wrong === undefined) return { values, shape }
    throw new DivergenceError(
      `${this.#name}: expected finite outputs, got ${wrong}; its training diverged, fit it again`,
    )
  }

  /** @throws BusyError while it is being fitted */
  protected refuseTraining(): void {
    if (this.#isTraining) throw refusalOfTrained(this.#name, 'fit')
  }

  protected get isFitted(): boolean {
    return this.#network !== undefined
  }

  protected get fitted(): { network: Network; progress: Progress } {
    if (this.#network === undefined) {
      throw new NotFittedError(`${this.#name}: expected a fitted estimator, call fit first`)
    }
    return { network: this.#network, progress: this.#progress }
  }

  get #name(): string {
    return this.constructor.name
  }

  /** Tells of what is done in another way than was asked for. */
  protected warn(message: string, type = 'NeuroblasWarning'): void {
    process.emitWarning(`${this.#name}: ${message}`, { type })
  }

  protected warnOfColumn(): void {
    this.warn('y is a column [examples, 1]; it is read as [examples]', 'DataConversionWarning')
  }

  #checkArguments(y: unknown, rest: readonly unknown[]): void {
    if (typeof y !== 'object' || y === null) {
      throw new ArgumentError(
        `${this.#name}: expected y, an array with a label or value for each example, got ${excerpt(y)}`,
      )
    }
    refuseRest(`${this.#name}: sample weights are not supported`, rest)
  }

  #matrix(X: Rows, features?: number): Values {
    const read = readRows(`${this.#name}: X`, X)
    if (read.shape.length !== 2) {
      throw new ShapeError(
        `${this.#name}: expected X of shape [examples, features], got [${read.shape.join(', ')}]`,
      )
    }
    if (features !== undefined && read.shape[1] !== features) {
      throw new ShapeError(`${this.#name}: expected ${features} features, got ${read.shape[1]}`)
    }
    return read
  }

  async #train(X: Rows, y: Y, isPartial: boolean): Promise<void> {
    const { params } = this
    const isFirst = this.#network === undefined || (!params.warmStart && !isPartial)
    const { values, shape } = this.#matrix(X, isFirst ? undefined : this.#network?.units[0])
    const encoded = this.encode(y, shape[0], isFirst ? 'begin' : 'continue')
    const seed = params.randomState ?? drawSeed()
    const data = dataset({ inputs: values, inputShape: [shape[1]], targets: encoded.targets })
    const parts = params.earlyStopping && setAside(this.#name, data, encoded, params, seed)
    // Only now: input that was refused has changed nothing.
    if (isFirst) {
      this.learn(encoded)
      this.#begin([shape[1], ...[params.hiddenLayerSizes].flat(), encoded.outputs], seed)
    }
    const network = this.#network!
    network.alpha = params.alpha
    if (!isPartial || this.#optimizer === undefined) {
      this.#optimizer?.dispose()
      this.#optimizer = network.optimizer(params)
    }
    this.#isTraining = true
    try {
      await train({
        network,
        optimizer: this.#optimizer,
        progress: this.#progress,
        params,
        seed,
        isPartial,
        ...(parts ? { data: parts.train, score: () => this.#scoreOn(parts.validation) } : { data }),
        warn: (...args) => this.warn(...args),
      })
    } catch (error) {
      throw error instanceof DivergenceError ? this.#explain(error) : error
    } finally {
      this.#isTraining = false
    }
  }
  #isTraining = false

  #explain(error: DivergenceError): DivergenceError {
    // What follows is advice about a rate that these users did not set.
    const [found] = error.message.replace(/^fit: /, '').split(';')
    return new DivergenceError(
      `${this.#name}: the training is no longer finite, ${found}; scale the features, or try a smaller learningRateInit (it was ${this.params.learningRateInit})`,
      { cause: error },
    )
  }

  /** New weights. */
  #begin(units: number[], seed: number): void {
    this.dispose()
    this.#network = new Network(units, this.lossFor(units.at(-1)!), this.params)
    const generator = new Generator(seed, streams.weights)
    for (const layer of this.#network.layers) scope(() => this.initialize(layer, generator))
    generator.dispose()
    this.#progress = new Progress()
  }

  /** @throws DivergenceError where there is no score, which would never be the best */
  #scoreOn({ inputs, size, targets }: Dataset): number {
    const outputs = this.fitted.network.forward(inputs as Float32Array, size)
    const wrong = notFinite(outputs)
    if (wrong === undefined) return this.scoreOf(outputs, targets)
    throw new DivergenceError(`an output for the examples set aside became ${wrong}`)
  }
}

function notFinite({ values }: Values): number | undefined {
  return values.find((value) => !Number.isFinite(value))
}
