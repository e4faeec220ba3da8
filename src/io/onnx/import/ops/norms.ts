/** Normalization. */
import { DataError } from '../../../../base/errors.js'
import { batchNorm } from '../../../../ops/batchNorm.js'
import { groupNorm, layerNorm, rmsNorm } from '../../../../ops/norm.js'
import { fullLike } from '../../../../tensor/allocate.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operators } from '../call.js'
import type { Node } from '../node.js'
import { compute, Value } from '../value.js'
import { channelsLast, images } from './windows.js'

const epsilonOf = (node: Node) => node.number('epsilon', 1e-5)

/** By the moments that the file gives, also while the model is trained. */
function batch(call: Call): Value {
  const x = call.input(0)
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => call.input(i).device)
  const axes = channelsLast(x.rank)
  const epsilon = epsilonOf(call.node)
  // Without images there is nothing behind the channels.
  const y = batchNorm(x.inOrder(x.rank < 3 ? [0, 1] : axes), mean, variance, scale, bias, {
    epsilon,
  })
  return x.rank < 3 ? new Value('float', y) : images(y)
}

function refuseBatch(node: Node): string | undefined {
  if (node.flag('training_mode')) return 'training_mode'
  return node.flag('spatial', true) ? undefined : 'spatial 0'
}

/** The last axes, from one on. */
function rows(call: Call): { x: AnyTensor; tail: readonly number[] } {
  const x = call.input(0)
  const axis = call.axis(call.node.number('axis', -1))
  return { x: x.device, tail: x.shape.slice(axis) }
}

/** A weight in the shape of the axes that it is for. */
const spread = (weight: AnyTensor, tail: readonly number[]): AnyTensor =>
  weight.shape.join() === tail.join() ? weight : weight.broadcastTo(tail)

function layer(call: Call): Value {
  const { x, tail } = rows(call)
  const weight = spread(call.input(1).device, tail)
  const bias = call.maybe(2)
  return new Value(
    'float',
    layerNorm(x, weight, bias ? spread(bias.device, tail) : fullLike(weight, 0), {
      epsilon: epsilonOf(call.node),
    }),
  )
}

function rms(call: Call): Value {
  const { x, tail } = rows(call)
  const epsilon = epsilonOf(call.node)
  return new Value('float', rmsNorm(x, spread(call.input(1).device, tail), { epsilon }))
}

/** Of each example, channel by channel: a group norm of as many groups as channels. */
function instance(call: Call): Value {
  return groups(call, call.input(0).shape[1])
}

function group(call: Call): Value {
  const count = call.node.number('num_groups')
  const [, channels] = call.input(0).shape
  if (!(count >= 1 && channels % count === 0)) {
    throw new DataError(`expected groups that divide ${channels} channels, got ${count}`)
  }
  return groups(call, count)
}

function groups(call: Call, count: number): Value {
  const x = call.input(0)
  const epsilon = epsilonOf(call.node)
  const image = x.inOrder(channelsLast(x.rank))
  const channels = x.shape[1]
  // Before version 21 there was a scale and a bias for each group, not for each channel.
  const each = (i: number): AnyTensor => {
    const weight = call.input(i).device
    return weight.size === channels ? weight : weight.repeatInterleave(channels / weight.size)
  }
  return images(groupNorm(image, count, each(1), each(2), { epsilon }))
}

/** Divided by the sum of the sizes along an axis, or by the root of that of the squares. */
function lp(call: Call): Value {
  const x = call.input(0)
  const axis = call.axis(call.node.number('axis', -1))
  const isAbsolute = call.node.number('p', 2) === 1
  return x.map((a) => {
    const norm = isAbsolute ? a.abs().sum([axis], true) : a.norm([axis], true)
    // Of nothing but zeros there is nothing to divide.
    return a.div(norm.add(norm.equal(0)))
  })
}

/** Mean 0 and variance 1 over some axes. */
function meanVariance(call: Call): Value {
  const x = call.input(0)
  const axes = [...call.node.numbers('axes', [0, 2, 3])]
  return new Value(
    'float',
    compute([x], (a) => {
      const centred = a.sub(a.mean(axes, true))
      return centred.div(centred.square().mean(axes, true).sqrt().add(1e-9))
    }),
  )
}

export const norms: Operators = {
  BatchNormalization: {
    attributes: ['epsilon', 'momentum', 'spatial', 'training_mode'],
    weights: [1, 2],
    refuse: refuseBatch,
    run: batch,
  },
  GroupNormalization: {
    attributes: ['epsilon', 'num_groups', 'stash_type'],
    weights: [1, 2],
    run: group,
  },
  InstanceNormalization: { attributes: ['epsilon'], weights: [1, 2], run: instance },
  LayerNormalization: {
    attributes: ['axis', 'epsilon', 'stash_type'],
    weights: [1, 2],
    run: layer,
  },
  LpNormalization: { attributes: ['axis', 'p'], run: lp },
  MeanVarianceNormalization: { attributes: ['axes'], run: meanVariance },
  RMSNormalization: {
    attributes: ['axis', 'epsilon', 'stash_type'],
    weights: [1],
    run: rms,
  },
}
