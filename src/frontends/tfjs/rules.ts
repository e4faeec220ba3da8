import { blocks } from './kernels/blocks.js'
import { casts } from './kernels/cast.js'
import { compare } from './kernels/compare.js'
import { conv } from './kernels/conv.js'
import { sums } from './kernels/einsum.js'
import { elementwise } from './kernels/elementwise.js'
import { index } from './kernels/index.js'
import { matmul } from './kernels/matmul.js'
import { move } from './kernels/move.js'
import { norm } from './kernels/norm.js'
import { pool } from './kernels/pool.js'
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
  ...blocks,
  ...index,
  ...conv,
  ...pool,
  ...norm,
  ...resizing,
}
