/** Elements that lie apart in one buffer, copied to others that lie apart in another one. */

import type { Handle, KernelArgs } from '../../internal.js'
import type { NeuroblasBackend } from './backend.js'
import { type Shape, sizeOf } from './shape.js'

export interface StridedCopy {
  from: Handle
  to: Handle
  shape: Shape
  fromStrides: readonly number[]
  toStrides: readonly number[]
  fromOffset?: number
  toOffset?: number
}

const MOST_AXES = 8

/** Throws where more than 8 axes cannot be joined with their neighbours. */
export function copyStrided(
  { device }: NeuroblasBackend,
  { from, to, shape, fromStrides, toStrides, fromOffset = 0, toOffset = 0 }: StridedCopy,
): void {
  if (sizeOf(shape) === 0) return
  const extents: number[] = []
  const steps: number[] = []
  const targets: number[] = []
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]
    if (extent === 1) continue
    const step = fromStrides[axis]
    const target = toStrides[axis]
    const last = extents.length - 1
    if (last >= 0 && steps[last] === step * extent && targets[last] === target * extent) {
      extents[last] *= extent
      steps[last] = step
      targets[last] = target
    } else {
      extents.push(extent)
      steps.push(step)
      targets.push(target)
    }
  }
  if (extents.length > MOST_AXES)
    throw new RangeError(`copy: at most ${MOST_AXES} axes, got ${shape.length}`)
  while (extents.length < MOST_AXES) {
    extents.unshift(1)
    steps.unshift(0)
    targets.unshift(0)
  }
  const args = [from, to, fromOffset, toOffset, ...extents, ...steps, ...targets]
  device.run('copyStrided', ...(args as unknown as KernelArgs<'copyStrided'>))
}
