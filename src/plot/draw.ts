/** From a chart in vega-lite's words to SVG. */
import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { extentOf } from './checks.js'
import { BOLD, theme } from './theme.js'

interface TextMetrics {
  width(item: { fontSize?: number }, text: unknown): number
  estimateWidth: unknown
}

// Without a canvas vega takes every letter for 0.8 of its height wide, and leaves gaps.
const { textMetrics } = vega as unknown as { textMetrics: TextMetrics }
if (textMetrics.width === textMetrics.estimateWidth) {
  textMetrics.width = ({ fontSize = 11 }, text) => widthOf(`${text ?? ''}`, fontSize)
}

const LETTER = 0.62

function widthOf(text: string, fontSize: number): number {
  return LETTER * fontSize * text.length
}

function widest(texts: readonly string[], fontSize: number): number {
  return Math.max(...texts.map((text) => widthOf(text, fontSize)))
}

/** Letters that a line has room for at least. */
const SHORTEST = 12

/** Text in lines that are no wider than asked; only words that are wider still are parted. */
function linesOf(text: string, fontSize: number, width: number): string[] {
  const most = Math.max(SHORTEST, Math.floor(width / (LETTER * fontSize)))
  const line = new RegExp(`(?!\\s).{1,${most}}(?!\\S)|\\S{1,${most}}`, 'gu')
  return text.match(line) ?? ['']
}

/** What every chart takes. Axis titles should name the unit: `'time (s)'`. */
export interface ChartOptions {
  title?: string
  subtitle?: string
  /** Title of the horizontal axis. */
  x?: string
  /** Title of the vertical axis. */
  y?: string
  /** Of the whole picture, in pixels; 480 by default. */
  width?: number
  /** Of the whole picture, in pixels; 300 by default. */
  height?: number
  /** Whether the axis is logarithmic; all values must be > 0 then. */
  logX?: boolean
  logY?: boolean
}

/** A vega-lite specification, or a part of one. */
export type Spec = Record<string, unknown>

export const WIDTH = 480
export const HEIGHT = 300

/** Draws a chart of the size that the options ask for. */
export function draw(spec: Spec, options: ChartOptions) {
  const { width = WIDTH, height = HEIGHT } = options
  const autosize = { type: 'fit', contains: 'padding' }
  return drawSized({ ...spec, width, height, autosize }, options)
}

/** Draws a chart whose panels have sizes of their own; its title is as wide as the options say. */
export async function drawSized(
  spec: Spec,
  { title, subtitle, width = WIDTH }: ChartOptions,
): Promise<string> {
  const { fontSize, subtitleFontSize } = theme.title
  const room = width - 2 * theme.padding
  const text = linesOf(title ?? '', BOLD * fontSize, room)
  const heading = (title ?? subtitle) && {
    title: { text, subtitle: subtitle && linesOf(subtitle, subtitleFontSize, room) },
  }
  const full = { ...heading, ...spec, config: theme }
  const { spec: compiled } = compile(full as unknown as TopLevelSpec)
  const svg = await new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG()
  const label = escapeXml([title, subtitle].filter(Boolean).join('. ') || 'chart')
  return renumbered(svg).replace('<svg ', `<svg role="img" aria-label="${label}" `)
}

/** Vega counts the ids of gradients and clips on from chart to chart. */
function renumbered(svg: string): string {
  const seen: string[] = []
  return svg.replace(/(?<=\bid="|url\(#)[^")]+/g, (id) => {
    if (!seen.includes(id)) seen.push(id)
    return `id${seen.indexOf(id)}`
  })
}

/** Text as it may stand in XML and HTML. */
export function escapeXml(text: string): string {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (letter) => entities[letter as keyof typeof entities])
}

/**
 * The legend of some names, in several rows where one would be too wide; null for a single name.
 * @param beside names of another legend
 */
