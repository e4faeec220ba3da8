/**
 * The windows that convolutions and pools move over an image: how large they are along each axis, how far
 * apart, and how many of them fit. Axes are those of space alone: [length], [height, width] or
 * [depth, height, width].
 */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { format, type Shape } from '../tensor/shape.js'

/** One number for every axis, or one for each. */
export type PerAxis = number | readonly number[]

/**
 * What an image is enlarged by before windows are moved over it: nothing (`valid`), as much as gives
 * ceil(extent / stride) windows, the odd one behind the image (`same`, as in Keras and TensorFlow), so many
 * elements at every edge, or of each axis [before, after], such as [[top, bottom], [left, right]].
 */
export type Padding = 'same' | 'valid' | number | readonly (readonly [number, number])[]

/** How windows are moved. */
export interface WindowOptions {
  /** How far apart windows begin, from 1. */
  stride?: PerAxis
  /** What the image is enlarged by. */
  padding?: Padding
  /** How far apart the elements of a window are, from 1. */
  dilation?: PerAxis
}

/** A window whose options were checked; a number for each axis. */
export interface Window {
  readonly size: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: 'same' | readonly (readonly [before: number, after: number])[]
}

/** A window over an image: along each axis, what is added before and after it, and how many windows fit. */
export interface Placement {
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly output: readonly number[]
}

/**
 * A window of `axes` axes. Without options it moves by 1, over the image as it is.
 * @param op for the messages
 * @throws ArgumentError for sizes, strides and dilations below 1, and for padding that is none
 */
export function checkWindow(
  op: string,
  axes: number,
  size: PerAxis,
  { stride = 1, padding = 'valid', dilation = 1 }: WindowOptions = {},
): Window {
  return {
    size: perAxis(op, 'a window', axes, size),
    stride: perAxis(op, 'stride', axes, stride),
    dilation: perAxis(op, 'dilation', axes, dilation),
    padding: checkPadding(op, axes, padding),
  }
}

function perAxis(op: string, name: string, axes: number, given: PerAxis): readonly number[] {
  const list: readonly number[] = Array.isArray(given) ? [...given] : Array(axes).fill(given)
  if (list.length === axes && list.every((value) => Number.isSafeInteger(value) && value >= 1)) {
    return list
  }
  throw new ArgumentError(
    `${op}: expected ${name} of ${axes === 1 ? 'a whole number' : `one whole number or ${axes}`} from 1, got ${excerpt(given)}`,
  )
}

function checkPadding(op: string, axes: number, given: Padding): Window['padding'] {
  if (given === 'same') return given
  const value = given === 'valid' ? 0 : given
  const pairs: unknown[] = Array.isArray(value) ? [...value] : Array(axes).fill([value, value])
  if (pairs.length === axes && pairs.every(isPair)) return pairs.map(([a, b]) => [a, b] as const)
  const form = axes === 1 ? '[[before, after]]' : axes === 2 ? '[[top, bottom], [left, right]]' : ''
  throw new ArgumentError(
    `${op}: expected padding 'same', 'valid', a whole number from 0 or ${form || `${axes} pairs [before, after]`}, got ${excerpt(given)}`,
  )
}

function isPair(value: unknown): value is readonly [number, number] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((count) => Number.isSafeInteger(count) && count >= 0)
  )
}

/**
 * A window over an image of these extents.
 * @throws ShapeError where the window is larger than the image with its padding
 */
export function placeWindow(op: string, window: Window, extents: Shape): Placement {
  const { size, stride, dilation, padding } = window
  const spans = size.map((count, axis) => (count - 1) * dilation[axis] + 1)
  const pads = extents.map((extent, axis): readonly [number, number] => {
    if (padding !== 'same') return padding[axis]
    const last = (Math.ceil(extent / stride[axis]) - 1) * stride[axis]
    const total = Math.max(0, last + spans[axis] - extent)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  })
  const padded = extents.map((extent, axis) => pads[axis][0] + extent + pads[axis][1])
  if (padded.some((extent, axis) => spans[axis] > extent)) {
    const isDilated = dilation.some((step) => step > 1)
    throw new ShapeError(
      `${op}: expected a window within the padded image, got ${format(spans)}${isDilated ? ` (${format(size)} dilated by ${format(dilation)})` : ''} over ${format(padded)} (the image is ${format(extents)})`,
    )
  }
  return {
    before: pads.map(([before]) => before),
    after: pads.map(([, after]) => after),
    output: padded.map((extent, axis) => Math.floor((extent - spans[axis]) / stride[axis]) + 1),
  }
}
