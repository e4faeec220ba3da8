/** Everything the package exports. */
export { noGrad } from './autograd.js'
export type { DType, MemoryUse } from './backend/backend.js'
export {
  type BackendName,
  getBackend,
  memory,
  setBackend,
} from './backend/current.js'
export {
  arange,
  eye,
  full,
  ones,
  rand,
  randn,
  tensor,
  zeros,
} from './create.js'
export * from './errors.js'
export { where } from './ops/elementwise.js'
export { oneHot } from './ops/gather.js'
export { concat, stack } from './ops/layout.js'
export { linear, matmul } from './ops/matmul.js'
export { Generator, setSeed } from './random.js'
export { scope } from './scope.js'
export type { Shape } from './shape.js'
export { type ArrayOf, type Operand, Tensor } from './tensor.js'
