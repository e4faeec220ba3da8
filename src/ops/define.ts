/**
 * What an op is: a forward rule over kernels, and a backward rule over ops. Everything that is the
 * same for all ops, checking that the inputs fit together and leaving a graph behind, stands here.
 */
import { ops } from './registry.js'

// The modules below define ops while they are being loaded, wherever loading began.

import { type GradNode, gradEnabled, record } from '../autograd/backward.js'
import { ArgumentError, BackendError } from '../base/errors.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'

export interface OpRule<Inputs extends readonly AnyTensor[], Attributes, Y extends AnyTensor> {
  /** Checks shapes, allocates the result and runs the kernels. */
  forward(inputs: Inputs, attributes: Attributes): Y
  /** What backward needs again. */
  save?(y: Y, inputs: Inputs): readonly AnyTensor[]
  /** One gradient per input, each computed only when it is needed. */
  backward?(
    dy: Tensor,
    // biome-ignore lint/suspicious/noExplicitAny: each rule knows what it saved
    saved: readonly any[],
    node: Pick<GradNode, 'shapes'> & { attributes: Attributes },
  ): (() => Tensor)[]
}

/** An op as it is called: with its input tensors and, where it has any, its attributes. */
export type Op<
  Inputs extends readonly AnyTensor[],
  Attributes extends object | undefined = undefined,
  Y extends AnyTensor = Tensor,
> = (...args: Attributes extends undefined ? Inputs : [...Inputs, Attributes]) => Y

const nothing: readonly AnyTensor[] = []

/**
 * Makes an op from its rule: a function of the input tensors and, last, its attributes (a plain
 * object), where it has any.
 */
export function defineOp<
  Inputs extends readonly AnyTensor[],
  Attributes extends object | undefined = undefined,
  Y extends AnyTensor = Tensor,
>(name: string, rule: OpRule<Inputs, Attributes, Y>): Op<Inputs, Attributes, Y> {
  ops.set(name, { differentiable: rule.backward !== undefined })
  return (...args) => {
    const last = args.length - 1
    const attributes = (isPlainObject(args[last]) ? args[last] : undefined) as Attributes
    const inputs = (attributes === undefined ? args : args.slice(0, last)) as unknown as Inputs
    requireUsable(name, inputs)
    const y = rule.forward(inputs, attributes)
    if (rule.backward && gradEnabled() && inputs.some((x) => x.requiresGrad)) {
      record(
        y as unknown as Tensor,
        name,
        inputs,
        rule.save?.(y, inputs) ?? nothing,
        attributes,
        rule.backward as GradNode['backward'],
      )
    }
    return y
  }
}

function isPlainObject(value: unknown): boolean {
  return value instanceof Object && Object.getPrototypeOf(value) === Object.prototype
}

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
