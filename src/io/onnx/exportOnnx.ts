/** Models as ONNX files, which other programs run. */
import { checkPath, optionsOf } from '../../base/arguments.js'
import { ArgumentError, DivergenceError, excerpt } from '../../base/errors.js'
import { findNotFinite } from '../../nn/finite.js'
import { refuseTrained } from '../../nn/lock.js'
import { type AnyModule, isModule, type SummaryInput } from '../../nn/module.js'
import { isTensor } from '../../tensor/tensor.js'
import type { Classifier } from '../classifier.js'
import { writeFileAtomically } from '../files.js'
import type { Regressor } from '../regressor.js'
import { Emitter } from './export/emitter.js'
import type { NamedShape } from './export/graph.js'
import { Batch, type Extents } from './export/merge.js'
import { traceModel } from './export/model.js'
import { metadataOf, writePredictor } from './export/predictor.js'
import { translate } from './export/translate.js'
import type { OnnxValueInfo } from './import/graph.js'

/** Settings of `exportOnnx`. */
export interface ExportOnnxOptions {
  /**
   * Of a module: the shape of its inputs, the batch included, such as [1, 784], or a tensor of examples, such as indices;
   * an array of these for several inputs.
   */
  input?: SummaryInput | readonly SummaryInput[]
}

/** What an exported model takes and gives. */
export interface OnnxSignature {
  /** In their order. */
  readonly inputs: readonly OnnxValueInfo[]
  /** In their order. */
  readonly outputs: readonly OnnxValueInfo[]
}

/**
 * Writes a model as an ONNX file (opset 17), for batches of any size. A module is run twice, in `eval`, on small
 * batches, and what it computes is written down; its input is `input` and its output `output`, or those of several
 * `input_0`, `input_1`, … and what `forward` calls them. Images keep their channels last.
 *
 * A classifier or regressor, as `loadClassifier` and `loadRegressor` give it, is written from raw features to answers:
 * `input` [batch, features], or bytes `images` [batch, height, width, channels], or of a table an input [batch, 1] for
 * each column (floats with NaN for a missing one, text of categories with '' for a missing one, dates as milliseconds
 * since 1970 with -2^63 for a missing one); `label` and `probabilities` (or `scores`, after a loss without any), or
 * `value`. Classes and preprocessing are kept as metadata, too.
 * @returns names, types and shapes of the inputs and outputs
 * @throws ArgumentError for what ONNX has no way to say, with the module and op, ShapeError when the module does not
 *   take the input, DivergenceError for parameters that are not finite, BusyError while the model is being trained
 * @example exportOnnx(model, 'model.onnx', { input: [1, 28, 28, 1] })
 * @example exportOnnx(loadClassifier('iris.safetensors'), 'iris.onnx')
 */
export function exportOnnx(
  model: AnyModule | Classifier | Regressor,
  path: string,
  options: ExportOnnxOptions = {},
): OnnxSignature {
  const { input } = optionsOf('exportOnnx', options, { input: true })
  checkPath('exportOnnx', path)
  const predictor = isModule(model) ? undefined : (model as Classifier | Regressor)
  const module = predictor === undefined ? (model as AnyModule) : predictor?.model
  if (!isModule(module)) {
    throw new ArgumentError(
      `exportOnnx: expected a module, a classifier or a regressor, got ${excerpt(model)}`,
    )
  }
  refuseTrained('exportOnnx', module)
  refuseNotFinite(module)
  const g = new Emitter()
  if (predictor === undefined) writeModule(g, module, input)
  else {
    if (input !== undefined) {
      throw new ArgumentError(
        'exportOnnx: expected no input for a classifier or regressor, which knows its own',
      )
    }
    writePredictor(g, predictor)
  }
  writeFileAtomically(path, g.bytes(predictor === undefined ? {} : metadataOf(predictor)))
  return { inputs: g.inputs, outputs: g.outputs }
}

function refuseNotFinite(model: AnyModule): void {
  const found = findNotFinite([...model.namedParameters()])
  if (found === undefined) return
  throw new DivergenceError(`exportOnnx: expected finite parameters, got ${found}`)
}

function writeModule(g: Emitter, model: AnyModule, input: ExportOnnxOptions['input']): void {
  const examples = examplesIn(input)
  const traced = traceModel(model, examples)
  const inputs = traced.inputs.map(({ shape, dtype }, i) =>
    g.input(examples.length === 1 ? 'input' : `input_${i}`, dtype, named(shape)),
  )
  const names = traced.names.map((name) => g.unique(name))
  translate(g, traced, inputs)
  traced.outputs.forEach((value, i) => {
    g.output(names[i], g.plain(value), value.dtype, named(value.shape))
  })
}

function examplesIn(input: ExportOnnxOptions['input']): readonly SummaryInput[] {
  const given: readonly unknown[] = Array.isArray(input) && !isShape(input) ? input : [input]
  if (given.length > 0 && given.every(isExample)) return given
  throw new ArgumentError(
    `exportOnnx: expected input as the shape of a batch such as [1, 784], a tensor of examples, or an array of these, got ${excerpt(input)}`,
  )
}

function isExample(value: unknown): value is SummaryInput {
  return isTensor(value) ? value.shape.length > 0 && value.size > 0 : isShape(value)
}

function isShape(value: unknown): value is readonly number[] {
  const isExtent = (extent: unknown) => Number.isSafeInteger(extent) && (extent as number) >= 1
  return Array.isArray(value) && value.length > 0 && value.every(isExtent)
}

function named(shape: Extents): NamedShape {
  return shape.map((extent) => {
    if (extent instanceof Batch) return extent.times === 1 ? 'batch' : `${extent.times}*batch`
    return extent ?? '?'
  })
}
