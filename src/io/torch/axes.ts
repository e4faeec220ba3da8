/** The axes of weights here and in PyTorch. */
import { ConvLayer, ConvTranspose2d } from '../../nn/conv.js'
import { Linear } from '../../nn/linear.js'
import type { AnyModule } from '../../nn/module.js'
import { type Shape, sizeOf } from '../../tensor/shape.js'

/** How a tensor lies in PyTorch, where not as here. */
export interface Turn {
  /** For people: `transposed`, or `OIHW → HWIO`. */
  readonly name: string
  /** Of each axis here, which it is in PyTorch. */
  readonly fromTorch: readonly number[]
  /** The inverse. */
  readonly toTorch: readonly number[]
}

const SPACES = ['L', 'HW', 'DHW']

/**
 * How the weight of a layer is turned: [outputs, inputs, ...kernel], of transposed convolutions [inputs,
 * outputs, ...kernel], to [...kernel, inputs, outputs] or [...kernel, outputs, inputs].
 */
export function turnOf(layer: AnyModule | undefined, name: string): Turn | undefined {
  if (name !== 'weight' || !(layer instanceof Linear || layer instanceof ConvLayer))
    return undefined
  const rank = layer.weight.shape.length
  const kernel = Array.from({ length: rank - 2 }, (_, i) => i)
  const turn = {
    fromTorch: [...kernel.map((axis) => axis + 2), 1, 0],
    toTorch: [rank - 1, rank - 2, ...kernel],
  }
  if (layer instanceof Linear) return { name: 'transposed', ...turn }
  const space = SPACES[rank - 3]
  const [first, second] = layer instanceof ConvTranspose2d ? 'IO' : 'OI'
  return { name: `${first}${second}${space} → ${space}${second}${first}`, ...turn }
}

/** The extents of axes in another order. */
export const shapeIn = (shape: Shape, axes: readonly number[] | undefined): Shape =>
  axes === undefined ? shape : axes.map((axis) => shape[axis])

/** A tensor with its axes in another order. */
export function permuted<V extends { readonly shape: Shape; readonly data: ArrayLike<unknown> }>(
  values: V,
  axes: readonly number[] | undefined,
): V {
  const { shape } = values
  const source = values.data as Float32Array
  if (axes === undefined || axes.length !== shape.length) return values
  const turned = shapeIn(shape, axes)
  // Values that do not fit the shape are refused where they are assigned.
  if (source?.length !== sizeOf(shape) || typeof source.slice !== 'function') {
    return { ...values, shape: turned }
  }
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const data = source.slice()
  const index = turned.map(() => 0)
  for (let to = 0, from = 0; to < data.length; to++) {
    data[to] = source[from]
    // The next index, as an odometer counts.
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axes[axis]]
      if (++index[axis] < turned[axis]) break
      from -= turned[axis] * steps[axes[axis]]
      index[axis] = 0
    }
  }
  return { ...values, shape: turned, data }
}
