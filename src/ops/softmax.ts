/**
 * Softmax and the cross-entropy that belongs to it, both from logits and stable for any of them.
 */
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { format, resolveAxis, sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { requireDType, requireFloat } from './require.js'

type SoftmaxKernel = 'softmax' | 'logSoftmax'

/** All axes but the last together, and the last. */
function rowsOf(x: Tensor): [number, number] {
  const cols = x.shape[x.shape.length - 1]
  return [cols === 0 ? 0 : x.size / cols, cols]
}

function defineSoftmax(name: SoftmaxKernel) {
  const gradient = (y: Tensor, dy: Tensor): Tensor => {
    const dx = allocate(y, y.shape)
    y.storage.backend.run(`${name}Grad`, y.handle, dy.handle, dx.handle, ...rowsOf(y))
    return dx
  }
  const lastAxis = defineOp<readonly [Tensor]>(name, {
    forward: ([x]) => {
      requireFloat(name, x)
      const y = allocate(x, x.shape)
      x.storage.backend.run(name, x.handle, y.handle, ...rowsOf(x))
      return y
    },
    save: (y) => [y],
    backward: (dy, [y]) => [() => gradient(y, dy)],
  })
  return (x: Tensor, axis = -1): Tensor => {
    const rank = x.shape.length
    const along = resolveAxis(name, axis, rank)
    if (along === rank - 1) return lastAxis(x)
    // A swap of two axes is its own inverse.
    const swapped = x.shape.map((_, i) => (i === along ? rank - 1 : i === rank - 1 ? along : i))
    return lastAxis(x.transpose(swapped)).transpose(swapped)
  }
}

/** e^x / Σ e^x along an axis (the last one by default). */
export const softmax = defineSoftmax('softmax')
/** log(softmax(x)), without rounding small probabilities to 0. */
export const logSoftmax = defineSoftmax('logSoftmax')

/**
 * Cross-entropy of each row, from logits [batch, classes] and labels [batch]:
 * log Σ_k e^(a_k) - a_label. The gradient, softmax - onehot, is computed from the logits too.
 * @throws ShapeError, KernelError when a label is not a class
 */
export const crossEntropyPerExample = defineOp<readonly [logits: Tensor, labels: Tensor<'int32'>]>(
  'softmaxCrossEntropy',
  {
    forward: ([logits, labels]) => {
      requireFloat('softmaxCrossEntropy', logits)
      requireDType('softmaxCrossEntropy', labels, 'int32')
      const { shape } = logits
      if (shape.length !== 2 || labels.shape.length !== 1 || labels.size !== shape[0]) {
        const isOneHot = sameShape(labels.shape, shape)
        throw new ShapeError(
          `softmaxCrossEntropy: expected logits [batch, classes] and labels [batch], got ${format(shape)} and ${format(labels.shape)}${isOneHot ? "; one-hot rows are floats, as cast('float32') makes them" : ''}`,
        )
      }
      const losses = allocate(logits, labels.shape)
      const { backend } = logits.storage
      backend.run(
        'softmaxCrossEntropy',
        logits.handle,
        labels.handle,
        losses.handle,
        shape[0],
        shape[1],
      )
      return losses
    },
    save: (_, inputs) => inputs,
    backward: (dy, [logits, labels]) => [
      () => {
        const dlogits = allocate(logits, logits.shape)
        logits.storage.backend.run(
          'softmaxCrossEntropyGrad',
          logits.handle,
          labels.handle,
          dy.handle,
          dlogits.handle,
          ...rowsOf(logits),
        )
        return dlogits
      },
      () => labels,
    ],
  },
)
