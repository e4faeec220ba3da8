/** Checks of an op's inputs. */
import { ArgumentError, BackendError } from '../base/errors.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'

/** Refuses inputs that are no tensors, were released, or lie on different backends. */
export function requireUsable(op: string, inputs: readonly AnyTensor[]): void {
  for (const x of inputs) {
    requireTensor(op, x)
    x.handle // refuses a released tensor
    if (x.storage.backend !== inputs[0].storage.backend) mixedBackends(op, inputs)
  }
}

function mixedBackends(op: string, inputs: readonly AnyTensor[]): never {
  const backends = inputs.map(({ storage: { backend } }) => `${backend.name} ${backend.precision}`)
  throw new BackendError(`${op}: expected tensors of one backend, got ${backends.join(' and ')}`)
}

/** Refuses what is not a tensor, which plain JavaScript can pass. */
export function requireTensor(op: string, x: unknown): void {
  if (!(x instanceof Tensor)) throw new ArgumentError(`${op}: expected a tensor, got ${typeof x}`)
}

/** Refuses a tensor of another dtype. */
export function requireDType(op: string, x: AnyTensor, dtype: AnyTensor['dtype']): void {
  requireTensor(op, x)
  if (x.dtype === dtype) return
  const advice = dtype === 'float32' && x.dtype === 'int32' ? '; toFloat() converts it' : ''
  throw new ArgumentError(`${op}: expected a ${dtype} tensor, got ${x.dtype}${advice}`)
}
