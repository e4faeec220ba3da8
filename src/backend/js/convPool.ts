/** Convolutions whose results are pooled, and their gradients: here, one kernel after the other. */
import { convBiasRelu, convInputGrad, convWeightGrad } from './conv.js'
import { reluGrad } from './elementwise.js'
import type { Floats, JsKernel } from './kernel.js'
import { maxPool, maxPoolGrad } from './pool.js'
import { sum } from './reduce.js'

type Extents =
  Parameters<JsKernel<'conv'>> extends [Floats, Floats, Floats, ...infer Rest] ? Rest : never

/** Windows of 2 × 2 over the results. */
function poolOf([batch, , , , outHeight, outWidth, filters]: Extents) {
  const windows = [Math.floor(outHeight / 2), Math.floor(outWidth / 2)] as const
  return [batch, outHeight, outWidth, filters, 2, 2, 2, 2, 0, 0, ...windows] as const
}

/** As many as there are results. */
function results(like: Floats, [batch, , , , outHeight, outWidth, filters]: Extents): Floats {
  const size = batch * outHeight * outWidth * filters
  return like instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
}

export const convBiasReluPool: JsKernel<'convBiasReluPool'> = (
  x,
  w,
  bias,
  y,
  places,
  ...extents
) => {
  const activations = results(y, extents)
  convBiasRelu(x, w, bias, activations, ...extents)
  maxPool(activations, y, places, ...poolOf(extents))
}

/** The gradient of the results, from that of the pools. */
function unpool(y: Floats, dy: Floats, places: Uint8Array, extents: Extents): Floats {
  const [activations, gradient] = [results(y, extents), results(y, extents)]
  maxPoolGrad(y, places, activations, ...poolOf(extents))
  maxPoolGrad(dy, places, gradient, ...poolOf(extents))
  reluGrad(activations, gradient, gradient, gradient.length)
  return gradient
}

export const convPoolInputGrad: JsKernel<'convPoolInputGrad'> = (y, dy, places, w, dx, ...rest) => {
  convInputGrad(unpool(y, dy, places, rest), w, dx, ...rest)
}

export const convPoolWeightGrad: JsKernel<'convPoolWeightGrad'> = (
  x,
  y,
  dy,
  places,
  dw,
  dbias,
  scratch,
  ...extents
) => {
  const gradient = unpool(y, dy, places, extents)
  const filters = extents[6]
  sum(gradient, dbias, 1, gradient.length / filters, filters, 1)
  convWeightGrad(x, gradient, dw, scratch, ...extents)
}
