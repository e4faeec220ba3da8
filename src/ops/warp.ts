/** The op that distorts images, for `distortion`. */
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { requireFloats } from './require.js'

/**
 * Images [count, height, width] seen through an affine map around their centre and a displacement of
 * each pixel: y[r, c] is x, bilinear between pixels and 0 beyond them, at
 * centre + [[a, b], [c, d]]·((r, c) - centre) + (rowShift, colShift)[r, c].
 * Maps are [count, 4], shifts [count, 2, height, width]. There is no gradient: it is for inputs.
 */
export const warp = defineOp<readonly [x: Tensor, maps: Tensor, shifts: Tensor]>('warp', {
  forward: ([x, maps, shifts]) => {
    requireFloats('warp', x, maps)
    requireFloats('warp', x, shifts)
    const [count, height, width] = x.shape
    if (x.shape.length !== 3 || maps.size !== 4 * count || shifts.size !== 2 * x.size) {
      throw new ShapeError(
        `warp: expected images [count, height, width], maps [count, 4] and shifts [count, 2, height, width], got ${format(x.shape)}, ${format(maps.shape)} and ${format(shifts.shape)}`,
      )
    }
    const y = allocate(x, x.shape)
    const { backend } = x.storage
    backend.run('warp', x.handle, maps.handle, shifts.handle, y.handle, count, height, width)
    return y
  },
})
