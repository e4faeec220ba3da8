/**
 * How files hold the weights of affine layers and convolutions: square ones load either way, so that a file
 * must say it, or its reader.
 */
import { ArgumentError, excerpt } from '../base/errors.js'
import { ConvLayer } from '../nn/conv.js'
import { Linear } from '../nn/linear.js'
import type { AnyModule } from '../nn/module.js'

/**
 * How a file holds a model: `inputOutput` for weights [fanIn, fanOut] and [...kernel, channels, filters], as
 * this library and Keras do; `torch` for PyTorch's names, and its weights [fanOut, fanIn] and [filters,
 * channels, ...kernel] (of transposed convolutions [channels, filters, ...kernel]). `outputInput` is an older
 * name of `torch`.
 */
export type WeightLayout = 'inputOutput' | 'torch' | 'outputInput'

/** What the text of a file says, which is nothing in files of others. */
export function layoutIn(metadata: Readonly<Record<string, string>>): WeightLayout | undefined {
  const { layout, architecture } = metadata
  if (isLayout(layout)) return layout
  return architecture === undefined ? undefined : 'inputOutput'
}

function isLayout(value: unknown): value is WeightLayout {
  return value === 'inputOutput' || isTorch(value)
}

/** Whether names and weights are PyTorch's. */
export function isTorch(value: unknown): boolean {
  return value === 'torch' || value === 'outputInput'
}

/**
 * The layout that the reader gives, or the file itself.
 * @throws ArgumentError when neither does though it matters, or they differ
 */
export function chooseLayout(
  path: string,
  model: AnyModule,
  given: WeightLayout | undefined,
  own: WeightLayout | undefined,
): WeightLayout {
  if (given !== undefined && !isLayout(given)) {
    throw new ArgumentError(
      `loadModel: expected layout inputOutput or torch, got ${excerpt(given)}`,
    )
  }
  if (given !== undefined && own !== undefined && isTorch(given) !== isTorch(own)) {
    throw new ArgumentError(`loadModel: expected layout ${own}, as ${path} says, got ${given}`)
  }
  const layout = given ?? own
  if (layout !== undefined) return layout
  // Where no axes differ, PyTorch's names are found beside those here.
  if (!hasLayerWeights(model)) return 'torch'
  throw new ArgumentError(
    `loadModel: expected { layout }, because ${path} does not say how it holds the weights of its layers: 'inputOutput' for [fanIn, fanOut] as in Keras, 'torch' for [fanOut, fanIn] and the names of PyTorch`,
  )
}

function hasLayerWeights(model: AnyModule): boolean {
  return [...model.namedModules().values()].some(
    (module) => module instanceof Linear || module instanceof ConvLayer,
  )
}
