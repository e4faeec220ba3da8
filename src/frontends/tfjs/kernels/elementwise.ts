/** Kernels that compute each element of the result from the same element of their operands. */

import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { Backend, Handle, KernelArgs, KernelName } from '../../../internal.js'
import { type Activation, activate, prelu } from '../activation.js'
import type { NeuroblasBackend } from '../backend.js'
import { ALL, type BinaryKernel, binary } from '../broadcast.js'
import { NONE, type NumericType } from '../entry.js'
import { floatsOf, handlesOf, type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { sameShape, sizeOf } from '../shape.js'

type Binary = Tensors<'a' | 'b'>

/** Of two tensors of float32 or of int32, which wrap around. */
function arithmetic(kernel: BinaryKernel): Rule {
  return rule<Binary, undefined>((backend, { a, b }) => {
    if (a.dtype !== 'int32' && a.dtype !== 'float32') return undefined
    if (a.dtype !== b.dtype) return undefined
    return combine(backend, kernel, a, b)
  })
}

function combine(
  backend: NeuroblasBackend,
  kernel: BinaryKernel,
  a: TensorInfo,
  b: TensorInfo,
): TensorInfo {
  const dtype = a.dtype as 'float32' | 'int32'
  const left = { handle: backend.handleOf(a), shape: a.shape }
  const right = { handle: backend.handleOf(b), shape: b.shape }
  const { handle, shape } = binary(backend, kernel, left, right, dtype)
  return backend.tensorOf(handle, shape, dtype)
}

/** Of two tensors of float32. */
function floats(kernel: BinaryKernel): Rule {
  return rule<Binary, undefined>((backend, { a, b }) =>
    a.dtype === 'float32' && b.dtype === 'float32' ? combine(backend, kernel, a, b) : undefined,
  )
}

/** Division that whole numbers refuse by 0, which the backend `cpu` then computes. */
function division(kernel: 'floorDivide' | 'remainder'): Rule {
  return rule<Binary, undefined>((backend, { a, b }) => {
    if (a.dtype !== b.dtype) return undefined
    if (a.dtype === 'float32') return combine(backend, kernel, a, b)
    if (a.dtype !== 'int32') return undefined
    const divisors = backend.data.get(b.dataId).values as Int32Array
    return divisors.includes(0) ? undefined : combine(backend, kernel, a, b)
  })
}

const squaredDifference = rule<Binary, undefined>((backend, { a, b }) => {
  const dtype = a.dtype
  if ((dtype !== 'float32' && dtype !== 'int32') || b.dtype !== dtype) return undefined
  const left = { handle: backend.handleOf(a), shape: a.shape }
  const right = { handle: backend.handleOf(b), shape: b.shape }
  const difference = binary(backend, 'sub', left, right, dtype)
  const { handle, shape } = binary(backend, 'mul', difference, difference, dtype, dtype, true)
  return backend.tensorOf(handle, shape, dtype)
})

type Unary = Tensors<'x'>
type Compute = (device: Backend, from: Handle, to: Handle, size: number) => void

/** The same dtype and shape, computed by `compute`. */
function mapped(backend: NeuroblasBackend, x: TensorInfo, compute: Compute): TensorInfo {
  const { device } = backend
  const dtype = x.dtype as NumericType
  const size = sizeOf(x.shape)
  const from = backend.handleOf(x)
  const y = device.alloc(size, dtype)
  compute(device, from, y, size)
  return backend.tensorOf(y, x.shape, dtype)
}

/** Of float32. */
function unary<Attributes = undefined>(compute: (attributes: Attributes) => Compute): Rule {
  return rule<Unary, Attributes>((backend, { x }, attributes) =>
    x.dtype === 'float32' ? mapped(backend, x, compute(attributes)) : undefined,
  )
}

type UnaryKernel = {
  [K in KernelName]: KernelArgs<K> extends readonly [Handle, Handle, number] ? K : never
}[KernelName]

/** One kernel of float32 after the other, each over the result of the one before. */
function chain(first: UnaryKernel, ...others: readonly UnaryKernel[]): Rule {
  const compute: Compute = (device, from, to, size) => {
    device.run(first, from, to, size)
    for (const kernel of others) device.run(kernel, to, to, size)
  }
  return unary(() => compute)
}

/** Of float32 and int32. */
function signed(kernel: 'neg' | 'abs' | 'sign'): Rule {
  return rule<Unary, undefined>((backend, { x }) =>
    x.dtype === 'float32' || x.dtype === 'int32'
      ? mapped(backend, x, (device, from, to, size) => device.run(kernel, from, to, size))
      : undefined,
  )
}

const square = rule<Unary, undefined>((backend, { x }) =>
  x.dtype === 'float32' || x.dtype === 'int32' ? combine(backend, 'mul', x, x) : undefined,
)

/** `alpha` is the slope of leakyrelu. */
function activation(name: Activation): Rule {
  return unary<{ alpha?: number } | undefined>(
    (attributes) => (device, from, to, size) =>
      activate(device, name, from, to, size, attributes?.alpha),
  )
}

const clipByValue = rule<Unary, { clipValueMin: number; clipValueMax: number }>(
  (backend, { x }, { clipValueMin: low, clipValueMax: high }) =>
    x.dtype === 'float32' && low <= high
      ? mapped(backend, x, (device, from, to, size) =>
          device.run('clip', from, to, size, low, high),
        )
      : undefined,
)

/** dx = y >= 0 ? dy : dy·(y + 1), from the result y. */
const eluGrad = rule<Tensors<'dy' | 'y'>, undefined>((backend, { dy, y }) => {
  const gradient = floatsOf(backend, dy)
  if (gradient === NONE || y.dtype !== 'float32') return undefined
  return mapped(backend, y, (device, from, dx, size) => {
    device.run('clip', from, dx, size, Number.NEGATIVE_INFINITY, 0)
    device.run('affine', dx, dx, size, 1, 1)
    device.run('mul', dx, gradient, dx, 1, 1, size, ALL, ALL)
  })
})

const preluOf = rule<Tensors<'x' | 'alpha'>, undefined>((backend, { x, alpha }) => {
  const handles = handlesOf(backend, [x, alpha], 'float32')
  const shape = backend_util.assertAndGetBroadcastShape(x.shape, alpha.shape)
  if (handles === undefined || !sameShape(shape, x.shape)) return undefined
  const [from, slopes] = handles
  const y = prelu(backend, { handle: from, shape: x.shape }, { handle: slopes, shape: alpha.shape })
  return backend.tensorOf(y, x.shape, 'float32')
})

const addN = rule<TensorInfo[], undefined>((backend, inputs) => {
  const handles = handlesOf(backend, inputs, 'float32')
  if (handles === undefined || handles.length < 2) return undefined
  const [first, second, ...others] = handles
  return mapped(backend, inputs[0], (device, _, y, size) => {
    device.run('add', first, second, y, 1, 1, size, ALL, ALL)
    for (const other of others) device.run('add', y, other, y, 1, 1, size, ALL, ALL)
  })
})

const reluOfFloats = activation('relu') as Rule<Unary>

/** Of int32 the larger of x and 0. */
const relu = rule<Unary, never>((backend, { x }, attributes) => {
  if (x.dtype !== 'int32') return reluOfFloats(backend, { x }, attributes)
  const { device } = backend
  const zero = device.alloc(1, 'int32')
  device.run('fill', zero, 1, 0)
  const from = { handle: backend.handleOf(x), shape: x.shape }
  const { handle } = binary(backend, 'maximum', from, { handle: zero, shape: [] }, 'int32')
  device.release(zero)
  return backend.tensorOf(handle, x.shape, 'int32')
})

export const elementwise: Rules = {
  Add: arithmetic('add'),
  Sub: arithmetic('sub'),
  Multiply: arithmetic('mul'),
  Maximum: arithmetic('maximum'),
  Minimum: arithmetic('minimum'),
  RealDiv: floats('div'),
  Pow: arithmetic('pow'),
  Atan2: floats('atan2'),
  FloorDiv: division('floorDivide'),
  Mod: division('remainder'),
  SquaredDifference: squaredDifference,
  AddN: addN,
  Neg: signed('neg'),
  Abs: signed('abs'),
  Sign: signed('sign'),
  Square: square,
  Exp: chain('exp'),
  Expm1: chain('expm1'),
  Log: chain('log'),
  Log1p: chain('log1p'),
  Sqrt: chain('sqrt'),
  Rsqrt: chain('sqrt', 'reciprocal'),
  Reciprocal: chain('reciprocal'),
  Erf: chain('erf'),
  Floor: chain('floor'),
  Ceil: chain('ceil'),
  Round: chain('round'),
  Sin: chain('sin'),
  Cos: chain('cos'),
  Tan: chain('tan'),
  Asin: chain('asin'),
  Acos: chain('acos'),
  Atan: chain('atan'),
  Sinh: chain('sinh'),
  Cosh: chain('cosh'),
  Asinh: chain('asinh'),
  Acosh: chain('acosh'),
  Atanh: chain('atanh'),
  Relu: relu,
  Relu6: activation('relu6'),
  Elu: activation('elu'),
  Selu: activation('selu'),
  Sigmoid: activation('sigmoid'),
  Tanh: activation('tanh'),
  Softplus: activation('softplus'),
  LeakyRelu: activation('leakyrelu'),
  Step: unary<{ alpha: number }>(
    ({ alpha }) =>
      (device, from, to, size) =>
        device.run('step', from, to, size, alpha),
  ),
  EluGrad: eluGrad,
  Prelu: preluOf,
  ClipByValue: clipByValue,
}
