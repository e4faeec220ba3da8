/** Gives tensors their computing methods; imported once, by `index.ts`, for its effect. */
import type { DType } from '../backend/dtype.js'
import { optionsOf } from '../base/arguments.js'
import { methodClasses, type TensorMethods } from '../ops/methods.js'
import { requireFloats, requireUsable } from '../ops/require.js'
import { Tensor } from '../tensor/tensor.js'
import { backward } from './backward.js'

declare module '../tensor/tensor.js' {
  interface Tensor<D extends DType = 'float32'> extends TensorMethods<D> {
    /**
     * Adds the gradient of this scalar to `grad` of every leaf it was computed from, and releases
     * what the graph had saved.
     * @param seed for a result that is not a scalar: its gradient, in its shape
     * @param options.retainGraph keeps what was saved, for another `backward` from the same graph
     * @throws AutogradError when it was computed from nothing with `requiresGrad`, its graph was
     * released, or a tensor that is needed again was changed in place; ShapeError for another seed
     */
    backward(this: Tensor, seed?: Tensor, options?: { retainGraph?: boolean }): void
  }
}

for (const { prototype } of methodClasses) {
  const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors<object>(prototype)
  Object.defineProperties(Tensor.prototype, methods)
}
Object.defineProperties(Tensor.prototype, {
  backward: {
    value(this: Tensor, seed?: Tensor, options: { retainGraph?: boolean } = {}) {
      const { retainGraph = false } = optionsOf('backward', options, { retainGraph: true })
      requireUsable('backward', seed === undefined ? [this] : [this, seed])
      if (seed !== undefined) requireFloats('backward', this, seed)
      backward(this, seed, retainGraph)
    },
    writable: true,
    configurable: true,
  },
})
