/**
 * Models of tf.layers as networks of this library, which train by captured steps, and back again.
 */
import type * as TensorFlow from '@tensorflow/tfjs'
import { ArgumentError } from '../../index.js'
import { checkFlag, excerpt, optionsOf } from '../../internal.js'
import { convert } from './layersConvert.js'
import { LayersNetwork, type Step, type Topology } from './layersNetwork.js'

export { LayersNetwork, type RegularizedGroup } from './layersNetwork.js'

type SymbolicTensor = TensorFlow.SymbolicTensor
/** Of tf.layers; TensorFlow.js does not export the class. */
type Layer = SymbolicTensor['sourceLayer']

/** Settings of `fromLayersModel`. */
export interface FromLayersOptions {
  /**
   * Whether the softmax or sigmoid at the model's end is left out, so that the outputs are the logits which
   * `softmaxCrossEntropy` and `binaryCrossEntropyWithLogits` take; false by default. `toLayersModel` puts it
   * back.
   */
  logits?: boolean
}

/**
 * A network with the layers and weights of a model of tf.layers, sequential or functional, from one input to
 * one output. It has copies of the weights, and is in `eval` at first, so that its outputs are those of
 * `model.predict`; `fit` trains it. Layers that are not trainable are frozen. Dropout draws other masks than
 * TensorFlow.js's. Regularizers are heeded by an optimizer of `network.groups()`.
 * @throws ArgumentError for layers and options that have no counterpart, by their names, and for models of
 *   several inputs or outputs
 * @example
 * const network = fromLayersModel(model, { logits: true })
 * await fit(network, data, { loss: 'softmaxCrossEntropy', … })
 * const trained = toLayersModel(tf, network)
 */
export function fromLayersModel(
  model: TensorFlow.LayersModel,
  options: FromLayersOptions = {},
): LayersNetwork {
  const { logits = false } = optionsOf('fromLayersModel', options, { logits: true })
  checkFlag('fromLayersModel', 'logits', logits)
  if (typeof model?.getConfig !== 'function' || !isModel(model)) {
    throw new ArgumentError(`fromLayersModel: expected a model of tf.layers, got ${excerpt(model)}`)
  }
  return networkOf(model, logits).eval()
}

/**
 * The model of tf.layers that a network was made from, with the weights that the network has now. It is not
 * compiled.
 * @param tf TensorFlow.js as the caller has it: `import * as tf from '@tensorflow/tfjs'`
 * @throws ArgumentError for what `fromLayersModel` did not make, BusyError while the network is being trained
 */
export function toLayersModel(
  tf: Pick<typeof TensorFlow, 'LayersModel' | 'Sequential' | 'tensor' | 'tidy'>,
  network: LayersNetwork,
): TensorFlow.LayersModel {
  if (!(network instanceof LayersNetwork)) {
    throw new ArgumentError(
      `toLayersModel: expected a network that fromLayersModel made, got ${excerpt(network)}`,
    )
  }
  const values = network.stateDict().values()
  const { isSequential, config } = structuredClone(network.topology)
  const Class: typeof TensorFlow.LayersModel = isSequential ? tf.Sequential : tf.LayersModel
  const model = Class.fromConfig(Class, config) as TensorFlow.LayersModel
  tf.tidy(() => {
    for (const layer of leavesOf(model)) {
      const weights = layer.weights.map(({ shape }) => {
        return tf.tensor(values.next().value!.data as Float32Array, shape as number[])
      })
      layer.setWeights(weights)
    }
  })
  return model
}

function topologyOf(model: TensorFlow.LayersModel): Topology {
  const config = structuredClone(model.getConfig())
  return { isSequential: model.getClassName() === 'Sequential', config }
}

/** A layer that a model calls, with the tensors that it is called with. */
interface Call {
  layer: Layer
  inputs: readonly SymbolicTensor[]
  output: SymbolicTensor
}

function networkOf(model: TensorFlow.LayersModel, logits: boolean): LayersNetwork {
  const calls = callsOf(model)
  const places = new Map([[model.inputs[0].id, 0]])
  const converted = new Map<Layer, Omit<Step, 'from'>>()
  const steps = calls.map(({ layer, inputs, output }, i): Step => {
    const isLast = i === calls.length - 1
    places.set(output.id, i + 1)
    const step = converted.get(layer) ?? stepOf(layer, inputs, output, logits && isLast)
    converted.set(layer, step)
    return { ...step, from: inputs.map(({ id }) => places.get(id)!) }
  })
  return new LayersNetwork(topologyOf(model), steps)
}

function stepOf(
  layer: Layer,
  inputs: readonly SymbolicTensor[],
  output: SymbolicTensor,
  logits: boolean,
): Omit<Step, 'from'> {
  if (isModel(layer)) {
    const network = networkOf(layer, logits)
    return { layer: layer.name, module: network, weights: [], penalties: new Map() }
  }
  const step = convert(
    {
      kind: layer.getClassName(),
      name: layer.name,
      config: layer.getConfig(),
      inputs: inputs.map(({ shape }) => shape.slice(1)),
      output: output.shape.slice(1),
      weights: layer.weights.map(({ shape }) => shape),
    },
    logits,
  )
  const trained = new Set(layer.trainableWeights)
  layer.getWeights().forEach((tensor, i) => {
    const weight = step.weights[i]
    weight.assign(tensor.dataSync())
    if (!trained.has(layer.weights[i])) weight.requiresGrad = false
  })
  return { layer: layer.name, ...step }
}

/** Every call from the model's input to its output, each after those whose results it takes. */
function callsOf(model: TensorFlow.LayersModel): Call[] {
  const { name, inputs, outputs } = model
  if (inputs.length !== 1 || outputs.length !== 1) {
    throw new ArgumentError(
      `fromLayersModel: expected one input and one output of ${name}, got ${inputs.length} and ${outputs.length}`,
    )
  }
  const calls: Call[] = []
  const seen = new Set([inputs[0].id])
  const visit = (tensor: SymbolicTensor): void => {
    if (seen.has(tensor.id)) return
    seen.add(tensor.id)
    const { sourceLayer: layer, nodeIndex } = tensor
    const { inputTensors, callArgs } = layer.inboundNodes[nodeIndex]
    const [option] = Object.keys(callArgs ?? {})
    if (option) {
      throw new ArgumentError(
        `fromLayersModel: expected ${layer.name} to be applied without options, got ${option}`,
      )
    }
    for (const input of inputTensors) visit(input)
    calls.push({ layer, inputs: inputTensors, output: tensor })
  }
  visit(outputs[0])
  return calls
}

/** Every layer that has weights of its own, or might, in the order of the calls. */
function leavesOf(model: TensorFlow.LayersModel): Layer[] {
  const layers = [...new Set(callsOf(model).map(({ layer }) => layer))]
  return layers.flatMap((layer) => (isModel(layer) ? leavesOf(layer) : layer))
}

function isModel(layer: Layer): layer is TensorFlow.LayersModel {
  return 'layers' in layer
}
