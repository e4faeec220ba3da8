/** From a chart in vega-lite's words to SVG. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { theme } from './theme.js'

/** What every chart takes. Axis titles should name the unit: `'time (s)'`. */
export interface ChartOptions {
  title?: string
  subtitle?: string
  /** Title of the horizontal axis. */
  x?: string
  /** Title of the vertical axis. */
  y?: string
  /** Of the whole picture, in pixels; 560 by default. */
  width?: number
  /** Of the whole picture, in pixels; 340 by default. */
  height?: number
  /** Whether the axis is logarithmic; all values must be > 0 then. */
  logX?: boolean
  logY?: boolean
}

/** A vega-lite specification, or a part of one. */
export type Spec = Record<string, unknown>

export const WIDTH = 560
export const HEIGHT = 340

/** Draws a chart of the size that the options ask for. */
export function draw(spec: Spec, { width = WIDTH, height = HEIGHT, ...rest }: ChartOptions) {
  return drawSized({ ...spec, width, height, autosize: { type: 'fit', contains: 'padding' } }, rest)
}

/** Draws a chart whose panels have sizes of their own. */
export async function drawSized(spec: Spec, { title, subtitle }: ChartOptions): Promise<string> {
  const heading = (title ?? subtitle) && { title: { text: title ?? '', subtitle } }
  const full = { ...heading, ...spec, config: theme }
  const { spec: compiled } = compile(full as unknown as TopLevelSpec)
  return new View(parse(compiled), { renderer: 'none' }).toSVG()
}

/** An axis with numbers on it. */
export function axis(field: string, title: string, log = false): Spec {
  return {
    field,
    type: 'quantitative',
    title,
    scale: log ? { type: 'log' } : { zero: false },
    ...(log && { axis: { format: '~g' } }),
  }
}
