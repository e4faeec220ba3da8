/** Activations whose slope follows from x, not from the result; the others are in unary.ts. */
import type { KernelName } from '../backend/kernels.js'
import { checkNumber } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate, fullLike } from '../tensor/allocate.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { greaterEqual, lessEqual, where } from './elementwise.js'
import { requireFloat, requireFloats } from './require.js'

type Single = readonly [Tensor]
type Activation = Extract<
  KernelName,
  'leakyRelu' | 'elu' | 'gelu' | 'geluTanh' | 'silu' | 'mish' | 'softsign'
>
/** The numbers that the kernels take beside x, in the order of their rows. */
type Scalars = readonly number[]

function defineActivation<Attributes extends object | undefined = undefined>(
  name: string,
  kernel: Activation,
  scalarsOf: (attributes: Attributes) => Scalars = () => [],
) {
  // Which scalars a kernel takes is known to its op alone.
  const run = (kernel: KernelName, scalars: Scalars, ...tensors: Tensor[]) => {
    const y = allocate(tensors[0], tensors[0].shape)
    const args = [...tensors, y].map(({ handle }) => handle)
    y.storage.backend.run(kernel, ...([...args, y.size, ...scalars] as never))
    return y
  }
  return defineOp<Single, Attributes>(name, {
    forward: ([x], attributes) => {
      requireFloat(name, x)
      return run(kernel, scalarsOf(attributes), x)
    },
    save: (_, [x]) => [x],
    backward: (dy, [x], { attributes }) => [
      () => run(`${kernel}Grad`, scalarsOf(attributes), x, dy),
    ],
  })
}

const leaky = defineActivation('leakyRelu', 'leakyRelu', ({ slope }: { slope: number }) => [slope])
const eluOp = defineActivation('elu', 'elu', ({ alpha }: { alpha: number }) => [1, alpha])
const exactGelu = defineActivation('gelu', 'gelu')
const tanhGelu = defineActivation('geluTanh', 'geluTanh')

/** With which outputs of inputs of mean 0 and variance 1 have these again (Klambauer et al. 2017). */
const SELU_SCALE = 1.0507009873554805
const SELU_ALPHA = 1.6732632423543772
export const selu = defineActivation('selu', 'elu', () => [SELU_SCALE, SELU_SCALE * SELU_ALPHA])
export const silu = defineActivation('silu', 'silu')
export const mish = defineActivation('mish', 'mish')
export const softsign = defineActivation('softsign', 'softsign')

/** Refuses what is no number. */
export function checkSlope(op: string, name: string, slope: number): void {
  checkNumber(op, name, slope, () => true, 'to be a number')
}

export function leakyRelu(x: Tensor, negativeSlope: number): Tensor {
  checkSlope('leakyRelu', 'negativeSlope', negativeSlope)
  return leaky(x, { slope: negativeSlope })
}

export function elu(x: Tensor, alpha: number): Tensor {
  checkSlope('elu', 'alpha', alpha)
  return eluOp(x, { alpha })
}

/** How a GELU is computed: by the normal distribution itself, or by a tanh that is near it. */
export type GeluApproximation = 'none' | 'tanh'

export function checkApproximation(op: string, approximate: GeluApproximation): void {
  if (approximate === 'none' || approximate === 'tanh') return
  throw new ArgumentError(`${op}: expected none or tanh, got ${excerpt(approximate)}`)
}

export function gelu(x: Tensor, approximate: GeluApproximation): Tensor {
  checkApproximation('gelu', approximate)
  return approximate === 'tanh' ? tanhGelu(x) : exactGelu(x)
}

const hardtanhOp = defineOp<Single, { min: number; max: number }>('hardtanh', {
  forward: ([x], { min, max }) => {
    requireFloat('hardtanh', x)
    const y = allocate(x, x.shape)
    x.storage.backend.run('clip', x.handle, y.handle, x.size, min, max)
    return y
  },
  save: (_, [x]) => [x],
  // As in PyTorch the slope is 0 at the bounds, other than that of clip, and 1 at NaN.
  backward: (dy, [x], { attributes: { min, max } }) => [
    () => {
      const [low, high, none] = [min, max, 0].map((value) => fullLike(x, value, []))
      return where(lessEqual(x, low), none, where(greaterEqual(x, high), none, dy))
    },
  ],
})

/** Refuses bounds that are in the wrong order. */
export function checkBounds(op: string, min: number, max: number): void {
  if (typeof min === 'number' && typeof max === 'number' && min <= max) return
  throw new ArgumentError(`${op}: expected min <= max, got ${excerpt(min)} and ${excerpt(max)}`)
}

export function hardtanh(x: Tensor, min: number, max: number): Tensor {
  checkBounds('hardtanh', min, max)
  return hardtanhOp(x, { min, max })
}

export function prelu(x: Tensor, weight: Tensor): Tensor {
  requireFloats('prelu', x, weight)
  const channels = x.shape.at(-1) ?? 1
  if (weight.shape.length > 1 || (weight.size !== 1 && weight.size !== channels)) {
    throw new ShapeError(
      `prelu: expected a weight of shape [1] or [${channels}], one for each channel, got ${format(weight.shape)}`,
    )
  }
  // The parts on either side of 0, of which the other is 0: at 0 the slope is the weight's.
  const slope = x.shape.length === 0 ? weight.reshape([]) : weight
  return x.relu().add(x.clip(-Infinity, 0).mul(slope))
}
