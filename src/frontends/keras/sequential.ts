/** Keras's model: a stack of layers that is compiled, fitted, evaluated and asked. */

import {
  ArgumentError,
  type Dataset,
  type FitOptions as EngineFitOptions,
  type Optimizer as EngineOptimizer,
  Sequential as EngineSequential,
  evaluate,
  fit,
  loadModel,
  type Module,
  type Regularizer,
  saveModel,
  type Tensor,
  type WeightLayout,
} from '../../index.js'
import { checkCount, type Rows, readRows, refuseUnknown, type Values } from '../../internal.js'
import { endAfterError, type Logs } from './callbacks.js'
import { checkInputs, datasetOf, splitOff } from './examples.js'
import { Layer } from './layers.js'
import { answer, buildNetwork, type Network } from './network.js'
import { metricOf, type Objective, objectiveOf } from './objective.js'
import { type Optimizer, get as optimizerOf } from './optimizers.js'
import type { CompileOptions, FitOptions, History } from './options.js'
import { RunningMetrics } from './runningMetrics.js'
import { formatEpoch, formatSummary } from './summary.js'
import { checkWeightsPath } from './weights.js'

interface Compiled extends Objective {
  optimizer: Optimizer
  metrics: RunningMetrics
  /** Made at the first fit, when there are weights. */
  engine?: EngineOptimizer
}

/**
 * A stack of layers with Keras's methods.
 * @example
 * const model = new Sequential([
 *   new layers.Dense({ units: 64, activation: 'relu', inputShape: [784] }),
 *   new layers.Dense({ units: 10, activation: 'softmax' }),
 * ])
 * model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
 * const { history } = await model.fit(x, y, { epochs: 5, validationSplit: 0.1 })
 */
export class Sequential {
  /** The layers, first to last. */
  readonly layers: Layer[] = []
  /** Set by callbacks: training ends after the epoch. */
  stopTraining = false
  /** The figures of the last `fit`, also of one that threw; undefined before the first. */
  history: History | undefined
  #compiled: Compiled | undefined
  #network: Network | undefined

  /**
   * A model of these layers.
   * @throws ArgumentError for what is no layer
   */
  constructor(layers: readonly Layer[] = []) {
    for (const layer of layers) this.add(layer)
  }

