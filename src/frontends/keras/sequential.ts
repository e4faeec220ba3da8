/** Keras's model: a stack of layers that is compiled, fitted, evaluated and asked. */

import {
  ArgumentError,
  type Dataset,
  type Optimizer as EngineOptimizer,
  type Sequential as EngineSequential,
  loadModel,
  saveModel,
  type Tensor,
  type WeightLayout,
} from '../../index.js'
import {
  checkCount,
  checkFunction,
  excerpt,
  optionsOf,
  type Rows,
  readRows,
  refusalOfTrained,
  type Values,
} from '../../internal.js'
import type { Logs } from './callback.js'
import { type Compiled, compiledOf } from './compiled.js'
import { checkInputs, datasetOf, splitOff } from './examples.js'
import { fitModel } from './fitting.js'
import { callbacksOf, isLayer } from './given.js'
import type { Layer } from './layer.js'
import { answer, buildNetwork, groupsOf, type Network } from './network.js'
import type { Optimizer } from './optimizers.js'
import { type CompileOptions, FIT_OPTIONS, type FitOptions, type History } from './options.js'
import { formatSummary, sizeOfAll, weightsOf } from './summary.js'
import { Training } from './training.js'
import { checkWeightsPath } from './weights.js'

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
  /** Set by callbacks: training ends, after a batch there, else after the epoch. */
  stopTraining = false
  /** The figures of the last `fit`, also of one that threw; undefined before the first. */
  history: History | undefined
  #compiled: Compiled | undefined
  #network: Network | undefined
  /** From the first callback to the last. */
  #isTraining = false
  /** Made of both, when the layers are known. */
  #training: Training | undefined
  /** Of each optimizer, its state for these weights: it goes on when the model is compiled with it again. */
  #engines = new WeakMap<Optimizer, EngineOptimizer>()

  /**
   * A model of these layers.
   * @throws ArgumentError for what is no layer
   */
  constructor(layers: readonly Layer[] = []) {
    if (!Array.isArray(layers)) {
      throw new ArgumentError(`Sequential: expected a list of layers, got ${excerpt(layers)}`)
    }
    for (const layer of layers) this.add(layer)
  }

  /**
   * Puts a layer behind the others, which keep their weights. A model that was trained is to be compiled
   * again then.
   * @throws ArgumentError for what is no layer
   */
  add(layer: Layer): void {
    if (!isLayer(layer)) {
      throw new ArgumentError(
        `add: expected a layer, as new layers.Flatten(), got ${excerpt(layer)}`,
      )
    }
    this.layers.push(layer)
    if (this.#training) this.#compiled = undefined
    this.#forgetNetwork()
  }

  /**
   * Says how the model is trained. Where the last activation belongs to the loss, as softmax to a
   * cross-entropy, the loss is computed from what comes before it, without overflow. Which activation is
   * the last is seen when the model is fitted: layers may be added until then.
   * @throws ArgumentError for options that do not exist and unknown names
   */
  compile(given: CompileOptions): void {
    const compiled = compiledOf(given)
    this.#training?.dispose()
    this.#training = undefined
    this.#compiled = compiled
  }

  /**
   * The optimizer that the model was compiled with.
   * @throws ArgumentError before `compile`
   */
  get optimizer(): Optimizer {
    return this.#requireCompiled('optimizer').optimizer
  }

  /** Whether training changes the weights of any layer. */
  get trainable(): boolean {
    return this.layers.some(({ trainable }) => trainable)
  }

  /**
   * Sets that of every layer.
   * @throws ArgumentError for what is no boolean
   */
  set trainable(trainable: boolean) {
    for (const layer of this.layers) layer.trainable = trainable
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
   * @throws ArgumentError for options out of range, before `compile` and for a loss that does not belong to
   *   the last activation, ShapeError for examples that do not fit, DivergenceError when the loss or a weight is no longer finite,
   *   BusyError while it is being trained
   */
  async fit(x: Rows, y: Rows, given: FitOptions = {}): Promise<History> {
    const options = optionsOf('fit', given, FIT_OPTIONS)
    const callbacks = callbacksOf(options.callbacks ?? [])
    if (this.#isTraining) throw refusalOfTrained('fit', 'fit')
    const history: History = { history: {}, epoch: [] }
    const examples = this.#examples(x, y, options)
    const training = this.#requireTraining('fit')
    this.history = history
    this.#isTraining = true
    try {
      await fitModel(this, training, examples, { ...options, callbacks }, history)
    } finally {
      this.#isTraining = false
    }
    return history
  }

  /**
   * The loss, penalties included, and the metrics on some examples.
   * @throws ArgumentError before `compile`, ShapeError for examples that do not fit, DivergenceError
   *   when the loss is not finite, BusyError while it is being trained, but for callbacks
   */
  async evaluate(x: Rows, y: Rows, options: { batchSize?: number } = {}): Promise<Logs> {
    const { batchSize } = optionsOf('evaluate', options, { batchSize: true })
    const data = this.#dataset('evaluate', x, y)
    return this.#requireTraining('evaluate').evaluate(data, batchSize)
  }

  /**
   * What the model makes of some examples, [examples, ...output shape].
   * @throws ShapeError for examples that do not fit, BusyError as `evaluate`
   */
  predict(x: Rows, options: { batchSize?: number } = {}): Tensor {
    const { batchSize = 1000 } = optionsOf('predict', options, { batchSize: true })
    checkCount('predict', 'batchSize', batchSize)
    const { values, shape } = this.#inputs('predict', x)
    return answer(this.#requireNetwork('predict'), values, shape[0], batchSize)
  }

  /** Layers, their output shapes and numbers of parameters, as a table. */
  summary(printFn: (line: string) => void = console.log): void {
    checkFunction('summary', 'a function that prints', printFn)
    const { parts } = this.#requireNetwork('summary')
    printFn(formatSummary(this.layers, parts))
  }

  /**
   * How many numbers its weights are, running moments included.
   * @throws ArgumentError while the shape of its inputs is not known
   */
  countParams(): number {
    const { parts } = this.#requireNetwork('countParams')
    return sizeOfAll([...new Set(parts.flatMap(weightsOf))])
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
   *   `torch` as PyTorch does, with its names
   * @throws DataError when the file is malformed or of another model, ArgumentError as
   *   `saveWeights`, and when the layout is missing
   */
  loadWeights(path: string, options: { layout?: WeightLayout } = {}): void {
    checkWeightsPath('loadWeights', path)
    loadModel(this.module, path, options)
  }

  /** Frees the weights, also for other models that have the same layers. */
  dispose(): void {
    this.#network?.body.dispose()
    if (this.#training) this.#compiled?.optimizer.free(this.#training.engine)
    for (const layer of this.layers) layer.forget()
    this.#forgetNetwork()
    this.#compiled = undefined
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #forgetNetwork(): void {
    this.#training?.dispose()
    this.#training = undefined
    this.#network = undefined
    this.#engines = new WeakMap()
  }

  #requireCompiled(op: string): Compiled {
    if (!this.#compiled) throw new ArgumentError(`${op}: expected a compiled model, call compile`)
    return this.#compiled
  }

  /** The network, which is built as soon as the shape of its inputs is known. */
  #requireNetwork(op: string, inputShape = this.layers[0]?.inputShape): Network {
    if (this.#network) return this.#network
    if (this.layers.length === 0) throw new ArgumentError(`${op}: expected layers, got none`)
    if (inputShape === undefined) {
      throw new ArgumentError(`${op}: expected an inputShape in the first layer, or a fit before`)
    }
    this.#network = buildNetwork(this.layers, inputShape)
    return this.#network
  }

  #requireTraining(op: string): Training {
    const compiled = this.#requireCompiled(op)
    const network = this.#requireNetwork(op)
    const { optimizer } = compiled
    const engine = this.#engines.get(optimizer) ?? optimizer.build(groupsOf(network))
    this.#engines.set(optimizer, engine)
    this.#training ??= new Training(network, compiled, engine, this.layers.at(-1)!.activation)
    return this.#training
  }

  #inputs(op: string, x: Rows): Values {
    const read = readRows(`${op}: x`, x)
    const ofData = read.shape.slice(1)
    const { inputShape } = this.#requireNetwork(op, this.layers[0]?.inputShape ?? ofData)
    checkInputs(op, read, inputShape)
    return read
  }

  #dataset(op: string, x: Rows, y: Rows): Dataset {
    this.#requireCompiled(op)
    const inputs = this.#inputs(op, x)
    const { inputShape, outputShape } = this.#requireNetwork(op)
    const { kind } = this.#requireTraining(op)
    return datasetOf(op, inputs, readRows(`${op}: y`, y), { inputShape, outputShape, kind })
  }

  /** What is trained on, and what is validated on. */
  #examples(
    x: Rows,
    y: Rows,
    { validationSplit = 0, validationData }: FitOptions,
  ): { train: Dataset; validation?: Dataset } {
    const data = this.#dataset('fit', x, y)
    if (validationData !== undefined) {
      if (!Array.isArray(validationData) || validationData.length !== 2) {
        throw new ArgumentError(
          `fit: expected validationData to be [x, y], got ${excerpt(validationData)}`,
        )
      }
      const [xHeld, yHeld] = validationData
      return { train: data, validation: this.#dataset('fit', xHeld, yHeld) }
    }
    return validationSplit === 0 ? { train: data } : splitOff(data, validationSplit)
  }
}
