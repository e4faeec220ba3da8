/**
 * The graph that ops leave behind: who made a tensor, from what. The walk back through it is in
 * autograd/backward.ts; how a single op is differentiated stands with the op (ops/).
 */
import { checkFunction, refusePromise } from '../base/arguments.js'
import type { Storage } from './storage.js'
import type { AnyTensor, GradNode, Tensor } from './tensor.js'

let enabled = true

/** Whether ops leave a graph behind at this point. */
export function gradEnabled(): boolean {
  return enabled
}

/**
 * Runs fn without leaving a graph behind.
 * @throws ArgumentError when fn is no function, or asynchronous
 */
export function noGrad<T>(fn: () => T): T {
  checkFunction('noGrad', 'a function', fn)
  const before = enabled
  enabled = false
  try {
    return refusePromise('noGrad', fn())
  } finally {
    enabled = before
  }
}

/** Records graphs in fn also where `noGrad` is around it, as a closure of one's own expects. */
export function withGrad<T>(fn: () => T): T {
  const before = enabled
  enabled = true
  try {
    return fn()
  } finally {
    enabled = before
  }
}

export function versionOf(saved: readonly AnyTensor[]): number {
  let sum = 0
  for (const tensor of saved) sum += tensor.storage.version
  return sum
}

let nextId = 1

/** Makes y the result of a differentiable op. */
export function record(
  y: Tensor,
  name: string,
  inputs: readonly AnyTensor[],
  saved: readonly AnyTensor[],
  attributes: unknown,
  backward: GradNode['backward'],
): void {
  y.node = {
    name,
    id: nextId++,
    edges: inputs.map((x) => (x.requiresGrad ? (x.node ?? (x as Tensor)) : null)),
    shapes: inputs.map((x) => x.shape),
    attributes,
    saved: saved.map((x) => x.view()),
    version: versionOf(saved),
    backward,
    gradient: null,
  }
  // Not before: only of leaves it is a change that captured functions look at.
  y.requiresGrad = true
}

export function isNode(edge: GradNode | Tensor): edge is GradNode {
  return 'edges' in edge
}

/** Every node the root was computed from, latest first. */
export function nodesBehind(root: GradNode): GradNode[] {
  const seen = new Set([root])
  for (const node of seen) {
    for (const edge of node.edges) if (edge !== null && isNode(edge)) seen.add(edge)
  }
  return [...seen].sort((a, b) => b.id - a.id)
}

/** Buffers that a later backward from this node still needs. */
export function savedStorages(root: GradNode): Storage[] {
  return nodesBehind(root).flatMap((node) => (node.saved ?? []).map((x) => x.storage))
}
