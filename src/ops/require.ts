/** Checks of an op's inputs. */
import { type DType, isFloat, isNumeric } from '../backend/dtype.js'
import { ArgumentError, BackendError, excerpt } from '../base/errors.js'
import { defaultFloat } from '../tensor/defaultFloat.js'
import { toArrayOf } from '../tensor/numbers.js'
import { type AnyTensor, isTensor } from '../tensor/tensor.js'

/** Refuses inputs that are no tensors, were released, or lie on different backends. */
export function requireUsable(op: string, inputs: readonly AnyTensor[]): void {
  for (const x of inputs) {
    requireTensor(op, x)
    x.handle // refuses a released tensor
    if (x.storage.backend !== inputs[0].storage.backend) mixedBackends(op, inputs)
  }
}

function mixedBackends(op: string, inputs: readonly AnyTensor[]): never {
  const backends = new Set(inputs.map(({ storage }) => storage.backend.name))
  // As many copies of the library have as many backends of one name.
  const found = backends.size > 1 ? [...backends].join(' and ') : 'two copies of neuroblas'
  throw new BackendError(`${op}: expected tensors of one backend, got those of ${found}`)
}

/** Refuses what is not a tensor, which plain JavaScript can pass. */
export function requireTensor(op: string, x: unknown): void {
  if (isTensor(x)) return
  const hint = isNumbers(x) ? '; tensor(values) makes one of numbers' : ''
  throw new ArgumentError(`${op}: expected a tensor, got ${excerpt(x)}${hint}`)
}

function isNumbers(x: unknown): boolean {
  return typeof x === 'number' || Array.isArray(x) || ArrayBuffer.isView(x)
}

/** Refuses a tensor of another dtype. */
export function requireDType(op: string, x: AnyTensor, dtype: DType): void {
  requireTensor(op, x)
  if (x.dtype === dtype) return
  const isBytes = x.dtype === 'uint8' && isFloat(dtype)
  throw new ArgumentError(
    `${op}: expected ${dtype === 'int32' ? 'an' : 'a'} ${dtype} tensor, got ${x.dtype}; cast('${dtype}') converts it${isBytes ? `, and cast('${dtype}').div(255) bytes of images to 0..1` : ''}`,
  )
}

/** Refuses what is not a tensor of floats. */
export function requireFloat(op: string, x: AnyTensor): void {
  requireTensor(op, x)
  if (!isFloat(x.dtype)) requireDType(op, x, defaultFloat())
}

/** Refuses what are not two tensors of one float dtype. */
export function requireFloats(op: string, x: AnyTensor, y: AnyTensor): void {
  requireFloat(op, x)
  requireDType(op, y, x.dtype)
}

/** Refuses what is no number that the dtype of x holds as it is. */
export function requireValue(op: string, x: AnyTensor, value: number): void {
  requireTensor(op, x)
  if (typeof value !== 'number') {
    throw new ArgumentError(`${op}: expected a number, got ${excerpt(value)}`)
  }
  toArrayOf(op, x.dtype, [value])
}

/** Refuses what is not a tensor of floats or int32. */
export function requireNumeric(op: string, x: AnyTensor): void {
  requireTensor(op, x)
  if (!isNumeric(x.dtype)) requireDType(op, x, defaultFloat())
}

/** Refuses what are not two tensors of one such dtype. */
export function requireNumerics(op: string, x: AnyTensor, y: AnyTensor): void {
  requireNumeric(op, x)
  requireDType(op, y, x.dtype)
}
