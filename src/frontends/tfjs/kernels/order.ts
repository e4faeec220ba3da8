/** What goes along an axis in order: the largest, and running sums and products. */

import { util } from '@tensorflow/tfjs-core'
import { type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { aroundAxis, sizeOf } from '../shape.js'
import { copyStrided } from '../strided.js'

/** The largest along the last axis, in their order. */
const topK = rule<Tensors<'x'>, { k: number }>((backend, { x }, { k }) => {
  const { dtype } = x
  const size = sizeOf(x.shape)
  if ((dtype !== 'float32' && dtype !== 'int32') || size === 0 || k === 0) return undefined
  const { device } = backend
  const length = x.shape.at(-1)!
  const outer = size / length
  const from = backend.handleOf(x)
  const keys = device.alloc(size, 'float64')
  const places = device.alloc(outer * k, 'int32')
  const values = device.alloc(outer * k, dtype)
  device.run('argsort', from, places, keys, outer, length, 1, k, 1)
  device.run('gather', from, places, values, outer, length, k, 1, 1)
  device.release(keys)
  const shape = x.shape.with(-1, k)
  return [backend.tensorOf(values, shape, dtype), backend.tensorOf(places, shape, 'int32')]
})

interface Scan {
  axis: number
  exclusive: boolean
  reverse: boolean
}

/** Sums or products along an axis; exclusive ones are those before each element, `neutral` before the first. */
function scan(kernel: 'cumsum' | 'cumprod', neutral: number): Rule {
  return rule<Tensors<'x'>, Scan>((backend, { x }, { axis, exclusive, reverse }) => {
    const { dtype } = x
    if (dtype !== 'float32' && dtype !== 'int32') return undefined
    const { device } = backend
    const from = backend.handleOf(x)
    const size = sizeOf(x.shape)
    const [outer, length, inner] = aroundAxis(x.shape, util.parseAxisParam(axis, x.shape)[0])
    const y = device.alloc(size, dtype)
    device.run(kernel, from, y, outer, length, inner, Number(reverse))
    if (!exclusive || size === 0) return backend.tensorOf(y, x.shape, dtype)
    const shifted = device.alloc(size, dtype)
    device.run('fill', shifted, size, neutral)
    const strides = [length * inner, inner, 1]
    copyStrided(backend, {
      from: y,
      to: shifted,
      shape: [outer, length - 1, inner],
      fromStrides: strides,
      toStrides: strides,
      fromOffset: reverse ? inner : 0,
      toOffset: reverse ? 0 : inner,
    })
    device.release(y)
    return backend.tensorOf(shifted, x.shape, dtype)
  })
}

export const order: Rules = {
  TopK: topK,
  Cumsum: scan('cumsum', 0),
  Cumprod: scan('cumprod', 1),
}