export function legendOf(
  names: readonly string[],
  { width = WIDTH }: ChartOptions,
  beside: readonly string[] = [],
): Spec | null {
  if (names.length === 1) return null
  const widthsOf = (all: readonly string[]) =>
    all.map((name) => widthOf(name, theme.legend.labelFontSize) + SYMBOL)
  const sum = (widths: readonly number[]) => widths.reduce((total, one) => total + one, 0)
  const widths = widthsOf(names)
  const room = width - BESIDE - sum(widthsOf(beside))
  if (sum(widths) <= room) return {}
  return { columns: Math.max(1, Math.floor(room / Math.max(...widths))) }
}

/** Letters of a category's name that are shown at most where names are cut off. */
const SHOWN = 20

/** Labels of categories, cut off where they take more room than there is, and their width. */
export function labelsWithin(names: readonly string[], room = Infinity) {
  const { labelFontSize } = theme.axis
  const most = Math.max(4, Math.min(SHOWN, Math.floor(room / (LETTER * labelFontSize))))
  return {
    width: widest(
      names.map((name) => name.slice(0, most)),
      labelFontSize,
    ),
    axis: { labelAngle: 0, labelExpr: `truncate(datum.label, ${most})`, labelLimit: 0 },
  }
}

/**
 * Labels of categories below a plot.
 * @param step pixels of each category; where labels are wider they are slanted, and cut off at `room`
 */
export function labelsBelow(names: readonly string[], step: number, room?: number): Spec {
  if (widest(names, theme.axis.labelFontSize) + 4 <= step) return { labelAngle: 0, labelLimit: 0 }
  return { ...labelsWithin(names, room).axis, labelAngle: step < 17 ? -90 : -45 }
}

/** Width of a legend's symbol and of the gap after the label. */
const SYMBOL = 28
/** Width of what is beside the plot. */
export const BESIDE = 60

/** Height of what is above and below the plot, without the chart's title. */
export const ABOVE_AND_BELOW = 80

/** The title of an axis that is as long as the plot, about. */
export function axisTitle(
  axis: 'x' | 'y',
  options: ChartOptions,
  otherwise: string = axis,
): string[] {
  const { width = WIDTH, height = HEIGHT } = options
  const room = axis === 'x' ? width - BESIDE : height - ABOVE_AND_BELOW
  return linesOf(options[axis] ?? otherwise, theme.axis.titleFontSize, room)
}

/** An axis for rows whose `field` has these values. */
export function axis(field: 'x' | 'y', values: readonly number[], options: ChartOptions): Spec {
  const common = { field, type: 'quantitative', title: axisTitle(field, options) }
  if (field === 'x' ? options.logX : options.logY) return { ...common, ...logarithmic(values) }
  const whole = values.every(Number.isInteger)
  return { ...common, scale: { zero: false }, axis: whole ? { tickMinStep: 1 } : {} }
}

/**
 * Scale and ticks of a logarithmic axis: powers of 10, and over few of them also 2 and 5 times, all
 * written the same way. It ends a little beyond the values and is not rounded out to powers.
 */
export function logarithmic(values: readonly number[]): Spec {
  const { low, high } = extentOf([values])
  const [from, to] = [Math.log10(low), Math.log10(high)]
  const step = Math.ceil((to - from) / 8) || 1
  const digits = to - from < 3 ? [1, 2, 5] : [1]
  const powers = Array.from({ length: 10 }, (_, i) => Math.floor(from) + i * step)
  const ticks = powers
    .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= low && tick <= high)
  // Between two ticks of this kind it is vega that finds some.
  const own = ticks.length > 1
  const shown = own ? ticks : [low, high]
  const plain = shown.every((tick) => tick >= 0.001 && tick <= 100_000)
  const margin = (to - from) / 30 || 1
  return {
    scale: {
      type: 'log',
      nice: false,
      domain: [10 ** (from - margin), Math.min(10 ** (to + margin), Number.MAX_VALUE)],
    },
    axis: {
      labelExpr: plain
        ? "format(datum.value, '~g')"
        : "replace(format(datum.value, '~e'), '+', '')",
      ...(own && { values: ticks }),
    },
  }
}
