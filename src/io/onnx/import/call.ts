/** What an operator is, and what it is given when it is computed. */
import { DataError } from '../../../base/errors.js'
import type { Node } from './node.js'
import type { Value } from './value.js'

/** An operator of ONNX: a row of the table of its family. */
export interface Operator {
  /** The settings that are known. */
  readonly attributes?: readonly string[]
  /** Positions of inputs that are weights, where the file gives their values. */
  readonly weights?: readonly number[]
  /** Whether it is arithmetic of two operands, which also stands before a network. */
  readonly isArithmetic?: true
  /** Whether its input comes out with the same elements, so that weights may come through it. */
  readonly passes?: true
  /** How many outputs there are at most; 1 where it is not told. */
  readonly outputs?: number
  /** Settings that are known but not supported, as text. */
  refuse?(node: Node): string | undefined
  run(call: Call): Value | readonly Value[]
}

/** Operators by name. */
export type Operators = Readonly<Record<string, Operator>>

/** A node that is being computed: its settings, and its inputs. */
export class Call {
  constructor(
    readonly node: Node,
    readonly inputs: readonly (Value | undefined)[],
  ) {}

  /** An input that must be there. */
  input(position: number): Value {
    const value = this.inputs[position]
    if (value !== undefined) return value
    throw new DataError(`expected an input ${position + 1}, got ${this.inputs.length}`)
  }

  /** An input that may be there. */
  maybe(position: number): Value | undefined {
    return this.inputs[position]
  }

  /** All inputs, none of them missing, and at least one. */
  get all(): readonly Value[] {
    return [this.input(0), ...this.inputs.slice(1).map((_, i) => this.input(i + 1))]
  }

  get opset(): number {
    return this.node.opset
  }

  /** Whole numbers that were a setting before some version, and are an input since; undefined without them. */
  listed(name: string, position: number): number[] | undefined {
    const input = this.maybe(position)
    if (input !== undefined) return input.numbers(name)
    return this.node.has(name) ? [...this.node.numbers(name)] : undefined
  }

  /** A number that may be an input, or a setting of this name in older models. */
  limit(name: string, position: number, fallback: number): number {
    const input = this.maybe(position)
    return input?.number(name) ?? this.node.number(name, fallback)
  }

  /** An axis, counted from the front. */
  axis(axis: number, rank = this.input(0).rank): number {
    const from = axis < 0 ? axis + rank : axis
    if (Number.isInteger(from) && from >= 0 && from < rank) return from
    throw new DataError(`expected an axis of ${rank}, got ${axis}`)
  }
}
