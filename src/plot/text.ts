/** Estimates how wide text is, and breaks it into lines. */

/** Width of a letter in heights, on average. */
export const LETTER = 0.62

export function widthOf(text: string, fontSize: number): number {
  return LETTER * fontSize * text.length
}

export function widest(texts: readonly string[], fontSize: number): number {
  return texts.reduce((most, text) => Math.max(most, widthOf(text, fontSize)), 0)
}

/** Letters that a line has room for at least. */
const SHORTEST = 12

/** Text in lines that are no wider than asked; only words that are wider still are parted. */
export function linesOf(text: string, fontSize: number, width: number): string[] {
  const most = Math.max(SHORTEST, Math.floor(width / (LETTER * fontSize)))
  const line = new RegExp(`(?!\\s).{1,${most}}(?!\\S)|\\S{1,${most}}`, 'gu')
  return `${text}`.match(line) ?? ['']
}

type WidthOf = (item: { fontSize?: number }, text: unknown) => number

/** What vega measures text by: one for all who use it in this process. */
export interface TextMetrics {
  width: WidthOf
  readonly estimateWidth: WidthOf
}

/** A view of vega, as far as its types leave it out. */
export interface Evaluated {
  evaluate(...args: unknown[]): Promise<unknown>
}

/**
 * Has a view lay its text out by `widthOf`: without a canvas vega takes every letter for 0.8 of its
 * height wide, and leaves gaps. Others who draw with vega keep its widths, because ours are there only
 * while `evaluate` runs, which lays everything out before it waits for anything.
 */
export function useOwnWidths(view: Evaluated, metrics: TextMetrics): void {
  if (metrics.width !== metrics.estimateWidth) return
  const evaluate = view.evaluate.bind(view)
  view.evaluate = (...args) => {
    const before = metrics.width
    metrics.width = ({ fontSize = 11 }, text) => widthOf(`${text ?? ''}`, fontSize)
    try {
      return evaluate(...args)
    } finally {
      metrics.width = before
    }
  }
}
