import { blocks } from './kernels/blocks.js'
import { casts } from './kernels/cast.js'
import { compare } from './kernels/compare.js'
import { conv } from './kernels/conv.js'
import { conv3d } from './kernels/conv3d.js'
import { sums } from './kernels/einsum.js'
import { elementwise } from './kernels/elementwise.js'
import { gather } from './kernels/gather.js'
import { matmul } from './kernels/matmul.js'
import { move } from './kernels/move.js'
import { norm } from './kernels/norm.js'
import { order } from './kernels/order.js'
import { pad } from './kernels/pad.js'
import { pool } from './kernels/pool.js'
import { pool3d } from './kernels/pool3d.js'
import { reduce } from './kernels/reduce.js'
import { resizing } from './kernels/resize.js'
import type { Rules } from './rule.js'

/** By the names of TensorFlow.js's kernels. */
export const rules: Rules = {
  ...elementwise,
  ...compare,
  ...casts,
  ...matmul,
  ...sums,
  ...reduce,
  ...move,
  ...pad,
  ...blocks,
  ...gather,
  ...order,
  ...conv,
  ...conv3d,
  ...pool,
  ...pool3d,
  ...norm,
  ...resizing,
}
