/**
 * How files hold the weights of affine layers: square ones load either way, so that a file must say it,
 * or its reader.
 */
import { ArgumentError, excerpt } from '../base/errors.js'
import { Linear } from '../nn/linear.js'
import type { AnyModule } from '../nn/module.js'
import type { StoredTensor } from './safetensorsDtypes.js'

/**
 * How a file holds the weights of affine layers: `inputOutput` for [fanIn, fanOut], as this library and
 * Keras do, `outputInput` for [fanOut, fanIn], as PyTorch does.
 */
export type WeightLayout = 'inputOutput' | 'outputInput'

type Tensors = ReadonlyMap<string, StoredTensor>

/** What the text of a file says, which is nothing in files of others. */
export function layoutIn(metadata: Readonly<Record<string, string>>): WeightLayout | undefined {
  const { layout, architecture } = metadata
  if (isLayout(layout)) return layout
  return architecture === undefined ? undefined : 'inputOutput'
}

function isLayout(value: unknown): value is WeightLayout {
  return value === 'inputOutput' || value === 'outputInput'
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
      `loadModel: expected layout inputOutput or outputInput, got ${excerpt(given)}`,
    )
  }
  if (given !== undefined && own !== undefined && given !== own) {
    throw new ArgumentError(`loadModel: expected layout ${own}, as ${path} says, got ${given}`)
  }
  const layout = given ?? own
  if (layout !== undefined) return layout
  if (linearWeights(model).length === 0) return 'inputOutput'
  throw new ArgumentError(
    `loadModel: expected { layout }, because ${path} does not say how it holds the weights of Linear: 'inputOutput' for [fanIn, fanOut] as in Keras, 'outputInput' for [fanOut, fanIn] as in PyTorch`,
  )
}

/** A file's tensors with the weights of the model's affine layers as [fanIn, fanOut]. */
export function asInputOutput(model: AnyModule, tensors: Tensors, layout: WeightLayout): Tensors {
  if (layout === 'inputOutput') return tensors
  const turned = new Map(tensors)
  for (const name of linearWeights(model)) {
    const weight = tensors.get(name)
    if (weight?.shape.length === 2) turned.set(name, transposed(weight))
  }
  return turned
}

/** The paths of the weights of affine layers. */
function linearWeights(model: AnyModule): string[] {
  return [...model.namedModules()]
    .filter(([, module]) => module instanceof Linear)
    .map(([path]) => (path === '' ? 'weight' : `${path}.weight`))
}

function transposed({ dtype, shape: [rows, cols], data }: StoredTensor): StoredTensor {
  const turned = data.slice()
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) turned[j * rows + i] = data[i * cols + j]
  }
  return { dtype, shape: [cols, rows], data: turned }
}
