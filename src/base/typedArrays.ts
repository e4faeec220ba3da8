/**
 * Typed arrays that callers pass. They may come from another realm (a vm context, Jest), and be of a
 * subclass whose properties say anything: what they are is asked of their internal slots alone.
 */
import { ArgumentError } from './errors.js'

/**
 * Typed arrays of numbers.
 * @inline
 */
export type NumberArray =
  | (Float32Array | Float64Array)
  | (Int8Array | Int16Array | Int32Array)
  | (Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array)

/** A typed array whose properties can be believed. */
export interface TypedNumbers {
  /** The class that the caller's array has, such as `Float32Array`. */
  readonly kind: string
  /** Over the caller's memory; of big integers a copy. */
  readonly values: NumberArray
}

type BigIntegers = BigInt64Array | BigUint64Array
interface ArrayType {
  readonly name: string
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NumberArray | BigIntegers
}

const { Float16Array } = globalThis as unknown as { Float16Array?: ArrayType }
const types = new Map(
  [
    ...[Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array],
    ...[Uint8ClampedArray, Uint16Array, Uint32Array, BigInt64Array, BigUint64Array],
    // Younger than the oldest Node.js that this package runs on.
    ...(Float16Array ? [Float16Array] : []),
  ].map((type: ArrayType) => [type.name, type]),
)

const prototype = Object.getPrototypeOf(Uint8Array.prototype)
function getter<T>(name: string | symbol): (this: unknown) => T {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!
}
const nameOf = getter<string | undefined>(Symbol.toStringTag)
const bufferOf = getter<ArrayBufferLike>('buffer')
const byteOffsetOf = getter<number>('byteOffset')
const lengthOf = getter<number>('length')

/** The name of a typed array's class; undefined for everything else, a DataView included. */
export function kindOfTypedArray(value: unknown): string | undefined {
  return nameOf.call(value)
}

/** Whether it is an array or a typed array, of any realm. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || kindOfTypedArray(value) !== undefined
}

/**
 * The numbers of a typed array, whatever its class says of it; undefined for what is none.
 * @throws ArgumentError where its buffer is gone, and for big integers that no number equals
 */
export function readTypedArray(op: string, value: unknown): TypedNumbers | undefined {
  const kind = kindOfTypedArray(value)
  const type = kind === undefined ? undefined : types.get(kind)
  if (kind === undefined || type === undefined) return undefined
  const values = ownView(op, kind, type, value)
  return {
    kind,
    values: kind.startsWith('Big') ? exactly(op, values as BigIntegers) : (values as NumberArray),
  }
}

function ownView(op: string, kind: string, type: ArrayType, value: unknown) {
  try {
    return new type(bufferOf.call(value), byteOffsetOf.call(value), lengthOf.call(value))
  } catch {
    throw new ArgumentError(
      `${op}: expected numbers, got a ${kind} whose buffer was transferred elsewhere`,
    )
  }
}

function exactly(op: string, integers: BigIntegers): Float64Array {
  const numbers = Float64Array.from(integers, Number)
  const lost = numbers.findIndex((value, i) => BigInt(value) !== integers[i])
  if (lost < 0) return numbers
  throw new ArgumentError(
    `${op}: expected integers that a number can hold, up to 2^53, got ${integers[lost]} at ${lost}`,
  )
}