  /**
   * Puts a layer behind the others.
   * @throws ArgumentError for what is no layer, and once there are weights
   */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) {
      throw new ArgumentError(`add: expected a layer, as new layers.Flatten(), got ${typeof layer}`)
    }
    if (this.#network) throw new ArgumentError('add: expected a model without weights, it has some')
    this.layers.push(layer)
  }

  /**
   * Says how the model is trained. Where the last activation belongs to the loss, as softmax to a
   * cross-entropy, the loss is computed from what comes before it, without overflow.
   * @throws ArgumentError for options that do not exist, unknown names, and a loss that does not belong
   * to the last activation
   */
  compile(options: CompileOptions): void {
    refuseUnknown('compile', options, ['optimizer', 'loss', 'metrics'])
    if (this.layers.length === 0) throw new ArgumentError('compile: expected layers, got none')
    const objective = objectiveOf(options.loss, this.layers.at(-1)!.activation)
    const activate = (outputs: Tensor) =>
      objective.takesLogits ? (this.#network?.last?.forward(outputs) ?? outputs) : outputs
    const metrics = (options.metrics ?? []).map((name) => metricOf(name, objective, activate))
    this.#compiled = {
      ...objective,
      metrics: new RunningMetrics(metrics),
      optimizer: optimizerOf(options.optimizer),
    }
  }

  /**
   * The optimizer that the model was compiled with.
   * @throws ArgumentError before `compile`
   */
  get optimizer(): Optimizer {
    return this.#requireCompiled('optimizer').optimizer
  }

  /**
   * The network itself, as the library trains it, for `capture`, `Monitor`, `saveModel` and so on.
   * @throws ArgumentError while the shape of its inputs is not known
   */
  get module(): EngineSequential {
    return this.#requireNetwork('module').body
  }

  /**
   * Trains for some epochs, from the weights that there are. Where training throws, `onTrainEnd` of
   * the callbacks is called all the same, and `history` keeps the figures so far.
   * @param x [examples, ...input shape]
   * @param y labels [examples], or values [examples, ...output shape]
   * @throws ArgumentError for options out of range and before `compile`, ShapeError for examples
   *   that do not fit, DivergenceError when the loss or a weight is no longer finite
   */
  async fit(x: Rows, y: Rows, options: FitOptions = {}): Promise<History> {
    refuseUnknown('fit', options, [
      'epochs',
      'batchSize',
      'validationSplit',
      'validationData',
      'callbacks',
      'verbose',
      'shuffle',
      'seed',
      'monitor',
    ])
    const { epochs = 1, batchSize = 32, shuffle = true, seed = 0, monitor } = options
    const { callbacks = [], verbose = 1 } = options
    const compiled = this.#requireCompiled('fit')
    const { train, validation } = this.#examples(x, y, options)
    const { body } = this.#requireNetwork('fit')
    compiled.engine ??= compiled.optimizer.build(this.#groups())
    const history: History = { history: {}, epoch: [] }
    this.history = history
    const stopping = new AbortController()
    let logs: Logs = {}
    this.stopTraining = false
    for (const callback of callbacks) callback.setModel?.(this)
    for (const callback of callbacks) await callback.onTrainBegin?.()
    const begin = async (epoch: number) => {
      for (const callback of callbacks) await callback.onEpochBegin?.(epoch)
    }
    const settings: EngineFitOptions = {
      // A look at the loss in between is no part of the epoch.
      loss: compiled.metrics.along(compiled.loss, () => body.training),
      optimizer: compiled.engine,
      epochs,
      batchSize,
      shuffle,
      seed,
      monitor,
      signal: stopping.signal,
      onStep: ({ step, loss }) => {
        for (const callback of callbacks) callback.onTrainBatchEnd?.(step - 1, { loss })
      },
      onEpoch: async ({ epoch, totalLoss, examples, seconds }) => {
        logs = { loss: totalLoss, ...compiled.metrics.means(examples) }
        if (validation) {
          const figures = Object.entries(await this.#evaluate(validation))
          for (const [name, value] of figures) logs[`val_${name}`] = value
        }
        history.epoch.push(epoch - 1)
        for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value)
        if (verbose) console.log(formatEpoch(epoch, epochs, seconds, logs))
        for (const callback of callbacks) await callback.onEpochEnd?.(epoch - 1, logs)
        if (this.stopTraining) stopping.abort()
        else if (epoch < epochs) await begin(epoch)
      },
    }
    compiled.metrics.reset()
    try {
      await begin(0)
      await fit(this.#trained(compiled), train, settings)
    } catch (error) {
      await endAfterError(callbacks, logs)
      throw error
    }
    for (const callback of callbacks) await callback.onTrainEnd?.(logs)
    return history
  }

  /**
   * The loss, penalties included, and the metrics on some examples.
   * @throws ArgumentError before `compile`, ShapeError for examples that do not fit, DivergenceError
   *   when the loss is not finite
   */
  async evaluate(x: Rows, y: Rows, options: { batchSize?: number } = {}): Promise<Logs> {
    refuseUnknown('evaluate', options, ['batchSize'])
    return this.#evaluate(this.#dataset('evaluate', x, y), options.batchSize)
  }

  /**
   * What the model makes of some examples, [examples, ...output shape].
   * @throws ShapeError for examples that do not fit
   */
  predict(x: Rows, options: { batchSize?: number } = {}): Tensor {
    refuseUnknown('predict', options, ['batchSize'])
    const { batchSize = 1000 } = options
    checkCount('predict', 'batchSize', batchSize)
    const { values, shape } = this.#inputs('predict', x)
    return answer(this.#requireNetwork('predict'), values, shape[0], batchSize)
  }

  /** Layers, their output shapes and numbers of parameters, as a table. */
  summary(printFn: (line: string) => void = console.log): void {
    const { parts } = this.#requireNetwork('summary')
    printFn(formatSummary(this.layers, parts))
  }

  /**
   * How many numbers are trained.
   * @throws ArgumentError while the shape of its inputs is not known
   */
  countParams(): number {
    const { body } = this.#requireNetwork('countParams')
    return body.parameters().reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * Writes the weights to a `.safetensors` file.
   * @throws ArgumentError for the names of files of Keras and TensorFlow
   */
  saveWeights(path: string): void {
    checkWeightsPath('saveWeights', path)
    saveModel(this.module, path)
  }

  /**
   * Reads the weights of a `.safetensors` file.
   * @param options.layout of kernels in a file of another program: `inputOutput` as Keras has them,
   *   `outputInput` as PyTorch does
   * @throws DataError when the file is malformed or of another model, ArgumentError as
   *   `saveWeights`, and when the layout is missing
   */
  loadWeights(path: string, options: { layout?: WeightLayout } = {}): void {
    checkWeightsPath('loadWeights', path)
    loadModel(this.module, path, options)
  }

  /** Frees the weights. */
  dispose(): void {
    this.#network?.body.dispose()
    this.#compiled?.metrics.dispose()
    this.#network = undefined
    this.#compiled = undefined
  }

  #requireCompiled(op: string): Compiled {
    if (!this.#compiled) throw new ArgumentError(`${op}: expected a compiled model, call compile`)
    return this.#compiled
  }

  /** The network, which is built as soon as the shape of its inputs is known. */
  #requireNetwork(op: string, inputShape = this.layers[0]?.inputShape): Network {
    if (this.#network) return this.#network
    if (inputShape === undefined) {
      throw new ArgumentError(`${op}: expected an inputShape in the first layer, or a fit before`)
    }
    this.#network = buildNetwork(this.layers, inputShape)
    return this.#network
  }

  /** What `fit` trains: without the last activation where the loss is computed from logits. */
  #trained({ takesLogits }: Compiled): Module {
    const { body, last } = this.#requireNetwork('fit')
    return takesLogits || !last ? body : new EngineSequential(body, last)
  }

  /** Each layer's parameters with its regularizer. */
  #groups() {
    const groups = this.#requireNetwork('fit').parts.flatMap(({ modules, regularizer }) => {
      const parameters = modules.flatMap((module) => module.parameters())
      return parameters.length > 0 ? [{ parameters, regularizer: regularizer ?? [] }] : []
    })
    return groups as { parameters: (typeof groups)[0]['parameters']; regularizer?: Regularizer }[]
  }

  async #evaluate(data: Dataset, batchSize?: number): Promise<Logs> {
    const compiled = this.#requireCompiled('evaluate')
    compiled.metrics.reset()
    const loss = compiled.metrics.along(compiled.loss)
    const mean = await evaluate(this.#trained(compiled), data, { loss, batchSize })
    const regularizationLoss = compiled.engine?.regularizationLoss() ?? 0
    return { loss: mean.loss + regularizationLoss, ...compiled.metrics.means(data.size) }
  }

  #inputs(op: string, x: Rows): Values {
    const read = readRows(`${op}: x`, x)
    const ofData = read.shape.slice(1)
    const { inputShape } = this.#requireNetwork(op, this.layers[0]?.inputShape ?? ofData)
    checkInputs(op, read, inputShape)
    return read
  }

  #dataset(op: string, x: Rows, y: Rows): Dataset {
    const { kind } = this.#requireCompiled(op)
    const inputs = this.#inputs(op, x)
    const { inputShape, outputShape } = this.#requireNetwork(op)
    return datasetOf(op, inputs, readRows(`${op}: y`, y), { inputShape, outputShape, kind })
  }

  /** What is trained on, and what is validated on. */
  #examples(
    x: Rows,
    y: Rows,
    { validationSplit = 0, validationData }: FitOptions,
  ): { train: Dataset; validation?: Dataset } {
    const data = this.#dataset('fit', x, y)
    if (validationData) return { train: data, validation: this.#dataset('fit', ...validationData) }
    return validationSplit === 0 ? { train: data } : splitOff(data, validationSplit)
  }
}
