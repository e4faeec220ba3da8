/** Vectors by index, as Keras names them. */
import {
  Embedding as EmbeddingModule,
  type init,
  Module,
  type Shape,
  type Tensor,
} from '../../index.js'
import { checkCount, checkShape, optionsOf } from '../../internal.js'
import type { InitializerName } from './initializers.js'
import { initializerOf } from './kernel.js'
import { type Built, LAYER_OPTIONS, Layer, type LayerOptions } from './layer.js'

/** Settings of `Embedding`. */
export interface EmbeddingOptions extends LayerOptions {
  /** How many vectors, a whole number from 1. */
  inputDim: number
  /** Elements of each, a whole number from 1. */
  outputDim: number
  /** By name, or any initializer of the library; 'randomUniform' by default. */
  embeddingsInitializer?: InitializerName | init.Initializer
}

/** Inputs come as floats here, as all inputs of a model. */
class Lookup extends Module {
  constructor(readonly table: EmbeddingModule) {
    super()
  }
  forward(x: Tensor): Tensor {
    return this.table.forward(x.cast('int32'))
  }
}

/** Vectors by index: inputs of any shape [...] to [..., outputDim]. */
export class Embedding extends Layer {
  /** As they were given. */
  readonly options: EmbeddingOptions

  /**
   * A table of vectors.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(given: EmbeddingOptions) {
    const options = optionsOf('Embedding', given, {
      ...LAYER_OPTIONS,
      inputDim: true,
      outputDim: true,
      embeddingsInitializer: true,
    })
    super(options)
    checkCount('Embedding', 'inputDim', options.inputDim)
    checkCount('Embedding', 'outputDim', options.outputDim)
    this.#init(options)
    this.options = options
  }

  #init({ embeddingsInitializer = 'randomUniform' }: EmbeddingOptions): init.Initializer {
    return initializerOf('Embedding', embeddingsInitializer, 'embeddingsInitializer')
  }

  build(given: Shape): Built {
    const shape = checkShape('build', given)
    const { inputDim, outputDim } = this.options
    const table = new EmbeddingModule(inputDim, outputDim, { init: this.#init(this.options) })
    return { modules: [new Lookup(table)], outputShape: [...shape, outputDim] }
  }
}
