/** Activations over buffers, by the names that TensorFlow.js's fused kernels call them by. */

import type { Backend, Handle } from '../../internal.js'
import type { NeuroblasBackend } from './backend.js'
import { binary, type Elements } from './broadcast.js'
import { sizeOf } from './shape.js'

/** Klambauer et al. (2017), Self-Normalizing Neural Networks. */
const SELU_SCALE = 1.0507009873554805
const SELU_ALPHA = 1.6732632423543772

export type Activation =
  | 'relu'
  | 'relu6'
  | 'elu'
  | 'selu'
  | 'sigmoid'
  | 'tanh'
  | 'softplus'
  | 'leakyrelu'

const known: ReadonlySet<string> = new Set<Activation>([
  'relu',
  'relu6',
  'elu',
  'selu',
  'sigmoid',
  'tanh',
  'softplus',
  'leakyrelu',
])

export function isActivation(name: string): name is Activation {
  return known.has(name)
}

/** The activation of n elements, which may be written over x; slope is that of leakyrelu. */
export function activate(
  device: Backend,
  name: Activation,
  x: Handle,
  y: Handle,
  n: number,
  slope = 0.2,
): void {
  if (name === 'relu6') device.run('clip', x, y, n, 0, 6)
  else if (name === 'elu') device.run('elu', x, y, n, 1, 1)
  else if (name === 'selu') device.run('elu', x, y, n, SELU_SCALE, SELU_SCALE * SELU_ALPHA)
  else if (name === 'leakyrelu') device.run('leakyRelu', x, y, n, slope)
  else device.run(name, x, y, n)
}

/** x where it is positive, else x·slopes; the slopes are repeated to the shape of x. */
export function prelu(backend: NeuroblasBackend, x: Elements, slopes: Elements): Handle {
  const { device } = backend
  const size = sizeOf(x.shape)
  const { handle: y } = binary(backend, 'mul', x, slopes, 'float32')
  const zero = device.alloc(1, 'float32')
  device.run('fill', zero, 1, 0)
  const isNegative = device.alloc(size, 'float32')
  device.run('less', x.handle, zero, isNegative, 1, 1, size, 7, 0)
  device.run('select', isNegative, y, x.handle, y, size)
  device.release(zero)
  device.release(isNegative)
  return y
}
