/** Checks of arguments and options; from plain JavaScript they can be anything. */
import { ArgumentError, excerpt, spelled } from './errors.js'

/**
 * Refuses what is no object of options, and options that do not exist, instead of ignoring them.
 * @param op what was called, for the message
 * @param known the names of all options there are
 * @throws ArgumentError
 */
export function refuseUnknown(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `${op}: expected one object of options (${known.join(', ')}), got ${kindOf(options)}`,
    )
  }
  // Those that it inherits, too: they would be read.
  for (const name in options) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    throw new ArgumentError(
      near
        ? `${op}: unknown option ${name}; did you mean ${near}?`
        : `${op}: expected options among ${known.join(', ')}, got ${name}`,
    )
  }
}

/**
 * A copy of an object of options, with the arrays in it: each option is read once, and what the caller
 * changes afterwards changes nothing.
 * @param known all options there are
 * @throws ArgumentError as `refuseUnknown`
 */
export function optionsOf<Options extends object>(
  op: string,
  options: Options,
  known: Record<keyof Options, true>,
): Options {
  const names = Object.keys(known) as (keyof Options & string)[]
  refuseUnknown(op, options, names)
  const copy: Partial<Options> = {}
  for (const name of names) {
    const value = options[name]
    if (value === undefined) continue
    copy[name] = (Array.isArray(value) ? [...value] : value) as Options[typeof name]
  }
  return copy as Options
}

/** @throws ArgumentError for what is no whole number from 1 */
export function checkCount(op: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return
  throw new ArgumentError(`${op}: expected ${name} >= 1, got ${excerpt(value)}`)
}

/** @throws ArgumentError for what is neither true nor false */
export function checkFlag(op: string, name: string, value: boolean): void {
  if (typeof value === 'boolean') return
  throw new ArgumentError(`${op}: expected ${name} to be true or false, got ${excerpt(value)}`)
}

/** @throws ArgumentError for what is no function */
export function checkFunction(op: string, what: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new ArgumentError(`${op}: expected ${what}, got ${spelled(value)}`)
}

/** @throws ArgumentError for what is no path of a file */
export function checkPath(op: string, path: string): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return
  throw new ArgumentError(`${op}: expected the path of a file, got ${excerpt(path)}`)
}

/** @throws ArgumentError for what is no loss */
export function checkLoss(op: string, loss: unknown): void {
  checkFunction(op, 'a loss such as softmaxCrossEntropy', loss)
}

/** @throws ArgumentError for arguments beyond those that there are */
export function refuseRest(op: string, rest: readonly unknown[]): void {
  const given = rest.find((value) => value !== undefined)
  if (given === undefined) return
  throw new ArgumentError(`${op}: expected no further argument, got ${excerpt(given)}`)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'function' ? 'a function' : spelled(value)
}

/** The known name that was probably meant: spelled as in Python, or with a third of it mistyped. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replaceAll('_', '').toLowerCase()
  const [closest] = known
    .map((candidate) => ({ candidate, distance: editDistance(plain(name), plain(candidate)) }))
    .filter(({ candidate, distance }) => 3 * distance <= candidate.length)
    .sort((a, b) => a.distance - b.distance)
  return closest?.candidate
}

/** Characters to insert, delete or replace until one text is the other (Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, replaced))
    }
    row = next
  }
  return row[b.length]
}

/** Refuses what is no number, and a number outside a range; `range` is its wording. */
export function checkNumber(
  op: string,
  name: string,
  value: number,
  isRight: (value: number) => boolean,
  range: string,
): void {
  if (typeof value === 'number' && isRight(value)) return
  throw new ArgumentError(`${op}: expected ${name} ${range}, got ${excerpt(value)}`)
}

/** Whether it is the name of one of these. */
export function isKeyOf<T extends object>(known: T, name: unknown): name is keyof T & string {
  return typeof name === 'string' && Object.hasOwn(known, name)
}

/** Whether it is a number, at least the one and below the other. */
export function isWithin(value: unknown, least: number, end: number): value is number {
  return typeof value === 'number' && value >= least && value < end
}

/**
 * Refuses what an asynchronous function returned; its later failure is not reported any more.
 * @param instead what to do, for the message
 */
export function refusePromise<T>(op: string, result: T, instead = ''): T {
  const { then } = (result ?? {}) as Partial<PromiseLike<unknown>>
  if (typeof then !== 'function') return result
  then.call(result, undefined, () => {})
  throw new ArgumentError(
    `${op}: expected a synchronous function, got one that returns a promise${instead}`,
  )
}
