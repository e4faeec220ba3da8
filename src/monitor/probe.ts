/** What a monitor computes with tensors around one training step. May be captured with the step. */

import { ALONG_ALL } from '../backend/broadcast.js'
import { isRecording } from '../backend/record.js'
import type { AnyModule } from '../nn/module.js'
import { stack } from '../ops/layout.js'
import { nodesBehind, noGrad } from '../tensor/graph.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'
import { type Activation, activationsBehind, type Layer, layersOf } from './observed.js'

/** A network before a step. */
export type Look = {
  /** Of each layer, ‖∂loss/∂W‖; undefined where its weights have no gradient. */
  gradientNorms: (Tensor | undefined)[]
  /** Of each layer, ‖W‖. */
  weightNorms: Tensor[]
  /** The values of the probe's `activations`. */
  values: Tensor[]
}

export class Probe {
  readonly layers: readonly Layer[]
  /** What the values of a look are of: the same for every look at a model. */
  activations: readonly Activation[] = []

  constructor(model: AnyModule) {
    this.layers = layersOf(model)
  }

  /** Between forward pass and backward: goes back by itself once, and leaves no trace of it. */
  look(outputs: Tensor, loss: Tensor): Look {
    const { activations, values } = activationsBehind(outputs, this.layers)
    this.activations = activations
    const giveBack = setGradientsAside(loss)
    try {
      loss.backward(undefined, { retainGraph: true })
      return noGrad(() => ({
        gradientNorms: this.layers.map(({ weights }) =>
          normOf(weights.flatMap(({ grad }) => grad ?? [])),
        ),
        weightNorms: this.layers.map(({ weights }) => normOf(weights)!),
        values,
      }))
    } finally {
      giveBack()
    }
  }

  /** Whether the model was disposed of. */
  get isReleased(): boolean {
    return this.layers.some(({ weights }) => weights.some(({ storage }) => storage.released))
  }

  /** Copies of each layer's weights. */
  copies(): Tensor[][] {
    return this.layers.map(({ weights }) => weights.map((w) => w.clone()))
  }

  /** Of each layer, how far its weights are from these copies, ‖ΔW‖; the copies are used up. */
  distances(copies: readonly (readonly Tensor[])[]): Tensor[] {
    for (const [i, { weights }] of this.layers.entries()) {
      for (const [j, w] of weights.entries()) {
        // In place: memory that is touched once in 50 steps comes from far away.
        const { handle } = copies[i][j]
        w.storage.backend.run('sub', w.handle, handle, handle, 1, 1, w.size, ALONG_ALL, ALONG_ALL)
      }
    }
    return copies.map((differences) => normOf(differences)!)
  }
}

/** √(Σ x²) over all elements of all tensors. */
function normOf(tensors: readonly Tensor[]): Tensor | undefined {
  if (tensors.length === 0) return undefined
  return tensors.length === 1 ? tensors[0].norm() : stack(tensors.map((x) => x.norm())).norm()
}

/**
 * Takes their gradients from the leaves that a tensor was computed from, until the function that it
 * returns frees new ones and gives them back.
 */
function setGradientsAside(root: Tensor): () => void {
  const edges = root.node ? nodesBehind(root.node).flatMap((node) => node.edges) : []
  const leaves = new Set(edges.filter(isTensor))
  // A capture refuses gradients from outside, where they are when the step itself goes back.
  const kept = [...leaves].map((leaf) => [leaf, leaf.grad] as const)
  if (!isRecording()) for (const leaf of leaves) leaf.grad = null
  return () => {
    for (const [leaf, grad] of kept) {
      leaf.grad?.dispose()
      leaf.grad = grad
    }
  }
}
