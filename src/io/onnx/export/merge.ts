/** Two runs of a model, with batches of different sizes, as one: what differs between them follows the batch. */
import type { DType, TypedArray } from '../../../backend/dtype.js'
import { ArgumentError } from '../../../base/errors.js'
import type { Shape } from '../../../tensor/shape.js'
import { type Call, type Run, type Seen, where } from './run.js'

/** An extent that is a multiple of the batch's. */
export class Batch {
  constructor(readonly times: number) {}
}

/** An extent: a number, a multiple of the batch, or null for what is neither. */
export type Extent = number | Batch | null
export type Extents = readonly Extent[]

/** A value of any batch. */
export interface Value {
  readonly shape: Extents
  readonly dtype: DType
  readonly path: string
  readonly from: { readonly kind: 'input' } | ConstantValue | CallValue
}

export interface ConstantValue {
  readonly kind: 'constant'
  readonly name?: string
  /** One element, where the shape follows the batch. */
  readonly data: TypedArray
}

export interface CallValue {
  readonly kind: 'call'
  readonly op: string
  readonly inputs: readonly Value[]
  /** As `Reading` gives them. */
  // biome-ignore lint/suspicious/noExplicitAny: each row knows those of its op
  readonly attributes: any
}

/** Says what an op's attributes mean, given shapes of one run, in terms that may follow the batch. */
export type Reading = (attributes: unknown, inputs: readonly Shape[], result: Shape) => unknown

/** The sizes of the two batches: small, and no extent that both runs have is both. */
export const BATCHES = [2, 3] as const

/** What the outputs are computed from, in its order, inputs included; and the outputs. */
export interface Merged {
  readonly values: readonly Value[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
}

const VARIES =
  'expected a forward pass of the same ops for all inputs, got one that depends on their values or on chance'

/**
 * @param readingOf of an op by its name
 * @throws ArgumentError where the model does something else for other inputs, or what ONNX cannot say
 */
export function merge(
  [a, b]: readonly [Run, Run],
  readingOf: (op: string, path: string) => Reading,
): Merged {
  const needed = neededFor(a)
  const values: (Value | undefined)[] = []
  a.seen.forEach((first, i) => {
    const second = b.seen[i]
    if (second === undefined || !isAlike(first, second)) {
      throw new ArgumentError(`exportOnnx: ${where(first.path)}${VARIES}`)
    }
    const isInput = first.from.kind === 'input'
    values.push(isInput || needed.has(i) ? mergeSeen(first, second, i) : undefined)
  })
  if (b.seen.length !== a.seen.length || String(a.outputs) !== String(b.outputs)) {
    throw new ArgumentError(`exportOnnx: ${VARIES}`)
  }
  const found = values.filter((value) => value !== undefined)
  return {
    values: found,
    inputs: found.filter(({ from }) => from.kind === 'input'),
    outputs: a.outputs.map((i) => values[i] as Value),
  }

  function mergeSeen(first: Seen, second: Seen, i: number): Value {
    const { dtype, path, from } = first
    const shape = mergeShapes(first.shape, second.shape)
    const value = { shape, dtype, path }
    if (from.kind === 'input') return { ...value, from }
    if (from.kind === 'constant') {
      const data = mergeConstants(first, second)
      return { ...value, from: { ...from, data } }
    }
    const { op, inputs } = from
    const reading = readingOf(op, path)
    const [p, q] = [a, b].map(({ seen }) => {
      const { inputs, attributes } = seen[i].from as Call
      const shapes = inputs.map((position) => seen[position].shape)
      return reading(attributes, shapes, seen[i].shape)
    })
    const attributes = mergeAttributes(p, q, `${where(path)}${op}`)
    return {
      ...value,
      from: { kind: 'call', op, inputs: inputs.map((j) => values[j] as Value), attributes },
    }
  }
}

/** Positions that the outputs are computed from. */
function neededFor({ seen, outputs }: Run): Set<number> {
  const needed = new Set(outputs)
  for (const position of needed) {
    const { from } = seen[position]
    if (from.kind === 'call') for (const input of from.inputs) needed.add(input)
  }
  return needed
}

function isAlike(a: Seen, b: Seen): boolean {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false
  if (a.from.kind !== 'call' || b.from.kind !== 'call') return a.from.kind === b.from.kind
  return a.from.op === b.from.op && String(a.from.inputs) === String(b.from.inputs)
}

function mergeShapes(a: Shape, b: Shape): Extents {
  return a.map((extent, axis) => mergeNumbers(extent, b[axis]))
}

function mergeNumbers(a: number, b: number): Extent {
  if (Object.is(a, b)) return a
  const [p, q] = BATCHES
  const times = a / p
  return Number.isInteger(times) && b === times * q ? new Batch(times) : null
}

/** Elements that are the same in both runs; of one shape, or all of them equal. */
function mergeConstants(a: Seen, b: Seen): TypedArray {
  const [p, q] = [a, b].map(({ from }) => (from as { data: TypedArray }).data)
  const isSameShape = String(a.shape) === String(b.shape)
  if (p === q || (isSameShape && p.every((value, i) => Object.is(value, q[i])))) return p
  const isFilled = [...p, ...q].every((value) => Object.is(value, p[0]))
  if (!isSameShape && isFilled && p.length > 0) return p.subarray(0, 1)
  throw new ArgumentError(
    `exportOnnx: ${where(a.path)}expected tensors that ops make from the inputs, or that are always the same, got one of shape [${a.shape}] whose values follow the inputs or chance, as data(), item(), clone(), maskedSelect and nonzero make them`,
  )
}

function mergeAttributes(a: unknown, b: unknown, op: string): unknown {
  if (Object.is(a, b)) return a
  if (typeof a === 'number' && typeof b === 'number') {
    const merged = mergeNumbers(a, b)
    if (merged !== null) return merged
  }
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    return a.map((item, i) => mergeAttributes(item, b[i], op))
  }
  if (isFields(a) && isFields(b)) {
    const entries = Object.entries(a)
    return Object.fromEntries(
      entries.map(([key, item]) => [key, mergeAttributes(item, b[key], op)]),
    )
  }
  throw new ArgumentError(
    `exportOnnx: ${op}: expected settings that are the same for all inputs, or a multiple of the batch's size, got ${String(a)} and ${String(b)} for ${BATCHES.join(' and ')} examples`,
  )
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
