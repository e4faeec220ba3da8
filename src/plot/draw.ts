/** Draws a chart, given as a vega-lite specification, as SVG. */
import type * as Vega from 'vega'
import type * as VegaLite from 'vega-lite'
import { loadPackages } from '../base/packages.js'
import { escapeXml } from '../base/text.js'
import { type Evaluated, linesOf, type TextMetrics, useOwnWidths } from './text.js'
import { BOLD, theme } from './theme.js'

/** What every chart takes. Axis titles should name the unit: `'time (s)'`. */
export interface ChartOptions {
  /** Above the chart. */
  title?: string
  /** In smaller letters below the title. */
  subtitle?: string
  /** Title of the horizontal axis. */
  x?: string
  /** Title of the vertical axis. */
  y?: string
  /** Of the whole picture, in pixels; 480 by default. */
  width?: number
  /** Of the whole picture, in pixels; 300 by default. */
  height?: number
  /** Whether the horizontal axis is logarithmic; all its values must be > 0 then. */
  logX?: boolean
  /** Whether the vertical axis is logarithmic; all its values must be > 0 then. */
  logY?: boolean
}

/** A vega-lite specification, or a part of one; its description is read out where there is no title. */
export type Spec = Record<string, unknown>

/** What kind of chart of what, such as `line chart, loss against epoch: training; validation`. */
export function describe(
  kind: string,
  { x, y }: ChartOptions,
  names: readonly string[] = [],
): string {
  const axes = [y, x].filter(Boolean).join(' against ')
  const series = names.filter(Boolean).join('; ')
  return `${kind}${axes && `, ${axes}`}${series && `: ${series}`}`
}

export const WIDTH = 480
export const HEIGHT = 300

/** Draws a chart of the size that the options ask for. */
export function draw(spec: Spec & { description: string }, options: ChartOptions) {
  const { width = WIDTH, height = HEIGHT } = options
  const autosize = { type: 'fit', contains: 'padding' }
  return drawSized({ ...spec, width, height, autosize }, options)
}

/** Draws a chart whose panels have sizes of their own; its title is as wide as the options say. */
export async function drawSized(
  { description, ...spec }: Spec & { description: string },
  { title, subtitle, width = WIDTH }: ChartOptions,
): Promise<string> {
  const { fontSize, subtitleFontSize } = theme.title
  const room = width - 2 * theme.padding
  const text = linesOf(title ?? '', BOLD * fontSize, room)
  const heading = (title ?? subtitle) && {
    title: { text, subtitle: subtitle && linesOf(subtitle, subtitleFontSize, room) },
  }
  const full = { ...heading, ...spec, config: theme }
  const svg = await render(full)
  const label = escapeXml([title, subtitle].filter(Boolean).join('. ') || description)
  return renumbered(svg).replace('<svg ', `<svg role="img" aria-label="${label}" `)
}

async function render(spec: Spec): Promise<string> {
  const [vega, { compile }] = await loadPackages<[typeof Vega, typeof VegaLite]>(
    'plot',
    'vega',
    'vega-lite',
  )
  const { spec: compiled } = compile(spec as unknown as VegaLite.TopLevelSpec)
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' })
  const { textMetrics } = vega as unknown as { textMetrics: TextMetrics }
  useOwnWidths(view as unknown as Evaluated, textMetrics)
  return view.toSVG()
}

/** Vega counts the ids of gradients and clips on from chart to chart. */
function renumbered(svg: string): string {
  const seen: string[] = []
  return svg.replace(/(?<=\bid="|url\(#)[^")]+/g, (id) => {
    if (!seen.includes(id)) seen.push(id)
    return `id${seen.indexOf(id)}`
  })
}
