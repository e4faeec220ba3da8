/** A table of vectors, one for each of so many indices. */
import { noteRead } from '../backend/record.js'
import { checkCount, checkFunction, checkNumber, optionsOf } from '../base/arguments.js'
import { where } from '../ops/elementwise.js'
import { requireDType } from '../ops/require.js'
import { checkGenerator, type Generator } from '../tensor/random.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Initializer, normal } from './init.js'
import { Module, Parameter } from './module.js'

/** Settings of an `Embedding`. */
export interface EmbeddingOptions {
  /**
   * An index that stands for nothing, such as what fills up short sequences: its vector is 0 at first and
   * gets no gradient. None by default.
   */
  paddingIdx?: number
  /** Initial vectors; normal with mean 0 and standard deviation 1 by default. */
  init?: Initializer
  /** Where the initial vectors are drawn from; the default generator by default. */
  generator?: Generator
}

const OPTIONS: Record<keyof EmbeddingOptions, true> = {
  paddingIdx: true,
  init: true,
  generator: true,
}

/**
 * Vectors by index, such as those of words: from int32 indices of any shape [...] to [..., embeddingDim].
 * @example new Embedding(1000, 64).forward(tensor([[3, 7], [7, 0]], undefined, 'int32')) // [2, 2, 64]
 */
export class Embedding extends Module<[indices: Tensor<'int32'>]> {
  /** [numEmbeddings, embeddingDim] */
  readonly weight: Parameter
  /** The index that stands for nothing, or null. */
  readonly paddingIdx: number | null

  /**
   * A table with new vectors.
   * @param numEmbeddings how many vectors, a whole number from 1
   * @param embeddingDim elements of each, a whole number from 1
   * @throws ArgumentError when a number is out of range, and for options that do not exist
   */
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super()
    checkCount('Embedding', 'numEmbeddings', numEmbeddings)
    checkCount('Embedding', 'embeddingDim', embeddingDim)
    const { paddingIdx, init = normal(0, 1), generator } = optionsOf('Embedding', options, OPTIONS)
    checkFunction('Embedding', 'init to be an initializer such as init.normal(0, 1)', init)
    if (generator !== undefined) checkGenerator('Embedding', generator)
    this.weight = new Parameter(init([numEmbeddings, embeddingDim], generator))
    this.paddingIdx = paddingIdx ?? null
    if (paddingIdx === undefined) return
    const isIndex = (i: number) => Number.isInteger(i) && i >= 0 && i < numEmbeddings
    checkNumber(
      'Embedding',
      'paddingIdx',
      paddingIdx,
      isIndex,
      `to be an index from 0 to below ${numEmbeddings}`,
    )
    const values = this.weight.data()
    this.weight.assign(values.fill(0, paddingIdx * embeddingDim, (paddingIdx + 1) * embeddingDim))
  }

  /**
   * The vectors of the indices.
   * @throws KernelError for an index that is not below numEmbeddings, ArgumentError for what is not int32
   */
  forward(indices: Tensor<'int32'>): Tensor {
    requireDType('Embedding', indices, 'int32')
    const { weight, paddingIdx } = this
    noteRead(this, 'weight', weight)
    const rows = weight.indexSelect(0, indices.flatten())
    const y = rows.reshape([...indices.shape, weight.shape[1]])
    if (paddingIdx === null) return y
    return where(indices.equal(paddingIdx).unsqueeze(-1), y.detach(), y)
  }

  /** It only looks up. @internal */
  override multiplyAdds(): number {
    return 0
  }
}
