/**
 * What a monitor looks at in a network: the weights of each layer, and the activations in the graph
 * that a forward pass left behind. No model has to be written for it.
 */

import { type AnyModule, isParameter, type Parameter } from '../nn/module.js'
import { nodesBehind } from '../tensor/graph.js'
import type { GradNode, Tensor } from '../tensor/tensor.js'

/** A layer's weights: its parameters that regularizers apply to, which biases are not. */
export interface Layer {
  /** Path of the module that holds them, such as `layers.0`; of a weight in no module of its own, the weight's. */
  name: string
  weights: Parameter[]
}

/** The layers that have weights, in the order of the parameters. */
export function layersOf(model: AnyModule): Layer[] {
  const layers = new Map<string, Layer>()
  for (const [path, parameter] of model.namedParameters()) {
    if (!parameter.regularized) continue
    const name = path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : path
    const layer = layers.get(name) ?? { name, weights: [] }
    layer.weights.push(parameter)
    layers.set(name, layer)
  }
  return [...layers.values()]
}

export type ActivationKind = 'relu' | 'sigmoid' | 'tanh' | 'outputs'

/** Values that a layer hands on, [batch, ...units]. */
export interface Activation {
  /** The layer whose weights come next before it; a second one there gets `#2` behind its name. */
  layer: string
  kind: ActivationKind
}

/**
 * The results of every relu, sigmoid and tanh that the outputs were computed from, and the outputs
 * themselves, in the order of the forward pass. Views: they outlive the graph.
 */
export function activationsBehind(
  outputs: Tensor,
  layers: readonly Layer[],
): { activations: Activation[]; values: Tensor[] } {
  const nameOf = new Map(layers.flatMap(({ name, weights }) => weights.map((w) => [w, name])))
  const activations: Activation[] = []
  const values: Tensor[] = []
  const add = (node: GradNode | null, kind: ActivationKind, y: Tensor) => {
    const name = (node && nearestLayer(node, nameOf)) ?? kind
    const before = activations.filter(({ layer }) => layer.replace(/#\d+$/, '') === name).length
    activations.push({ layer: before === 0 ? name : `${name}#${before + 1}`, kind })
    values.push(y.view())
  }
  for (const node of outputs.node ? nodesBehind(outputs.node).reverse() : []) {
    if (isActivation(node.name)) add(node, node.name, node.saved![0])
  }
  if (!isActivation(outputs.node?.name)) add(outputs.node, 'outputs', outputs)
  return { activations, values }
}

function isActivation(op: string | undefined): op is Exclude<ActivationKind, 'outputs'> {
  return op === 'relu' || op === 'sigmoid' || op === 'tanh'
}

/** The layer of the weight that is fewest ops before a node. */
function nearestLayer(node: GradNode, nameOf: ReadonlyMap<Parameter, string>): string | undefined {
  const seen = new Set<GradNode | Tensor | null>([node])
  for (const edge of seen) {
    if (isParameter(edge) && nameOf.has(edge)) return nameOf.get(edge)
    if (edge !== null && 'edges' in edge) for (const next of edge.edges) seen.add(next)
  }
  return undefined
}
