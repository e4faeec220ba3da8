/** The targets of a loss, in the shape of the outputs. */
import { isFloat } from '../backend/dtype.js'
import { ArgumentError, KernelError, ShapeError } from '../base/errors.js'
import { oneHot } from '../ops/indexing.js'
import { requireDType } from '../ops/require.js'
import { format, sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Targets } from './loss.js'

export function isLabels(targets: Targets): targets is Tensor<'int32'> {
  return targets.dtype === 'int32'
}

export function checkOutputs(op: string, outputs: Tensor): void {
  if (isFloat(outputs.dtype)) return
  throw new ArgumentError(
    `${op}: expected outputs of floats and then targets, got outputs of ${outputs.dtype}`,
  )
}

/** What whole numbers say about a single output: its value, or whether it is class 1 of two. */
type SingleOutput = 'value' | 'class'

function labelsAsValues(
  op: string,
  labels: Tensor<'int32'>,
  { shape, dtype }: Tensor,
  single: SingleOutput,
): Tensor {
  const classes = shape[shape.length - 1]
  if (labels.shape.length !== shape.length - 1) return labels.cast(dtype) as Tensor
  if (classes === 1 && single === 'value') return labels.cast(dtype).unsqueeze(-1) as Tensor
  const rows = (count: number) => {
    const x = oneHot(labels, count)
    return x.dtype === dtype ? x : (x.cast(dtype) as Tensor)
  }
  try {
    if (classes !== 1) return rows(classes)
    // The column of class 1 of two refuses labels other than 0 and 1 alike.
    return rows(2).slice(...labels.shape.map(() => undefined), [1])
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new KernelError(
      `${op}: ${error.message}; values to predict are float32, in the outputs' shape ${format(shape)}`,
      { cause: error },
    )
  }
}

/** Targets in the shape of the outputs; labels become rows with a 1. */
export function asValues(
  op: string,
  outputs: Tensor,
  targets: Targets,
  single: SingleOutput = 'value',
): Tensor {
  checkOutputs(op, outputs)
  const { shape } = outputs
  const values = isLabels(targets) ? labelsAsValues(op, targets, outputs, single) : targets
  if (!sameShape(values.shape, shape)) {
    const hint = isLabels(targets)
      ? ''
      : "; class labels are tensors of dtype 'int32', as cast('int32') makes them"
    throw new ShapeError(
      `${op}: expected targets of the outputs' shape ${format(shape)}, got ${format(targets.shape)}${hint}`,
    )
  }
  requireDType(op, values, outputs.dtype)
  return values
}
