/** What a served model takes and what it answers: shown at `/model`, and the same for all versions of it. */
import { ArgumentError, excerpt } from '../base/errors.js'
import type { ImageFormat } from '../data/images/format.js'
import type { FeatureEncoding, TableEncoding } from '../data/table/encoding.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import type { Classifier } from '../io/classifier.js'
import type { Regressor } from '../io/regressor.js'
import { Dropout } from '../nn/dropout.js'
import { Linear } from '../nn/linear.js'
import { isProbabilistic } from '../nn/lossNames.js'
import { isModule, type Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js'
import { preprocessingOf } from '../training/predict.js'

/** What can be served. */
export type Servable = Classifier | Regressor | Module

/** A column of a table, as requests give it. */
export interface ServedColumn {
  /** By which it is found in a row. */
  readonly name: string
  /** What its values are. */
  readonly type: FeatureEncoding['type']
  /** Of a column of categories, those that training had. */
  readonly categories?: readonly string[]
}

/** What a served model takes and what it answers. */
export interface ModelInterface {
  /** What an answer has: the class of a row, its value, or the bare outputs. */
  readonly answers: 'classes' | 'value' | 'outputs'
  /** Shape of an example, of a model that takes numbers. */
  readonly inputShape?: Shape
  /** What a row has, of a model that was trained on a table. */
  readonly columns?: readonly ServedColumn[]
  /** How images become inputs, of a model that takes them. */
  readonly images?: Required<ImageFormat>
  /** Names of the classes, in the order of the probabilities. */
  readonly classes?: readonly string[]
  /** What a classifier tells of each class. */
  readonly scores?: 'probabilities' | 'scores'
}

/** A model with all that lies between a request and its answer. */
export interface Served {
  readonly model: Module
  readonly interface: ModelInterface
  /** Shape of what the model itself takes. */
  readonly shape: Shape
  /** Inputs of the model. */
  readonly width: number
  readonly encoding?: TableEncoding
  /** What numbers go through. */
  readonly preprocessing: Preprocessing
  /** What pixels go through. */
  readonly pixelPreprocessing: Preprocessing
  readonly loss?: string
  /** Whether the model was read for the server, which frees it then. */
  readonly isOwn?: true
}

/** @throws ArgumentError for what is no model, and a module whose inputs are not known */
export function servedOf(op: string, given: Servable, inputShape?: Shape): Served {
  if (isModule(given)) {
    const shape = inputShape === undefined ? inferShape(op, given) : checkShape(op, inputShape)
    return {
      model: given,
      interface: { answers: 'outputs', inputShape: shape },
      shape,
      width: sizeOf(shape),
      preprocessing: preprocessingOf({}, false),
      pixelPreprocessing: preprocessingOf({}, true),
    }
  }
  const { model, inputs, encoding, loss } = given ?? {}
  if (!isModule(model) || !Number.isInteger(inputs)) {
    throw new ArgumentError(
      `${op}: expected a classifier, as loadClassifier() gives it, a regressor or a module, got ${excerpt(given)}`,
    )
  }
  if (inputShape !== undefined) {
    throw new ArgumentError(
      `${op}: expected inputShape of a module only, got ${excerpt(inputShape)}`,
    )
  }
  const common = {
    model,
    shape: [inputs],
    width: inputs,
    encoding,
    preprocessing: preprocessingOf(given as Classifier, false),
    pixelPreprocessing: preprocessingOf(given as Classifier, true),
    loss,
  }
  const takes = encoding ? { columns: columnsOf(encoding) } : { inputShape: [inputs] }
  if (!('classes' in given)) return { ...common, interface: { answers: 'value', ...takes } }
  const { classes, images } = given
  const scores = isProbabilistic(loss) ? 'probabilities' : 'scores'
  return {
    ...common,
    interface: { answers: 'classes', ...takes, ...(images && { images }), classes, scores },
  }
}

function columnsOf({ features }: TableEncoding): ServedColumn[] {
  return features.map((feature) => {
    const { name, type } = feature
    return type === 'category' ? { name, type, categories: feature.categories } : { name, type }
  })
}

function inferShape(op: string, model: Module): Shape {
  const first = firstOf(model)
  if (first instanceof Linear) return [first.weight.shape[0]]
  throw new ArgumentError(
    `${op}: expected inputShape, the shape of one example such as [28, 28, 1], for a module that does not begin with Linear`,
  )
}

/** The first layer of nested `Sequential`s that is more than dropout. */
function firstOf(module: Module | undefined): Module | undefined {
  if (!(module instanceof Sequential)) return module
  return firstOf(module.layers.find((layer: Module) => !(layer instanceof Dropout)))
}

/** How another version differs in what clients see of it, or undefined. Categories may be others. */
export function differenceOf(before: ModelInterface, after: ModelInterface): string | undefined {
  const visible = ({ columns, ...rest }: ModelInterface) => ({
    ...rest,
    columns: columns?.map(({ name, type }) => ({ name, type })),
  })
  const [a, b] = [visible(before), visible(after)]
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof ModelInterface)[]
  const other = names.find((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
  if (other === undefined) return undefined
  return `expected ${other} as before, ${excerpt(a[other])}, got ${excerpt(b[other])}`
}
