/** A trained model in a graph, from raw features to its answers. */

import { dtypes, type FloatDType } from '../../../backend/dtype.js'
import type { ValueEncoding } from '../../../data/table/encoding.js'
import type { Preprocessing } from '../../../data/transforms/standardize.js'
import { isProbabilistic } from '../../../nn/lossNames.js'
import type { Classifier } from '../../classifier.js'
import type { Regressor } from '../../regressor.js'
import type { Emitter } from './emitter.js'
import { traceModel } from './model.js'
import { encodeTable, standardized } from './table.js'
import { translate } from './translate.js'

/** Writes inputs, preprocessing, model and answers. @throws ArgumentError for what cannot be exported */
export function writePredictor(g: Emitter, predictor: Classifier | Regressor): void {
  const traced = traceModel(predictor.model, [[1, predictor.inputs]])
  const x = inputsOf(g, predictor)
  const names = outputsOf(predictor).map((name) => g.unique(name))
  translate(g, traced, [x])
  const y = g.plain(traced.outputs[0])
  if ('classes' in predictor) writeClasses(g, predictor, y, names)
  else writeValues(g, predictor.encoding.target as ValueEncoding, y, names[0])
}

function outputsOf(predictor: Classifier | Regressor): string[] {
  if (!('classes' in predictor)) return ['value']
  return ['label', isProbabilistic(predictor.loss) ? 'probabilities' : 'scores']
}

/** Declares the inputs. @returns the name of what goes into the model, [batch, inputs] */
function inputsOf(g: Emitter, predictor: Classifier | Regressor): string {
  const { inputs, encoding } = predictor
  if (encoding !== undefined) return encodeTable(g, encoding)
  const { images, preprocessing } = predictor as Classifier
  if (images === undefined) {
    const x = g.input('input', 'float32', ['batch', inputs])
    return preprocessing === undefined ? x : preprocess(g, x, preprocessing)
  }
  const shape = [...images.size, images.channels]
  const bytes = g.input('images', 'uint8', ['batch', ...shape])
  const flat = g.node('Reshape', [g.cast(bytes, 'float32'), g.ints([0, inputs])])
  return preprocess(g, flat, preprocessing ?? { mean: [0], scale: [1 / 255] })
}

function preprocess(g: Emitter, x: string, { mean, scale }: Preprocessing): string {
  const list = (values: readonly number[], type: FloatDType, name: string) =>
    g.constant(dtypes[type].array.from(values), type, [values.length], name)
  if (mean.every((value) => value === 0)) {
    if (scale.every((value) => value === 1)) return x
    return g.node('Mul', [x, list(scale, 'float32', 'scale')])
  }
  const moments = [list(mean, 'float64', 'mean'), list(scale, 'float64', 'scale')]
  return g.cast(standardized(g, x, moments[0], moments[1]), 'float32')
}

const WHOLE = /^(0|-?[1-9]\d{0,14})$/

/** The class by its name, or by its number where all names are whole numbers; probabilities, or scores. */
function writeClasses(
  g: Emitter,
  { classes, loss }: Classifier,
  y: string,
  [label, scores]: readonly string[],
): void {
  const isWhole = classes.every((name) => WHOLE.test(name))
  const type = isWhole ? 'int64' : 'string'
  const texts = g.constant(
    isWhole ? BigInt64Array.from(classes, BigInt) : classes,
    type,
    [classes.length],
    'classes',
  )
  const position = g.node('ArgMax', [y], { axis: 1, keepdims: 0 })
  g.output(label, g.node('Gather', [texts, position]), type, ['batch'])
  const shape = ['batch', classes.length]
  const shown = isProbabilistic(loss) ? g.node('Softmax', [y], { axis: 1 }) : y
  g.output(scores, shown, 'float32', shape)
}

/** Values in the unit of the target. */
function writeValues(g: Emitter, { mean, scale }: ValueEncoding, y: string, name: string): void {
  const moments = [scale, mean].map((value) => g.scalar(value, 'float64'))
  const value = g.node('Add', [g.node('Div', [g.cast(y, 'float64'), moments[0]]), moments[1]])
  g.output(name, g.cast(value, 'float32'), 'float32', ['batch', 1])
}

/** What is told of a model beside its graph. */
export function metadataOf(predictor: Classifier | Regressor): Record<string, string> {
  const { classes, preprocessing, images, encoding, loss, dataset } = predictor as Classifier
  const texts = Object.entries({ classes, preprocessing, images, encoding }).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, JSON.stringify(value)]]),
  )
  return { ...Object.fromEntries(texts), loss, ...(dataset !== undefined && { dataset }) }
}
