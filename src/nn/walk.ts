/** What a module is made of: the parts in its properties, with their paths. */
import { types } from 'node:util'
import { isBranded } from '../base/brand.js'
import { ArgumentError } from '../base/errors.js'
import { isGenerator, type Generator as RandomGenerator } from '../tensor/random.js'
import {
  isModuleBuffer,
  isParameter,
  type ModuleBuffer,
  type Parameter,
  tensorKind,
} from './parameter.js'

/** Modules have a property of this name. */
export const MODULE = Symbol.for('neuroblas.Module')
/** The method of a module whose parts are not those in its properties: their names, and them. */
export const PARTS = Symbol.for('neuroblas.Module.parts')

/** A module, as far as a walk goes. */
interface AnyModule {
  readonly [MODULE]: boolean
}

type Part = Parameter | ModuleBuffer | RandomGenerator | AnyModule
type Parts = Iterable<readonly [path: string, part: Part]>

/** Every part below a module, with its path; one that is held twice comes once. */
export function partsOf(module: object): Parts {
  return walk(module, '', new Set([module]), { enters: () => true, again: false })
}

/** Those that stand in no module below it. */
export function ownPartsOf(module: object): Parts {
  return walk(module, '', new Set([module]), { enters: (item) => !isModule(item), again: false })
}

/** Every path of every part: one that is held twice comes twice. */
export function allPathsOf(module: object): Parts {
  return walk(module, '', new Set([module]), { enters: () => true, again: true })
}

interface Way {
  /** Whether the walk goes on into a module or container. */
  enters(item: object): boolean
  /** Whether it comes to what it was at before, but for what it is in. */
  again: boolean
}

function* walk(
  value: object,
  prefix: string,
  seen: Set<object>,
  way: Way,
): Generator<[path: string, part: Part]> {
  for (const [key, item] of entriesOf(value)) {
    if (isPart(key)) {
      throw new ArgumentError(
        `Module: expected parts of the model as values, got one as a key of ${prefix.slice(0, -1)}`,
      )
    }
    if (typeof item !== 'object' || item === null || seen.has(item)) continue
    const path = prefix + String(key)
    if (!isPart(item)) refuseProxy(path, item)
    const hasParts = isModule(item) || isContainer(item)
    if (!isPart(item) && !hasParts) continue
    seen.add(item)
    if (isPart(item)) yield [path, item]
    if (hasParts && way.enters(item)) yield* walk(item, `${path}.`, seen, way)
    if (way.again) seen.delete(item)
  }
}

function entriesOf(value: object): Iterable<readonly [key: unknown, item: unknown]> {
  if (types.isMap(value)) return value
  if (types.isSet(value)) return [...value].entries()
  if (hasOwnParts(value)) return value[PARTS]()
  // Parts that symbols name, such as fields that nobody else is to see, are parts, too.
  const symbols = Object.getOwnPropertySymbols(value).filter((name) => isEnumerable(value, name))
  const named = symbols.map((name) => [name.description, value[name as keyof object]] as const)
  return [...Object.entries(value), ...named]
}

function hasOwnParts(
  value: object,
): value is { [PARTS](): Iterable<readonly [string, AnyModule]> } {
  return isModule(value) && PARTS in value
}

function isEnumerable(value: object, name: symbol): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, name)
}

function isPart(item: unknown): item is Part {
  return isParameter(item) || isModuleBuffer(item) || isModule(item) || isGenerator(item)
}

/** Whether it is a module, also one of another copy of the library. */
export function isModule(value: unknown): value is AnyModule {
  return isBranded(value, MODULE)
}

/** A tensor behind a Proxy, as stores that watch objects make them, cannot be trained. */
function refuseProxy(path: string, item: object): void {
  const kind = types.isProxy(item) ? tensorKind(item) : undefined
  if (kind === undefined) return
  throw new ArgumentError(
    `Module: expected a ${kind} at ${path}, got a Proxy of one; keep the model out of what wraps it`,
  )
}

/** Arrays, maps, sets, and objects without a class, of any realm. */
function isContainer(item: object): boolean {
  if (Array.isArray(item) || types.isMap(item) || types.isSet(item)) return true
  const prototype = Object.getPrototypeOf(item)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
