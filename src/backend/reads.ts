/**
 * What a recording read of its surroundings: whether a layer is being trained, which weights are, which
 * of an optimizer's settings are on. Setters count changes, so that a replay compares one integer; what
 * was read is compared only where that has moved.
 */
import { CaptureError } from '../base/errors.js'

// One per environment: every worker has its own modules.
let changes = 0

/** For setters of what a recording may have read. */
export function noteChange(): void {
  changes++
}

/** How often something was changed that a recording may have read. */
export function changeCount(): number {
  return changes
}

// What a recording could not read as a property.
let structure = 0

/**
 * For what changes what is computed without a property that a recording could have read, such as a function
 * that is called from now on: what was recorded before does not fit any more, whatever it is of.
 */
export function noteRestructured(): void {
  structure++
  noteChange()
}

/** Properties of objects with their values, of lists with what is in them. */
type Values = Map<object, Map<string, unknown>>

/** Properties that were read, or set, by one recording. */
export class Reads {
  readonly #read: Values = new Map()
  /** Set inside, with the value before; what is read afterwards comes from inside. */
  readonly #set: Values = new Map()
  readonly #structure = structure

  /** A property is read. */
  note(of: object, name: string, value: unknown): void {
    if (!this.#set.get(of)?.has(name)) keepFirst(this.#read, of, name, value)
  }

  /** A property is about to be set. */
  noteSet(of: object, name: string, before: unknown): void {
    keepFirst(this.#set, of, name, before)
  }

  /** Whether all that was read is as it was. */
  areSame(): boolean {
    if (this.#structure !== structure) return false
    for (const [of, properties] of this.#read) {
      for (const [name, value] of properties)
        if (!isSame(Reflect.get(of, name), value)) return false
    }
    return true
  }

  /**
   * Puts back what was set inside and left so.
   * @throws CaptureError where there is such a thing: replays would not set it again
   */
  refuseChanges(): void {
    const left: string[] = []
    for (const [of, properties] of this.#set) {
      for (const [name, before] of properties) {
        if (isSame(Reflect.get(of, name), before)) continue
        Reflect.set(of, name, before)
        left.push(name)
      }
    }
    if (left.length === 0) return
    throw new CaptureError(
      `capture: ${left[0]} was set inside and left so, which replays would not repeat; set it outside, or set it back`,
    )
  }
}

function keepFirst(values: Values, of: object, name: string, value: unknown): void {
  let properties = values.get(of)
  if (properties === undefined) values.set(of, (properties = new Map()))
  if (!properties.has(name)) properties.set(name, Array.isArray(value) ? [...value] : value)
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return Object.is(a, b)
  return a.length === b.length && a.every((item, i) => Object.is(item, b[i]))
}
