/** Parses numbers, and quotes text for messages and pages. */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** A plain decimal number; NaN for everything else that Number() would take ('', 0x10, Infinity). */
export function parseNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN
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
