/**
 * All kernels of the pure-JS backend. A missing kernel, or one whose parameters differ from its row
 * in the kernel table, does not compile.
 */
import type { KernelName } from '../kernels.js'
import * as activations from './activations.js'
import * as adaptive from './adaptive.js'
import * as bias from './bias.js'
import * as conv from './conv.js'
import * as convPool from './convPool.js'
import * as distance from './distance.js'
import * as division from './division.js'
import * as elementwise from './elementwise.js'
import * as extremes from './extremes.js'
import * as gather from './gather.js'
import type { JsKernel } from './kernel.js'
import * as layout from './layout.js'
import { multinomial } from './multinomial.js'
import * as norm from './norm.js'
import * as optim from './optim.js'
import * as order from './order.js'
import * as pool from './pool.js'
import * as products from './products.js'
import * as random from './random.js'
import * as reduce from './reduce.js'
import * as rounding from './rounding.js'
import * as softmax from './softmax.js'
import * as statistics from './statistics.js'
import * as trigonometry from './trigonometry.js'
import { warp } from './warp.js'

export const jsKernels: { readonly [K in KernelName]: JsKernel<K> } = {
  ...products,
  ...conv,
  ...convPool,
  ...elementwise,
  ...division,
  ...rounding,
  ...trigonometry,
  ...activations,
  ...bias,
  ...layout,
  ...reduce,
  ...extremes,
  ...statistics,
  ...softmax,
  ...gather,
  ...random,
  multinomial,
  ...order,
  ...distance,
  ...optim,
  ...adaptive,
  warp,
  ...pool,
  ...norm,
}
