/** The values of parameters by their names, as `stateDict` gives them and `loadStateDict` takes them. */
import { types } from 'node:util'
import { ArgumentError, excerpt } from '../base/errors.js'

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
