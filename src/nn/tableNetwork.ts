/** Networks for the encoded rows of a table, in which categories may be indices to embed. */
import { noteRead } from '../backend/record.js'
import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { inputsOf, isTableEncoding, type TableEncoding, widthOf } from '../data/table/encoding.js'
import { concat } from '../ops/layout.js'
import type { Generator } from '../tensor/random.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Embedding } from './embedding.js'
import { type Initializer, normal } from './init.js'
import { Module } from './module.js'
import { type MlpOptions, mlp, Sequential } from './sequential.js'

/** A column of an encoded row that is an index, and what it is embedded in. Plain data. */
export interface TableEmbedding {
  /** The position of the index among the inputs. */
  readonly column: number
  /** Indices go from 1 to this number; 0 stands for none of the categories. */
  readonly categories: number
  /** Elements of the vector of each. */
  readonly dim: number
}

/** Settings of `TableInputs`. */
export interface TableInputsOptions {
  /** Initial vectors; normal by default, of about length 1. */
  init?: Initializer
  /** Where the initial vectors are drawn from; the default generator by default. */
  generator?: Generator
}

/**
 * Replaces indices in the encoded rows of a table by their vectors: from [batch, inputs] to [batch, inputs -
 * embeddings + the sum of their dims], in the same order. The vector of 0, what is none of the categories, is 0
 * and stays so.
 * @example new TableInputs(3, [{ column: 1, categories: 500, dim: 20 }]) // from [batch, 3] to [batch, 22]
 */
export class TableInputs extends Module {
  /** In the order of their columns. */
  readonly embeddings: readonly Embedding[]
  readonly #columns: readonly number[]

  /**
   * Embeddings with new vectors.
   * @param inputs width of an encoded row
   * @param embeddings in the order of their columns
   * @throws ArgumentError for numbers that are out of range or order, and for options that do not exist
   */
  constructor(
    /** Width of an encoded row. */
    readonly inputs: number,
    embeddings: readonly TableEmbedding[],
    options: TableInputsOptions = {},
  ) {
    super()
    const { init, generator } = optionsOf('TableInputs', options, { init: true, generator: true })
    checkCount('TableInputs', 'inputs', inputs)
    const isOne = (value: unknown): boolean => typeof value === 'object' && value !== null
    if (!Array.isArray(embeddings) || embeddings.length === 0 || !embeddings.every(isOne)) {
      throw new ArgumentError(`TableInputs: expected embeddings, got ${excerpt(embeddings)}`)
    }
    embeddings.forEach(({ column }, i) => {
      const from = i === 0 ? 0 : embeddings[i - 1].column + 1
      if (Number.isInteger(column) && column >= from && column < inputs) return
      throw new ArgumentError(
        `TableInputs: expected columns in their order, each from 0 to below ${inputs}, got ${excerpt(column)}`,
      )
    })
    this.#columns = embeddings.map(({ column }) => column)
    this.embeddings = embeddings.map(({ categories, dim }) => {
      checkCount('TableInputs', 'categories', categories)
      const own = init ?? normal(0, 1 / Math.sqrt(dim))
      return new Embedding(categories + 1, dim, { paddingIdx: 0, init: own, generator })
    })
  }

  /** Width of what comes out. */
  get outputs(): number {
    const dims = this.embeddings.map(({ weight }) => weight.shape[1])
    return dims.reduce((sum, dim) => sum + dim, this.inputs - dims.length)
  }

  /**
   * The rows with vectors in place of the indices.
   * @throws ShapeError for inputs of another width, KernelError for an index above the categories
   */
  forward(x: Tensor): Tensor {
    if (x.shape.length !== 2 || x.shape[1] !== this.inputs) {
      throw new ShapeError(
        `TableInputs: expected inputs [batch, ${this.inputs}], got ${format(x.shape)}`,
      )
    }
    noteRead(this, 'embeddings', this.embeddings)
    const parts: Tensor[] = []
    let next = 0
    const takeUntil = (end: number) => {
      if (end > next) parts.push(x.slice(undefined, [next, end]))
      next = end + 1
    }
    this.embeddings.forEach((embedding, i) => {
      const column = this.#columns[i]
      takeUntil(column)
      const indices = x
        .detach()
        .slice(undefined, [column, column + 1])
        .flatten()
        .cast('int32')
      parts.push(embedding.forward(indices))
    })
    takeUntil(this.inputs)
    return concat(parts, 1)
  }
}

function checkEncoding(op: string, encoding: unknown): void {
  if (isTableEncoding(encoding)) return
  throw new ArgumentError(
    `${op}: expected an encoding as table() makes it, got ${excerpt(encoding)}`,
  )
}

/** With more, vectors of one category hardly get better. */
const MAX_DIM = 600

/**
 * The embeddings of a table's encoding, as a network of `tableNetwork` has them and `saveClassifier` keeps them: of n
 * categories in min(600, 1.6·n^0.56) elements, rounded, as fastai chooses them.
 * @throws ArgumentError for what is no encoding of a table
 */
export function embeddingsOf(encoding: TableEncoding): TableEmbedding[] {
  checkEncoding('embeddingsOf', encoding)
  const { features } = encoding
  const found: TableEmbedding[] = []
  let column = 0
  for (const feature of features) {
    if (feature.type === 'category' && feature.embedded) {
      const categories = feature.categories.length
      const dim = Math.min(MAX_DIM, Math.round(1.6 * categories ** 0.56))
      found.push({ column, categories, dim })
    }
    column += widthOf(feature)
  }
  return found
}

/**
 * A perceptron for the rows of a table as its encoding gives them: categories that are indices are embedded first. Without
 * any it is what `mlp` makes.
 * @param units of the layers after the inputs, to the outputs
 * @param options as `mlp` has them, but for `inputDropout`; vectors begin as those of `TableInputs`
 * @throws ArgumentError, ShapeError as `mlp`
 * @example
 * const { train, classes, encoding } = await table('trips.csv', { target: 'late', embedAbove: 30 })
 * const model = tableNetwork(encoding, [64, classes.length])
 */
export function tableNetwork(
  encoding: TableEncoding,
  units: readonly number[],
  options: Omit<MlpOptions, 'inputDropout'> = {},
): Sequential {
  checkEncoding('tableNetwork', encoding)
  if (!Array.isArray(units)) {
    throw new ArgumentError(`tableNetwork: expected an array of units, got ${excerpt(units)}`)
  }
  return embeddedMlp([inputsOf(encoding), ...units], embeddingsOf(encoding), options)
}

/**
 * The same from what a file says.
 * @param units of each layer, from the width of an encoded row to the outputs
 * @internal
 */
export function embeddedMlp(
  units: readonly number[],
  embeddings: readonly TableEmbedding[],
  options: Omit<MlpOptions, 'inputDropout'>,
): Sequential {
  if (Array.isArray(embeddings) && embeddings.length === 0) return mlp(units, options)
  const { generator } = options
  const inputs = new TableInputs(units[0], embeddings, { generator })
  return new Sequential(inputs, ...mlp([inputs.outputs, ...units.slice(1)], options).layers)
}
