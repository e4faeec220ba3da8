/**
 * Reverse-mode differentiation: the graph that ops leave behind, and the walk back through it. How
 * a single op is differentiated stands with the op (ops/); what happens to the gradients, summing,
 * un-broadcasting and freeing, stands here alone.
 */
import { noteLeaf } from '../backend/record.js'
import { AutogradError, ShapeError } from '../base/errors.js'
import { addInPlace, sumTo } from '../ops/raw.js'
import { fullLike } from '../tensor/allocate.js'
import { isNode, nodesBehind, noGrad, versionOf } from '../tensor/graph.js'
import { format, sameShape } from '../tensor/shape.js'
import { Scope, type Storage, within } from '../tensor/storage.js'
import type { AnyTensor, GradNode, Tensor } from '../tensor/tensor.js'

function release(node: GradNode): void {
  for (const tensor of node.saved ?? []) tensor.dispose()
  node.saved = null
}

/** Adds a gradient to what its receiver has; takes over the tensor g. */
function accumulate(edge: GradNode | Tensor, g: Tensor): void {
  const leaf = !isNode(edge)
  const before = leaf ? edge.grad : edge.gradient
  if (leaf) noteLeaf(edge)
  if (before === null) {
    // A leaf's gradient lives as long as the leaf; one that shares its buffer is copied first.
    const own = leaf && g.storage.references > 1 ? g.clone() : g
    if (own !== g) g.dispose()
    if (leaf) {
      own.storage.moveTo(edge.storage.owner)
      edge.grad = own
    } else edge.gradient = own
  } else if (before.storage.references === 1 && !before.storage.released) {
    addInPlace(before, g)
    g.dispose()
  } else {
    const sum = before.add(g)
    if (!leaf) edge.gradient = sum
    else {
      sum.storage.moveTo(edge.storage.owner)
      edge.grad = sum
    }
    before.dispose()
    g.dispose()
  }
}

/** What a node saved. Throws AutogradError when it is gone or has changed since. */
function savedOf(node: GradNode): readonly AnyTensor[] {
  if (node.saved === null) {
    throw new AutogradError(
      `backward: the graph of ${node.name} was released by an earlier backward(); pass { retainGraph: true } there`,
    )
  }
  if (versionOf(node.saved) !== node.version) {
    throw new AutogradError(
      `backward: a tensor that ${node.name} needs again was changed in place after its use`,
    )
  }
  return node.saved
}

function visit(node: GradNode, scope: Scope): void {
  const dy = node.gradient
  node.gradient = null
  if (dy === null) return
  const mark = scope.mark
  const rules = node.backward(dy, savedOf(node), node)
  const inUse = new Set<Storage>()
  for (const [i, edge] of node.edges.entries()) {
    if (edge === null) continue
    let g = rules[i]()
    if (!sameShape(g.shape, node.shapes[i])) g = sumTo(g, node.shapes[i])
    // dy itself may be the gradient of several inputs: each gets a view of its own.
    accumulate(edge, g === dy ? g.view() : g)
    if (isNode(edge) && edge.gradient) inUse.add(edge.gradient.storage)
  }
  dy.dispose()
  scope.releaseSince(mark, (storage) => inUse.has(storage))
}

/**
 * Gradients of root with respect to every leaf it was computed from, added to their `grad`.
 * @param seed gradient of the result with respect to root, in root's shape; 1 for a scalar root
 * @throws AutogradError when root has no graph, or its graph was released
 */
export function backward(root: Tensor, seed?: Tensor, retainGraph = false): void {
  if (!root.requiresGrad) {
    throw new AutogradError('backward: expected a tensor computed from one with requiresGrad')
  }
  if (seed === undefined && root.size !== 1) {
    throw new AutogradError(
      `backward: expected a scalar or a seed gradient, got shape ${format(root.shape)}`,
    )
  }
  if (seed !== undefined && !sameShape(seed.shape, root.shape)) {
    throw new ShapeError(
      `backward: expected a seed of shape ${format(root.shape)}, got ${format(seed.shape)}`,
    )
  }
  const scope = new Scope(Infinity) // visit() uses marks
  const nodes = root.node ? nodesBehind(root.node) : []
  // Before anything is added to a gradient, so that a refused call changes none.
  for (const node of nodes) savedOf(node)
  try {
    within(scope, () =>
      noGrad(() => {
        accumulate(root.node ?? root, seed ? seed.clone() : fullLike(root, 1))
        for (const node of nodes) {
          visit(node, scope)
          if (!retainGraph) release(node)
        }
      }),
    )
  } finally {
    for (const node of nodes) node.gradient = null
    scope.end()
  }
}
