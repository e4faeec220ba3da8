/** Bar charts. */
import { axisTitle, BESIDE, labelsBelow, legendOf, logarithmic } from './axes.js'
import { chartOptionsOf, entriesOf, extentOf, numbersOf } from './checks.js'
import { type ChartOptions, describe, draw, HEIGHT, type Spec, WIDTH } from './draw.js'
import { TEXT } from './theme.js'

/** A number per category, by name. */
export type Categories = Readonly<Record<string, number>>

/**
 * A bar per category, or per category and series, side by side.
 * @param data numbers by category, or by series and category; names that are integers come first,
 *   as in every object
 * @throws ArgumentError when there is nothing to draw, or a number is not finite or, on a
 *   logarithmic axis, not > 0
 * @example
 * await bars({ published: { linear: 12 }, measured: { linear: 7.6 } }, { y: 'test error (%)' })
 */
export async function bars(
  data: Categories | Readonly<Record<string, Categories>>,
  given: ChartOptions = {},
): Promise<string> {
  const options = chartOptionsOf('bars', given, {})
  const { width = WIDTH, height = HEIGHT } = options
  const grouped = Object.values(data ?? {}).some((value) => typeof value === 'object')
  const series = grouped
    ? (data as Readonly<Record<string, Categories>>)
    : { '': data as Categories }
  const values = entriesOf('bars', 'series', series).flatMap(([name, numbers]) =>
    entriesOf('bars', `categories${name && ` of ${name}`}`, numbers).map(([category, value]) => {
      numbersOf('bars', category, [value], options.logY)
      return { series: name, category, value }
    }),
  )
  const names = Object.keys(series)
  const categories = [...new Set(values.map(({ category }) => category))]
  // On a logarithmic axis every bar begins below the least value, which can be seen then.
  const { low: least } = extentOf([values.map(({ value }) => value)])
  const base = options.logY ? 10 ** (Math.ceil(Math.log10(least)) - 1) : 0
  const bySeries = { field: 'series', type: 'nominal', sort: names }
  const position = {
    x: {
      field: 'category',
      type: 'nominal',
      title: options.x ? axisTitle('x', options) : null,
      sort: categories,
      axis: labelsBelow(categories, (width - BESIDE) / categories.length, height / 2),
    },
    y: {
      field: 'value',
      type: 'quantitative',
      title: axisTitle('y', options, 'value'),
      stack: null,
      ...(options.logY && logarithmicFrom(base, values)),
    },
    ...(names.length > 1 && { xOffset: bySeries }),
  }
  const color = {
    ...bySeries,
    scale: { domain: names },
    legend: legendOf(names, options),
  }
  const label = { type: 'text', color: TEXT, fontSize: 11, dy: { expr: LABEL_AWAY } }
  return draw(
    {
      description: describe('bar chart', options, names.length > 1 ? names : categories),
      data: { values },
      layer: [
        { mark: { type: 'bar' }, encoding: { ...position, y2: { datum: base }, color } },
        { mark: label, encoding: { ...position, text: { field: 'value', format: '.3~g' } } },
      ],
    },
    options,
  )
}

/** Above a bar that goes up, below one that goes down. */
const LABEL_AWAY = 'datum.value < 0 ? 9 : -7'

function logarithmicFrom(base: number, bars: readonly { value: number }[]): Spec {
  const { axis } = logarithmic([base, ...bars.map(({ value }) => value)])
  return { axis, scale: { type: 'log', nice: false, domainMin: base } }
}
