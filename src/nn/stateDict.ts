/** The values of parameters by their names, as `stateDict` gives them and `loadStateDict` takes them. */
import { types } from 'node:util'
import { ArgumentError, excerpt } from '../base/errors.js'
import { checkAssignable } from '../tensor/assignable.js'
import { memoryOf, refuseWriting } from '../tensor/locks.js'
import type { Tensor } from '../tensor/tensor.js'

/** The values of a parameter, or of what an optimizer keeps for it, apart from any tensor. */
export interface ParameterValues {
  /** Extents of the axes. */
  readonly shape: readonly number[]
  /** The elements, row-major. */
  readonly data: Float32Array
}

/** Values by name, read by `loadStateDict`: a map, or the object that JSON made of one. */
export type StateSource = ReadonlyMap<string, StateValues> | Readonly<Record<string, StateValues>>

/** The same with any numbers, and with the words that JSON has for some of them. */
export interface StateValues {
  /** Extents of the axes. */
  readonly shape: readonly number[]
  /** The elements, row-major. */
  readonly data: ArrayLike<number | string>
}

/** Names in a state that did not go together with those of a module. */
export interface IncompatibleKeys {
  /** Parameters and buffers of the module that the state has no values for: they stay as they are. */
  missing: string[]
  /** Names in the state that the module does not have. */
  unexpected: string[]
}

/** Values by name, which JSON can hold, too: every number is read back to the same bits. */
export class StateDict extends Map<string, ParameterValues> {
  /** What `JSON.stringify` writes: `{ name: { shape, data } }`. */
  toJSON(): Record<string, StateValues> {
    return Object.fromEntries(
      [...this].map(([name, { shape, data }]) => [name, { shape, data: Array.from(data, toJSON) }]),
    )
  }
}

// JSON has no numbers for them.
const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
}

function toJSON(value: number): number | string {
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? value : `${value}`
}

/**
 * What was given as a state, with numbers only.
 * @throws ArgumentError for what is no state
 */
export function stateFrom(
  op: string,
  state: StateSource,
): Map<string, { shape: readonly number[]; data: ArrayLike<number> }> {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) {
    throw new ArgumentError(`${op}: expected what stateDict() returns, got ${excerpt(state)}`)
  }
  const entries: (readonly [string, StateValues])[] = types.isMap(state)
    ? [...(state as ReadonlyMap<string, StateValues>)]
    : Object.entries(state)
  return new Map(
    entries.map(([name, values]) => {
      if (!Array.isArray(values?.shape)) {
        throw new ArgumentError(
          `${op}: expected { shape, data } for ${name}, got ${excerpt(values)}`,
        )
      }
      const { shape } = values
      const data = values.data as ArrayLike<number>
      return [name, { shape, data: Array.isArray(data) ? data.map(toNumber) : data }]
    }),
  )
}

/** What is no word for a number is refused where it is assigned. */
function toNumber(value: number | string): number {
  return typeof value === 'string' && Object.hasOwn(WORDS, value) ? WORDS[value] : (value as number)
}

/**
 * Overwrites the tensors of a module with the values of a state, or changes nothing.
 * @throws as `loadStateDict` of a module
 */
export function loadInto(
  own: ReadonlyMap<string, Tensor>,
  source: StateSource,
  strict: boolean,
): IncompatibleKeys {
  refuseWriting('loadStateDict', () => memoryOf([...own.values()]))
  const state = stateFrom('loadStateDict', source)
  const unexpected = [...state.keys()].filter((path) => !own.has(path))
  const missing = [...own.keys()].filter((path) => !state.has(path))
  if (strict && unexpected.length + missing.length > 0) {
    throw new ArgumentError(
      `loadStateDict: expected the parameters ${[...own.keys()].join(', ')}; missing: ${missing.join(', ') || 'none'}, unexpected: ${unexpected.join(', ') || 'none'}`,
    )
  }
  const common = [...own].filter(([path]) => state.has(path))
  for (const [path, tensor] of common) {
    checkAssignable('loadStateDict', path, tensor, state.get(path)!)
  }
  for (const [path, tensor] of common) tensor.assign(state.get(path)!.data)
  return { missing, unexpected }
}
