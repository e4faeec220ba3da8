/** Parses numbers and JSON, and quotes text for messages and pages. */
import { ArgumentError, excerpt } from './errors.js'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** A plain decimal number; NaN for everything else that Number() would take ('', 0x10, Infinity). */
export function parseNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN
}

/** Objects and lists inside each other, in text of this library. */
const DEEPEST = 64

/**
 * What JSON text says. Unlike JSON.parse it refuses values nested so deep that what walks them would
 * have no stack left.
 * @throws SyntaxError
 */
export function parseJson(
  text: string,
  revive?: (key: string, value: unknown) => unknown,
): unknown {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const mark = text[i]
    if (inString) {
      if (mark === '\\') i++
      else if (mark === '"') inString = false
    } else if (mark === '"') inString = true
    else if (mark === '[' || mark === '{') depth++
    else if (mark === ']' || mark === '}') depth--
    if (depth > DEEPEST) throw new SyntaxError(`values nested more than ${DEEPEST} deep`)
  }
  return JSON.parse(text, revive)
}

/** A value as JSON text. @throws ArgumentError for what has none, such as a circle */
export function toJson(what: string, value: unknown): string {
  try {
    const text = JSON.stringify(value)
    if (text !== undefined) return text
  } catch {
    // It is named below.
  }
  throw new ArgumentError(
    `${what}: expected numbers, text, lists and objects, got ${excerpt(value)}`,
  )
}

/** A value from outside as it can stand in a line of its own. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** Text as it may stand in XML and HTML. */
export function escapeXml(text: string): string {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (letter) => entities[letter as keyof typeof entities])
}

/** Bytes in the largest binary unit that leaves a whole one: `1.50 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10)))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 2)} ${units[power]}`
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** A power of ten as people write it, such as 10⁻⁷; 1 and 10 as such. */
export function powerOfTen(exponent: number): string {
  if (exponent === 0 || exponent === 1) return `${10 ** exponent}`
  const digits = [...`${Math.abs(exponent)}`].map((digit) => SUPERSCRIPTS[Number(digit)])
  return `10${exponent < 0 ? '⁻' : ''}${digits.join('')}`
}

/** A whole number as people read it. */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

/** Speeds vary more than by their fourth digit. */
export function rate(examplesPerSecond: number): string {
  return perSecond(examplesPerSecond, 1, 'examples')
}

/** So many things in some seconds, as a speed. */
export function perSecond(n: number, seconds: number, what: string): string {
  return `${count(Number((n / seconds).toPrecision(3)))} ${what}/s`
}

/** Enough digits to compare losses of any size. */
export function figure(value: number): string {
  const size = Math.abs(value)
  return size === 0 || (size >= 1e-4 && size < 1e6) ? value.toFixed(4) : value.toExponential(1)
}
