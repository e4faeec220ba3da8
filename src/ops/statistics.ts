/** Reductions over one or more axes: variance, standard deviation, product, log-sum-exp. */
import { checkNumber } from '../base/arguments.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import { noGrad } from '../tensor/graph.js'
import { aroundAxis, resolveAxes, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { where } from './elementwise.js'
import { type AxesArgument, finish, max, mean } from './reduce.js'
import { requireFloat } from './require.js'

type Axes = readonly number[]

/** x with the axes as one, and its position. */
function merged(x: Tensor, axes: Axes): [Tensor, axis: number] {
  const length = sizeOf(axes.map((axis) => x.shape[axis]))
  const begin = axes[0] ?? x.shape.length
  if (axes.every((axis, i) => axis === begin + i)) {
    return [x.reshape(x.shape.toSpliced(begin, axes.length, length)), begin]
  }
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis))
  const shape = kept.map((axis) => x.shape[axis])
  return [x.transpose([...kept, ...axes]).reshape([...shape, length]), kept.length]
}

interface Spread {
  axis: number
  correction: number
}

function variance(x: Tensor, { axis, correction }: Spread): Tensor {
  const y = allocate(x, x.shape.toSpliced(axis, 1))
  const { backend } = x.storage
  backend.run('variance', x.handle, y.handle, ...aroundAxis(x.shape, axis), correction)
  return y
}

/** x - mean. The mean of what is left takes out what the first one lost to rounding. */
function centred(x: Tensor, axis: number): Tensor {
  const rest = x.sub(mean(x, axis, true))
  return rest.sub(mean(rest, axis, true))
}

/** From the gradient of the variance: 2·(x - mean) / max(0, n - correction) times it. */
function varianceGrad(dy: Tensor, x: Tensor, { axis, correction }: Spread): Tensor {
  const scale = 2 / Math.max(0, x.shape[axis] - correction)
  return centred(x, axis).mul(dy.unsqueeze(axis).mul(scale))
}

const varAxis = defineOp<readonly [Tensor], Spread>('var', {
  forward: ([x], spread) => variance(x, spread),
  save: (_, [x]) => [x],
  backward: (dy, [x], { attributes }) => [() => varianceGrad(dy, x, attributes)],
})

const stdAxis = defineOp<readonly [Tensor], Spread>('std', {
  forward: ([x], spread) => {
    const y = variance(x, spread)
    y.storage.backend.run('sqrt', y.handle, y.handle, y.size)
    return y
  },
  save: (y, [x]) => [y, x],
  // Where all elements are equal the gradient is 0, as in PyTorch.
  backward: (dy, [y, x], { attributes }) => [
    () => varianceGrad(where(y, dy.div(y).mul(0.5), fullLike(y, 0)), x, attributes),
  ],
})

function defineSpread(op: string, along: typeof varAxis) {
  return (given: Tensor, axes: AxesArgument, keepDims: boolean, correction: number): Tensor => {
    requireFloat(op, given)
    checkNumber(op, 'correction', correction, (value) => value >= 0, '>= 0')
    const list = resolveAxes(op, axes, given.shape.length)
    const [x, axis] = merged(given, list)
    return finish(along(x, { axis, correction }), given.shape, list, keepDims)
  }
}
export const variances = defineSpread('var', varAxis)
export const std = defineSpread('std', stdAxis)

const prodAxis = defineOp<readonly [Tensor], { axis: number }>('prod', {
  forward: ([x], { axis }) => {
    const y = allocate(x, x.shape.toSpliced(axis, 1))
    x.storage.backend.run('prod', x.handle, y.handle, ...aroundAxis(x.shape, axis))
    return y
  },
  save: (_, [x]) => [x],
  backward: (dy, [x], { attributes: { axis } }) => [
    () => {
      const dx = allocate(x, x.shape)
      const { backend } = x.storage
      backend.run('prodGrad', x.handle, dy.handle, dx.handle, ...aroundAxis(x.shape, axis))
      return dx
    },
  ],
})

/** The product of nothing is 1. */
export function prod(given: Tensor, axes: AxesArgument, keepDims: boolean): Tensor {
  requireFloat('prod', given)
  const list = resolveAxes('prod', axes, given.shape.length)
  const [x, axis] = merged(given, list)
  return finish(prodAxis(x, { axis }), given.shape, list, keepDims)
}

/** Less the largest element, so that nothing overflows; infinite ones are left as they are. */
export function logsumexp(x: Tensor, axes: AxesArgument, keepDims: boolean): Tensor {
  requireFloat('logsumexp', x)
  const list = resolveAxes('logsumexp', axes, x.shape.length)
  if (list.some((axis) => x.shape[axis] === 0)) return x.exp().sum(list, keepDims).log()
  const largest = noGrad(() => {
    const found = max(x, list, true)
    return where(found.isFinite(), found, fullLike(found, 0))
  })
  const sums = x.sub(largest).exp().sum(list, true).log().add(largest)
  return keepDims ? sums : sums.squeeze(list)
}
