/** How wide text is, about, and its lines. */
import * as vega from 'vega'

interface TextMetrics {
  width(item: { fontSize?: number }, text: unknown): number
  estimateWidth: unknown
}

// Without a canvas vega takes every letter for 0.8 of its height wide, and leaves gaps.
const { textMetrics } = vega as unknown as { textMetrics: TextMetrics }
if (textMetrics.width === textMetrics.estimateWidth) {
  textMetrics.width = ({ fontSize = 11 }, text) => widthOf(`${text ?? ''}`, fontSize)
}

/** Width of a letter in heights, on average. */
export const LETTER = 0.62

export function widthOf(text: string, fontSize: number): number {
  return LETTER * fontSize * text.length
}

export function widest(texts: readonly string[], fontSize: number): number {
  return Math.max(...texts.map((text) => widthOf(text, fontSize)))
}

/** Letters that a line has room for at least. */
const SHORTEST = 12

/** Text in lines that are no wider than asked; only words that are wider still are parted. */
export function linesOf(text: string, fontSize: number, width: number): string[] {
  const most = Math.max(SHORTEST, Math.floor(width / (LETTER * fontSize)))
  const line = new RegExp(`(?!\\s).{1,${most}}(?!\\S)|\\S{1,${most}}`, 'gu')
  return `${text}`.match(line) ?? ['']
}
