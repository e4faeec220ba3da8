/** Ops of each element alone: functions, steps, and the activations whose result tells the slope. */
import type { KernelName } from '../backend/kernels.js'
import { allocate } from '../tensor/allocate.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { requireFloat, requireNumeric } from './require.js'

type UnaryKernel = Extract<
  KernelName,
  | ('exp' | 'log' | 'sqrt' | 'square' | 'reciprocal' | 'sin' | 'cos')
  | ('log1p' | 'expm1' | 'erf' | 'relu' | 'sigmoid' | 'tanh' | 'softplus' | StepKernel)
>

type Single = readonly [Tensor]

type Signed = Extract<KernelName, 'neg' | 'abs' | 'sign'>
type Numbers = readonly [AnyTensor]

/** Of floats and integers. */
function signed(name: Signed, x: AnyTensor): AnyTensor {
  requireNumeric(name, x)
  const y = allocate(x, x.shape, x.dtype)
  x.storage.backend.run(name, x.handle, y.handle, x.size)
  return y
}

function unary(name: string, kernel: UnaryKernel, x: Tensor): Tensor {
  requireFloat(name, x)
  const y = allocate(x, x.shape)
  x.storage.backend.run(kernel, x.handle, y.handle, x.size)
  return y
}

export const neg = defineOp<Numbers, undefined, AnyTensor>('neg', {
  forward: ([x]) => signed('neg', x),
  backward: (dy) => [() => dy.neg()],
})
export const abs = defineOp<Numbers, undefined, AnyTensor>('abs', {
  forward: ([x]) => signed('abs', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x.sign())],
})
export const sign = defineOp<Numbers, undefined, AnyTensor>('sign', {
  forward: ([x]) => signed('sign', x),
})
export const exp = defineOp<Single>('exp', {
  forward: ([x]) => unary('exp', 'exp', x),
  save: (y) => [y],
  backward: (dy, [y]) => [() => dy.mul(y)],
})
export const log = defineOp<Single>('log', {
  forward: ([x]) => unary('log', 'log', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.div(x)],
})
export const sqrt = defineOp<Single>('sqrt', {
  forward: ([x]) => unary('sqrt', 'sqrt', x),
  save: (y) => [y],
  backward: (dy, [y]) => [() => dy.div(y).mul(0.5)],
})
export const square = defineOp<Single>('square', {
  forward: ([x]) => unary('square', 'square', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x).mul(2)],
})
export const reciprocal = defineOp<Single>('reciprocal', {
  forward: ([x]) => unary('reciprocal', 'reciprocal', x),
  save: (y) => [y],
  backward: (dy, [y]) => [() => dy.mul(y.square()).neg()],
})
export const sin = defineOp<Single>('sin', {
  forward: ([x]) => unary('sin', 'sin', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x.cos())],
})
export const cos = defineOp<Single>('cos', {
  forward: ([x]) => unary('cos', 'cos', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x.sin()).neg()],
})
export const log1p = defineOp<Single>('log1p', {
  forward: ([x]) => unary('log1p', 'log1p', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.div(x.add(1))],
})
export const expm1 = defineOp<Single>('expm1', {
  forward: ([x]) => unary('expm1', 'expm1', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x.exp())],
})
export const erf = defineOp<Single>('erf', {
  forward: ([x]) => unary('erf', 'erf', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x.square().neg().exp()).mul(2 / Math.sqrt(Math.PI))],
})

type StepKernel = 'floor' | 'ceil' | 'round' | 'trunc' | 'isNaN' | 'isFinite'

/** An op that is flat but for its steps, and has no gradient. */
function defineStep(name: StepKernel) {
  return defineOp<Single>(name, { forward: ([x]) => unary(name, name, x) })
}
export const floor = defineStep('floor')
export const ceil = defineStep('ceil')
export const round = defineStep('round')
export const trunc = defineStep('trunc')
const nanMask = defineStep('isNaN')
const finiteMask = defineStep('isFinite')

export { finiteMask as isFinite, nanMask as isNaN }

/** log(1 + e^x), without overflow and accurate in both tails. */
export const softplus = defineOp<Single>('softplus', {
  forward: ([x]) => unary('softplus', 'softplus', x),
  save: (_, [x]) => [x],
  backward: (dy, [x]) => [() => dy.mul(x.sigmoid())],
})

type Activation = 'relu' | 'sigmoid' | 'tanh'

/** g'(x)·dy from y = g(x), in one pass. */
function activationGrad(kernel: `${Activation}Grad`, dy: Tensor, y: Tensor): Tensor {
  const dx = allocate(y, y.shape)
  y.storage.backend.run(kernel, y.handle, dy.handle, dx.handle, y.size)
  return dx
}

function defineActivation(name: Activation) {
  return defineOp<Single>(name, {
    forward: ([x]) => unary(name, name, x),
    save: (y) => [y],
    backward: (dy, [y]) => [() => activationGrad(`${name}Grad`, dy, y)],
  })
}
export const relu = defineActivation('relu')
export const sigmoid = defineActivation('sigmoid')
export const tanh = defineActivation('tanh')
