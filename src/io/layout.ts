/**
 * How files hold the weights of affine layers and convolutions: square ones load either way, so that a file
 * must say it, or its reader.
 */
import { ArgumentError, excerpt } from '../base/errors.js'
import { ConvLayer } from '../nn/conv.js'
import { Linear } from '../nn/linear.js'
import { type AnyModule, checkModule } from '../nn/module.js'
import { StateDict, type StateSource, type StateValues, stateFrom } from '../nn/stateDict.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import type { StoredTensor } from './safetensorsDtypes.js'

/**
 * How a file holds the weights of affine layers and convolutions: `inputOutput` for [fanIn, fanOut] and
 * [...kernel, channels, filters], as this library and Keras do, `outputInput` for [fanOut, fanIn] and
 * [filters, channels, ...kernel], as PyTorch does (of transposed convolutions [channels, filters, ...kernel]).
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
  if (layerWeights(model).length === 0) return 'inputOutput'
  throw new ArgumentError(
    `loadModel: expected { layout }, because ${path} does not say how it holds the weights of its layers: 'inputOutput' for [fanIn, fanOut] as in Keras, 'outputInput' for [fanOut, fanIn] as in PyTorch`,
  )
}

/** A file's tensors with the weights of the model as [fanIn, fanOut] and [...kernel, channels, filters]. */
export function asInputOutput(model: AnyModule, tensors: Tensors, layout: WeightLayout): Tensors {
  return layout === 'inputOutput' ? tensors : turnedWeights(model, tensors, inputOutputAxes)
}

/**
 * A state dict of PyTorch's for this model, whose layers have the same names: what its `loadStateDict` takes.
 * Weights of `Linear` come as [fanOut, fanIn], those of convolutions as [filters, channels / groups,
 * ...kernel], of transposed ones as [channels, filters / groups, ...kernel]; everything else stays as it is.
 * @throws ArgumentError for what is no model or no state
 * @example model.loadStateDict(fromTorch(model, state))
 */
export function fromTorch(model: AnyModule, source: StateSource): ReadonlyMap<string, StateValues> {
  checkModule('fromTorch', model)
  return turnedWeights(model, stateFrom('fromTorch', source), inputOutputAxes)
}

/**
 * The model's parameters as PyTorch has them, the inverse of `fromTorch`.
 * @throws ArgumentError for what is no model, BusyError as `stateDict`
 */
export function toTorch(model: AnyModule): StateDict {
  checkModule('toTorch', model)
  return new StateDict(turnedWeights(model, model.stateDict(), outputInputAxes))
}

/** [outputs, inputs, ...kernel] to [...kernel, inputs, outputs]: where each axis comes from. */
const inputOutputAxes = (rank: number) => [...range(2, rank), 1, 0]
/** And back. */
const outputInputAxes = (rank: number) => [rank - 1, rank - 2, ...range(0, rank - 2)]

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i)
}

interface Values {
  readonly shape: Shape
  readonly data: ArrayLike<number>
}

/** Tensors by path, with the axes of the weights of the model's layers in another order. */
function turnedWeights<V extends Values>(
  model: AnyModule,
  tensors: ReadonlyMap<string, V>,
  axesOf: (rank: number) => number[],
): Map<string, V> {
  const turned = new Map(tensors)
  for (const [path, rank] of layerWeights(model)) {
    const weight = tensors.get(path)
    if (weight?.shape.length === rank) turned.set(path, permuted(weight, axesOf(rank)))
  }
  return turned
}

/** The paths of the weights of affine layers and convolutions, with their ranks. */
function layerWeights(model: AnyModule): [path: string, rank: number][] {
  return [...model.namedModules()].flatMap(([path, module]) =>
    module instanceof Linear || module instanceof ConvLayer
      ? [[path === '' ? 'weight' : `${path}.weight`, module.weight.shape.length]]
      : [],
  )
}

function permuted<V extends Values>(values: V, axes: readonly number[]): V {
  const { shape } = values
  const source = values.data as Float32Array
  // What does not fit is refused where it is assigned.
  if (source?.length !== sizeOf(shape) || typeof source.slice !== 'function') return values
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const turned = axes.map((axis) => shape[axis])
  const data = source.slice()
  const index = turned.map(() => 0)
  for (let to = 0, from = 0; to < data.length; to++) {
    data[to] = source[from]
    // The next index, as an odometer counts.
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axes[axis]]
      if (++index[axis] < turned[axis]) break
      from -= turned[axis] * steps[axes[axis]]
      index[axis] = 0
    }
  }
  return { ...values, shape: turned, data }
}
