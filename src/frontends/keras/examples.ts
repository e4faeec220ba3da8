/** Examples as Keras's users give them, checked against the model and made a data set. */

import { ArgumentError, type Dataset, dataset, type Shape, ShapeError } from '../../index.js'
import { excerpt, sizeOf, type Values } from '../../internal.js'
import type { Objective } from './objective.js'

/** What a model takes and gives, for one example. */
interface Interface extends Pick<Objective, 'kind'> {
  inputShape: Shape
  outputShape: Shape
}

export function checkInputs(op: string, { shape }: Values, inputShape: Shape): void {
  if (shape.slice(1).join() === inputShape.join()) return
  throw new ShapeError(
    `${op}: expected x of shape [examples, ${inputShape.join(', ')}], got [${shape.join(', ')}]`,
  )
}

export function datasetOf(
  op: string,
  x: Values,
  y: Values,
  { inputShape, outputShape, kind }: Interface,
): Dataset {
  const wanted = kind === 'labels' ? [x.shape[0]] : [x.shape[0], ...outputShape]
  // A column of one value per example may come with or without its axis.
  const squeezed = (extents: readonly number[]) => extents.filter((n, i) => i === 0 || n !== 1)
  if (squeezed(y.shape).join() !== squeezed(wanted).join()) {
    throw new ShapeError(
      `${op}: expected y of shape [${wanted.join(', ')}], got [${y.shape.join(', ')}]`,
    )
  }
  const source = { inputs: x.values, inputShape }
  if (kind === 'values') return dataset({ ...source, targets: y.values })
  const fraction = y.values.find((value) => !Number.isInteger(value))
  if (fraction !== undefined) {
    throw new ArgumentError(`${op}: expected class labels in y, got ${fraction}`)
  }
  const classes = Array.from({ length: outputShape[0] }, (_, label) => `${label}`)
  return dataset({ ...source, targets: Int32Array.from(y.values), classes })
}

/** Sets the last share of the examples aside. */
export function splitOff(data: Dataset, share: number): { train: Dataset; validation: Dataset } {
  const count = typeof share === 'number' ? Math.floor(data.size * (1 - share)) : 0
  if (!(share > 0 && count >= 1 && count < data.size)) {
    throw new ArgumentError(
      `fit: expected a validationSplit that leaves examples on both sides, got ${excerpt(share)} of ${data.size}`,
    )
  }
  return { train: part(data, 0, count), validation: part(data, count, data.size) }
}

/** The examples from `begin` to before `end`, not copied. */
function part(data: Dataset, begin: number, end: number): Dataset {
  const [width, outputs] = [sizeOf(data.inputShape), sizeOf(data.targetShape)]
  return {
    ...data,
    size: end - begin,
    inputs: data.inputs.subarray(begin * width, end * width),
    targets: data.targets.subarray(begin * outputs, end * outputs),
  }
}
