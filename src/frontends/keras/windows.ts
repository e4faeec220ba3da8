/** Windows that go over lines, images and volumes: what they leave of their extents. */
import { ArgumentError, type PerAxis, type Shape, ShapeError } from '../../index.js'
import { excerpt } from '../../internal.js'

/** How a window goes over its input. */
export interface WindowSettings {
  size: PerAxis
  strides: PerAxis
  padding: 'valid' | 'same'
  dilation?: PerAxis
}

const SPACES = ['length', 'height, width', 'depth, height, width']

/** @throws ArgumentError for other padding than Keras's two, or channels first */
export function checkPadding(op: string, padding: unknown): void {
  if (padding === 'valid' || padding === 'same') return
  throw new ArgumentError(`${op}: expected padding valid or same, got ${excerpt(padding)}`)
}

/** @throws ShapeError for what are no channels over so many axes of space */
export function checkSpace(op: string, shape: Shape, axes: number): void {
  if (shape.length === axes + 1) return
  throw new ShapeError(
    `${op}: expected inputs [${SPACES[axes - 1]}, channels], got shape [${shape}]`,
  )
}

/**
 * The extents of space behind a window.
 * @throws ShapeError where the window is larger than the input
 */
export function spaceAfter(op: string, space: Shape, settings: WindowSettings): number[] {
  const { size, strides, padding, dilation = 1 } = settings
  const at = (given: PerAxis, axis: number) => (typeof given === 'number' ? given : given[axis])
  return space.map((extent, axis) => {
    const reach = padding === 'same' ? 1 : (at(size, axis) - 1) * at(dilation, axis) + 1
    const places = Math.floor((extent - reach) / at(strides, axis)) + 1
    if (places >= 1) return places
    throw new ShapeError(
      `${op}: expected inputs of at least ${reach} along each axis, got [${space}]`,
    )
  })
}
