/** Scatter plots. */
import { axis, legendOf } from './axes.js'
import { chartOptionsOf, type NamedSeries, pointsOf } from './checks.js'
import { type ChartOptions, describe, draw, type Spec } from './draw.js'

/**
 * The points of each series in a colour and a shape of its own.
 * @param series `{ x, y }` by name
 * @throws ArgumentError when there is no point, or a number is not finite; ShapeError when x and y
 *   differ in length
 */
export async function scatter(series: NamedSeries, given: ChartOptions = {}): Promise<string> {
  const options = chartOptionsOf('scatter', given, {})
  const values = pointsOf('scatter', series, options)
  const x = axis(
    'x',
    values.map(({ x }) => x),
    options,
  )
  const y = axis(
    'y',
    values.map(({ y }) => y),
    options,
  )
  const names = Object.keys(series)
  const description = describe('scatter plot', options, names)
  return draw({ description, data: { values }, ...pointsSpec(names, x, y, options) }, options)
}

/** One fewer than colours, so that no pair of both returns soon. */
const SHAPES = [
  'circle',
  'square',
  'cross',
  'diamond',
  'triangle-up',
  'triangle-down',
  'triangle-right',
]

/** Marks for rows of x, y and series. */
export function pointsSpec(
  names: readonly string[],
  x: Spec,
  y: Spec,
  options: ChartOptions,
): Spec {
  const bySeries = {
    field: 'series',
    type: 'nominal',
    sort: names,
    scale: { domain: names },
    legend: legendOf(names, options),
  }
  return {
    mark: { type: 'point', filled: true, size: 45, opacity: 1, stroke: 'white', strokeWidth: 0.7 },
    encoding: {
      x,
      y,
      color: bySeries,
      shape: { ...bySeries, scale: { domain: names, range: SHAPES } },
    },
  }
}
