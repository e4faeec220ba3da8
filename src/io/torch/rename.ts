/** Names of PyTorch's that differ from those here in more than the rules do. */
import { ArgumentError, excerpt, spelled } from '../../base/errors.js'
import { isUnder, joined, type TorchNames } from './names.js'

/**
 * Names that differ: those of PyTorch, or the beginnings of them up to a dot, with what takes their place here
 * (`{ 'features.0': 'conv1' }`, both ways the same), or a function from the names that there are to those that
 * are wanted.
 */
export type TorchRename = Readonly<Record<string, string>> | ((name: string) => string)

/** Prefixes that PyTorch puts before all names of a model that is wrapped: DataParallel, and `compile`. */
const WRAPPERS = ['module', '_orig_mod']

/** The names of a state by what they are called without wrappers, and renamed. */
export function namedAsHere(
  op: string,
  own: TorchNames,
  names: readonly string[],
  rename: TorchRename | undefined,
): Map<string, string> {
  const wrapped = (prefix: string, list: readonly string[]) =>
    list.length > 0 && list.every((name) => name.startsWith(`${prefix}.`))
  let short = [...names]
  for (
    let prefix = WRAPPERS.find((it) => wrapped(it, short));
    prefix !== undefined && !wrapped(prefix, own.names);
    prefix = WRAPPERS.find((it) => wrapped(it, short))
  ) {
    const { length } = prefix
    short = short.map((name) => name.slice(length + 1))
  }
  const change = renaming(op, own, rename, short)
  const renamed = new Map<string, string>()
  for (const [i, name] of short.entries()) {
    const to = change(name)
    if (renamed.has(to)) {
      throw new ArgumentError(
        `${op}: expected rename to keep names apart, got ${to} for ${renamed.get(to)} and ${names[i]}`,
      )
    }
    renamed.set(to, names[i])
  }
  return renamed
}

/**
 * What becomes of a name: of these that PyTorch gave, what it would have given to the model here; without them, the
 * way back.
 */
export function renaming(
  op: string,
  own: TorchNames,
  rename: TorchRename | undefined,
  given?: readonly string[],
): (name: string) => string {
  if (rename === undefined) return (name) => name
  if (typeof rename === 'function') return (name) => textFrom(op, name, rename(name))
  const pairs = pairsOf(op, rename, own).map(([theirs, ours]) =>
    given ? ([theirs, ours] as const) : ([ours, theirs] as const),
  )
  const names = given ?? own.names
  for (const [from] of pairs) {
    if (names.some((name) => isUnder(name, from))) continue
    throw new ArgumentError(
      `${op}: expected rename to ${given ? "begin with names of PyTorch's" : 'lead to names of this model'}, such as ${names[0] ?? 'none'}, got ${spelled(from)}`,
    )
  }
  return (name) => replaced(name, pairs)
}

/** Beginnings of names in PyTorch, with those that it would have given here. */
function pairsOf(
  op: string,
  rename: Readonly<Record<string, string>>,
  own: TorchNames,
): (readonly [theirs: string, ours: string])[] {
  if (typeof rename !== 'object' || rename === null || Array.isArray(rename)) {
    throw new ArgumentError(
      `${op}: expected rename as { 'name in PyTorch': 'name here' } or a function, got ${excerpt(rename)}`,
    )
  }
  return Object.entries(rename).map(([theirs, ours]) => {
    const text = textFrom(op, theirs, ours)
    return [theirs, own.has(text) ? own.nameOf(text) : text]
  })
}

function textFrom(op: string, name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new ArgumentError(`${op}: expected a name for ${name} from rename, got ${excerpt(value)}`)
}

/** A name with the longest of these beginnings in exchange. */
function replaced(name: string, pairs: readonly (readonly [from: string, to: string])[]): string {
  const [from, to] = pairs
    .filter(([from]) => isUnder(name, from))
    .reduce((best, pair) => (pair[0].length >= best[0].length ? pair : best), ['', ''] as readonly [
      string,
      string,
    ])
  if (from === '') return joined(to, name)
  return joined(to, name.slice(from.length + 1))
}
