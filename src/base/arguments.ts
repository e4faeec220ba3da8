/** Checks of arguments and options; from plain JavaScript they can be anything. */
import { ArgumentError } from './errors.js'

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
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    throw new ArgumentError(
      near
        ? `${op}: unknown option ${name}; did you mean ${near}?`
        : `${op}: expected options among ${known.join(', ')}, got ${name}`,
    )
  }
}

/** @throws ArgumentError for what is no whole number from 1 */
export function checkCount(op: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return
  throw new ArgumentError(`${op}: expected ${name} >= 1, got ${value}`)
}

/** @throws ArgumentError for what is no loss */
export function checkLoss(op: string, loss: unknown): void {
  if (typeof loss === 'function') return
  throw new ArgumentError(`${op}: expected a loss such as softmaxCrossEntropy, got ${loss}`)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'function' ? 'a function' : String(value)
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

/** Refuses a number outside a range; `range` is its wording. */
export function checkNumber(
  op: string,
  name: string,
  value: number,
  ok: boolean,
  range: string,
): void {
  if (typeof value !== 'number' || !ok) {
    throw new ArgumentError(`${op}: expected ${name} ${range}, got ${String(value)}`)
  }
}

/** Refuses what an asynchronous function returned; its later failure is not reported any more. */
export function refusePromise<T>(op: string, result: T): T {
  const { then } = (result ?? {}) as Partial<PromiseLike<unknown>>
  if (typeof then !== 'function') return result
  then.call(result, undefined, () => {})
  throw new ArgumentError(`${op}: expected a synchronous function, got one that returns a promise`)
}
