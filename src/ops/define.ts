/**
 * What an op is: a forward rule over kernels, and a backward rule over ops. Everything that is the
 * same for all ops, checking that the inputs fit together and leaving a graph behind, stands here.
 */

import { isFloat } from '../backend/dtype.js'
import { gradEnabled, record } from '../tensor/graph.js'
import type { AnyTensor, GradNode, Tensor } from '../tensor/tensor.js'
import { requireUsable } from './require.js'

/** Every op by name; the op tests walk it. */
export const ops = new Map<string, { differentiable: boolean }>()

export interface OpRule<Inputs extends readonly AnyTensor[], Attributes, Y extends AnyTensor> {
  /**
   * Checks shapes, allocates the result and runs the kernels; what else they gave that backward needs
   * goes into `kept`.
   */
  forward(inputs: Inputs, attributes: Attributes, kept: AnyTensor[]): Y
  /** What backward needs again. */
  save?(y: Y, inputs: Inputs, kept: readonly AnyTensor[]): readonly AnyTensor[]
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

/** A call of an op, with its result. */
export interface OpCall {
  readonly name: string
  readonly inputs: readonly AnyTensor[]
  /** Undefined for an op without any. */
  readonly attributes: unknown
  readonly result: AnyTensor
}

let listener: ((call: OpCall) => void) | undefined

/** Runs fn, and tells a listener of every op in it, in their order. */
export function listenToOps<T>(heard: (call: OpCall) => void, fn: () => T): T {
  const before = listener
  listener = heard
  try {
    return fn()
  } finally {
    listener = before
  }
}

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
    return apply(name, rule, inputs, attributes)
  }
}

/** The same for any number of inputs, in a list: more than a call has room for, too. */
export function defineListOp<Attributes extends object, Y extends AnyTensor = Tensor>(
  name: string,
  rule: OpRule<readonly AnyTensor[], Attributes, Y>,
): (inputs: readonly AnyTensor[], attributes: Attributes) => Y {
  ops.set(name, { differentiable: rule.backward !== undefined })
  return (inputs, attributes) => apply(name, rule, inputs, attributes)
}

function apply<Inputs extends readonly AnyTensor[], Attributes, Y extends AnyTensor>(
  name: string,
  rule: OpRule<Inputs, Attributes, Y>,
  inputs: Inputs,
  attributes: Attributes,
): Y {
  requireUsable(name, inputs)
  const kept: AnyTensor[] = []
  const y = rule.forward(inputs, attributes, kept)
  const isWanted = rule.backward && gradEnabled() && inputs.some((x) => x.requiresGrad)
  if (isWanted && isFloat(y.dtype)) {
    record(
      y as unknown as Tensor,
      name,
      inputs,
      rule.save?.(y, inputs, kept) ?? nothing,
      attributes,
      rule.backward as GradNode['backward'],
    )
  }
  for (const x of kept) x.dispose()
  if (listener !== undefined) listener({ name, inputs, attributes, result: y })
  return y
}

function isPlainObject(value: unknown): boolean {
  return value instanceof Object && Object.getPrototypeOf(value) === Object.prototype
}
