/**
 * The values of a run in an ONNX graph. Images have their channels last here and first in ONNX, so that a value has up
 * to two names there, one for each order; nodes that turn one into the other are written where they are asked for.
 */
import type { TypedArray } from '../../../backend/dtype.js'
import { ArgumentError } from '../../../base/errors.js'
import { sizeOf } from '../../../tensor/shape.js'
import { Graph } from './graph.js'
import {
  Batch,
  type CallValue,
  type ConstantValue,
  type Extent,
  type Extents,
  type Value,
} from './merge.js'

/** A value that an op computed. */
export type OpValue = Value & { readonly from: CallValue }

interface Names {
  /** In the order that it has here. */
  plain?: string
  /** With its last axis second. */
  channelsFirst?: string
}

/** Beyond every extent: what a slice to the end ends at. */
export const END = 2 ** 31 - 1

/** The axes of channels-last values in the order of channels-first ones. */
export const toChannelsFirst = (rank: number) => [0, rank - 1, ...range(1, rank - 1)]
/** The inverse. */
export const toChannelsLast = (rank: number) => [0, ...range(2, rank), 1]

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i)
}

export class Emitter extends Graph {
  readonly #names = new Map<Value, Names>()
  readonly #constants = new Map<ConstantValue, Map<string, string>>()
  /** The bool that a float of 0 and 1 was made from. */
  readonly #truths = new Map<string, string>()

  /** Says what a value is called. */
  define(value: Value, names: Names): void {
    this.#names.set(value, { ...this.#names.get(value), ...names })
  }

  /** The same of a value with its last axis second, which with less than three axes is where it was. */
  defineChannelsFirst(value: Value, name: string): void {
    this.define(value, value.shape.length > 2 ? { channelsFirst: name } : { plain: name })
  }

  /** Whether a value has only the order of ONNX's images so far. */
  isChannelsFirst(value: Value): boolean {
    const names = this.#names.get(value)
    return names?.channelsFirst !== undefined && names.plain === undefined
  }

  /** The name of a value as it is here. */
  plain(value: Value): string {
    const { plain, channelsFirst } = this.#names.get(value) ?? {}
    if (plain !== undefined) return plain
    const name =
      channelsFirst === undefined
        ? this.#constant(value)
        : this.node('Transpose', [channelsFirst], { perm: toChannelsLast(value.shape.length) })
    this.define(value, { plain: name })
    return name
  }

  /** The name of a value with its last axis second, of so many axes. */
  channelsFirst(value: Value, rank = value.shape.length): string {
    if (rank < 3 || value.shape.length === 0) return this.plain(value)
    const { channelsFirst } = this.#names.get(value) ?? {}
    if (channelsFirst !== undefined && value.shape.length === rank) return channelsFirst
    const name = this.permuted(value, toChannelsFirst(rank))
    if (value.shape.length === rank) this.define(value, { channelsFirst: name })
    return name
  }

  /** The name of a value with its axes in another order; of a constant with less axes, after axes of one. */
  permuted(value: Value, axes: readonly number[]): string {
    const { from, shape } = value
    if (from.kind !== 'constant' || shape.some((extent) => typeof extent !== 'number')) {
      return this.node('Transpose', [this.plain(value)], { perm: axes })
    }
    const own = shape as readonly number[]
    const whole = [...Array<number>(axes.length - own.length).fill(1), ...own]
    return this.#once(from, axes.join(), () => {
      const dims = axes.map((axis) => whole[axis])
      return this.constant(transposed(from.data, whole, axes), value.dtype, dims, from.name)
    })
  }

  #constant(value: Value): string {
    const { from, shape, dtype } = value
    if (from.kind !== 'constant') throw new Error(`exportOnnx: ${from.kind} was not defined`)
    if (shape.every((extent) => typeof extent === 'number')) {
      const dims = shape as readonly number[]
      return this.#once(from, `${dims} as it is`, () =>
        this.constant(from.data, dtype, dims, from.name),
      )
    }
    const one = this.constant(from.data, dtype, [])
    return this.node('Expand', [one, this.extents(shape)])
  }

  #once(constant: ConstantValue, key: string, make: () => string): string {
    const made = this.#constants.get(constant) ?? new Map<string, string>()
    this.#constants.set(constant, made)
    const name = made.get(key) ?? make()
    made.set(key, name)
    return name
  }

  /** A shape as a list of whole numbers. */
  extents(shape: Extents): string {
    if (shape.every((extent) => typeof extent === 'number')) return this.ints(shape as number[])
    const parts = shape.map((extent) => {
      if (extent === null) throw new ArgumentError(`exportOnnx: ${UNKNOWN}`)
      if (typeof extent === 'number') return this.ints([extent])
      return extent.times === 1
        ? this.batch()
        : this.node('Mul', [this.batch(), this.ints([extent.times])])
    })
    return parts.length === 1 ? parts[0] : this.node('Concat', parts, { axis: 0 })
  }

  /** The elements of a value in another shape. */
  reshape(name: string, from: Extents, to: Extents): string {
    let isFree = true
    const target = to.map((extent, axis) => {
      if (typeof extent === 'number') return extent
      if (isSameExtent(extent, from[axis])) return 0
      if (!isFree) return undefined
      isFree = false
      return -1
    })
    const isPlain = !to.includes(0) && target.every((extent) => extent !== undefined)
    if (isPlain) return this.node('Reshape', [name, this.ints(target as number[])])
    return this.node('Reshape', [name, this.extents(to)], { allowzero: 1 })
  }

  /** A bool as a float of 0 and 1, which comparisons give here. */
  asFloat(truth: string, dtype: 'float32' | 'float64'): string {
    const name = this.cast(truth, dtype)
    this.#truths.set(name, truth)
    return name
  }

  /** Whether elements are not 0. */
  asBool(name: string): string {
    return this.#truths.get(name) ?? this.cast(name, 'bool')
  }
}

const UNKNOWN =
  'expected shapes of fixed extents and multiples of the batch, got one that is neither'

/** Whether two extents are known to be the same. */
export function isSameExtent(a?: Extent, b?: Extent): boolean {
  if (typeof a === 'number') return a === b
  return a instanceof Batch && b instanceof Batch && a.times === b.times
}

/** Elements with the axes in another order. */
function transposed(
  elements: TypedArray,
  shape: readonly number[],
  axes: readonly number[],
): TypedArray {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const result = elements.slice()
  const index = axes.map(() => 0)
  let from = 0
  for (let i = 0; i < result.length; i++) {
    result[i] = elements[from]
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const [extent, stride] = [shape[axes[axis]], strides[axes[axis]]]
      index[axis]++
      from += stride
      if (index[axis] < extent) break
      index[axis] = 0
      from -= extent * stride
    }
  }
  return result
}
