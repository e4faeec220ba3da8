/** What stands for each kind of layer of tf.layers. */
import {
  ArgumentError,
  BatchNorm1d,
  BatchNorm2d,
  concat,
  Dropout,
  ELU,
  Embedding,
  Flatten,
  Hardtanh,
  LayerNorm,
  LeakyReLU,
  Linear,
  type Module,
  PReLU,
  ReLU,
  Reshape,
  type Tensor,
  zeros,
} from '../../index.js'
import { sizeOf } from '../../internal.js'
import { channelsOf, expect, type GivenLayer, refuse, shapeOf } from './layersGiven.js'
import { images } from './layersImages.js'
import { Apply, activationOf } from './layersModules.js'
import type { Converted } from './layersNetwork.js'
import { penaltiesOf } from './layersPenalties.js'

type Convert = (layer: GivenLayer) => Module<Tensor[]>

function dense(layer: GivenLayer): Module {
  const { units, useBias } = layer.config
  return new Linear(channelsOf(layer), units as number, { bias: useBias !== false, init: zeros })
}

/** Leaves out what a norm of tf.layers lacks. */
function scaled<Norm extends BatchNorm1d | BatchNorm2d | LayerNorm>(
  { config }: GivenLayer,
  norm: Norm,
): Norm {
  const absent = { weight: config.scale === false, bias: config.center === false }
  for (const name of ['weight', 'bias'] as const) {
    if (!absent[name]) continue
    norm[name]?.dispose()
    Object.assign(norm, { [name]: null })
  }
  return norm
}

function batchNormalization(layer: GivenLayer): Module {
  const { axis, epsilon, momentum } = layer.config
  const { length: axes } = layer.inputs[0]
  if (axis !== -1 && axis !== axes) refuse(layer, 'axis', 'the last one')
  const options = {
    epsilon: epsilon as number,
    momentum: 1 - (momentum as number),
    correction: 0 as const,
  }
  const Norm = axes === 3 ? BatchNorm2d : BatchNorm1d
  return scaled(layer, new Norm(channelsOf(layer), options))
}

function layerNormalization(layer: GivenLayer): Module {
  const { axis, epsilon } = layer.config
  const [shape] = layer.inputs
  const axes = [axis as number | number[]].flat()
  const first = shape.length + 1 - axes.length
  const isLast = axes.every(
    (given, i) => (given + shape.length + 1) % (shape.length + 1) === first + i,
  )
  if (!isLast || first === 0) refuse(layer, 'axis', 'the last ones')
  const normalized = shapeOf(layer, shape.slice(first - 1))
  return scaled(layer, new LayerNorm(normalized, { epsilon: epsilon as number }))
}

function relu({ config }: GivenLayer): Module {
  return typeof config.maxValue === 'number' ? new Hardtanh(0, config.maxValue) : new ReLU()
}

/** With one slope, or one for each channel. */
function prelu(layer: GivenLayer): Module {
  const shared = new Set((layer.config.sharedAxes ?? []) as number[])
  const slopes = layer.inputs[0].map((extent, i) => (shared.has(i + 1) ? 1 : extent))
  if (slopes.slice(0, -1).some((extent) => extent !== 1)) {
    refuse(layer, 'sharedAxes', 'all axes but the last')
  }
  return new PReLU(slopes.at(-1)!)
}

function softmax(layer: GivenLayer): Module<Tensor[]> {
  const { axis } = layer.config
  if (axis !== -1 && axis !== layer.inputs[0].length) refuse(layer, 'axis', 'the last one')
  return new Apply((x) => x)
}

function dropout(layer: GivenLayer): Module {
  expect(layer, { noiseShape: null })
  return new Dropout(layer.config.rate as number)
}

function embedding(layer: GivenLayer): Module<Tensor[]> {
  expect(layer, { maskZero: false })
  const { inputDim, outputDim } = layer.config
  const table = new Embedding(inputDim as number, outputDim as number, { init: zeros })
  return table as unknown as Module<Tensor[]>
}

function flatten(layer: GivenLayer): Module {
  expect(layer, { dataFormat: 'channelsLast' })
  return new Flatten()
}

function reshape(layer: GivenLayer): Module {
  const target = layer.config.targetShape as (number | null)[]
  const known = sizeOf(target.filter((extent) => extent !== null))
  const rest = target.includes(null) ? sizeOf(shapeOf(layer, layer.inputs[0])) / known : 1
  return new Reshape(target.map((extent) => extent ?? rest))
}

function permute({ config }: GivenLayer): Module<Tensor[]> {
  const axes = [0, ...(config.dims as number[])]
  return new Apply((x) => x.transpose(axes))
}

/** All its inputs, two by two; they may be broadcast, but not to more axes. */
function merge(combine: (a: Tensor, b: Tensor) => Tensor): Convert {
  return (layer) => {
    sameAxes(layer)
    return new Apply((...inputs) => inputs.reduce(combine))
  }
}

function average(layer: GivenLayer): Module<Tensor[]> {
  sameAxes(layer)
  return new Apply((...inputs) => inputs.reduce((a, b) => a.add(b)).div(inputs.length))
}

function sameAxes({ kind, name, inputs }: GivenLayer): void {
  if (inputs.every(({ length }) => length === inputs[0].length)) return
  throw new ArgumentError(
    `fromLayersModel: expected inputs of as many axes each at the ${kind} ${name}, got ${inputs.map(({ length }) => length + 1)}`,
  )
}

function concatenate({ config }: GivenLayer): Module<Tensor[]> {
  return new Apply((...inputs) => concat(inputs, config.axis as number))
}

/** By the names of the layers' classes. */
const kinds: Readonly<Record<string, Convert>> = {
  ...images,
  Dense: dense,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  // Its activation follows.
  Activation: () => new Apply((x) => x),
  Softmax: softmax,
  ReLU: relu,
  LeakyReLU: ({ config }) => new LeakyReLU(config.alpha as number),
  ELU: () => new ELU(),
  PReLU: prelu,
  Dropout: dropout,
  Embedding: embedding,
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  Add: merge((a, b) => a.add(b)),
  Multiply: merge((a, b) => a.mul(b)),
  Maximum: merge((a, b) => a.maximum(b)),
  Minimum: merge((a, b) => a.minimum(b)),
  Average: average,
  Concatenate: concatenate,
}

/**
 * What stands for a layer, its weights 0 still.
 * @throws ArgumentError for layers and options that have no counterpart
 */
export function convert(layer: GivenLayer, logits: boolean): Converted {
  if (!Object.hasOwn(kinds, layer.kind)) {
    const known = Object.keys(kinds).join(', ')
    throw new ArgumentError(
      `fromLayersModel: expected layers of ${known}, got the ${layer.kind} ${layer.name}`,
    )
  }
  const module = kinds[layer.kind](layer)
  const weights = [...module.namedState().values()]
  return {
    module,
    activation: activationOf(layer, logits),
    weights,
    penalties: penaltiesOf(layer, weights),
  }
}
