/** Which of a file's values are weights, to be trained. */
import type { Graph } from './graph.js'
import type { Node } from './node.js'
import { operators } from './ops/index.js'

/** Names of what nodes multiply by, add or look up, and which of these are only the filters of convolutions. */
export function weightsOf(graph: Graph): { weights: Set<string>; filters: Set<string> } {
  const { nodes } = graph
  const raw = rawNodes(graph)
  const weights = new Set<string>()
  const filters = new Set<string>()
  const others = new Set<string>()
  for (const node of [...nodes].reverse()) {
    const { op, inputs, outputs } = node
    const operator = operators[op]
    const isConvolution = op === 'Conv' || op === 'ConvTranspose'
    for (const [i, name] of inputs.entries()) {
      const passes = operator.passes && i === 0 && weights.has(outputs[0])
      const isUsed = operator.weights?.includes(i) && !raw.has(node)
      if (isUsed || passes) weights.add(name)
      if (isConvolution && i === 1) filters.add(name)
      else others.add(name)
    }
  }
  return { weights, filters: new Set([...filters].filter((name) => !others.has(name))) }
}

/**
 * Nodes that come before the network: what is added to inputs there, and what they are multiplied by, is
 * preprocessing, such as means and scales.
 */
function rawNodes({ nodes, inputs, initializers }: Graph): Set<Node> {
  const values = new Set([...initializers.keys(), ...inputs.map(({ name }) => name), ''])
  /** What follows from the file alone. */
  const fixed = new Set(initializers.keys())
  const found = new Set<Node>()
  for (const node of nodes) {
    const { weights, isArithmetic } = operators[node.op]
    const isLayer = !isArithmetic && weights?.some((i) => fixed.has(node.inputs[i]))
    if (isLayer || !node.inputs.every((name) => values.has(name))) continue
    found.add(node)
    const isFixed = node.inputs.every((name) => fixed.has(name))
    for (const name of node.outputs) {
      values.add(name)
      if (isFixed) fixed.add(name)
    }
  }
  return found
}
