/** Histograms. */
import { ArgumentError, excerpt } from '../base/errors.js'
import { ABOVE_AND_BELOW, axisTitle, logarithmic } from './axes.js'
import { chartOptionsOf, entriesOf, extentOf, type Numbers, numbersOf } from './checks.js'
import { type ChartOptions, describe, draw, drawSized, HEIGHT, type Spec, WIDTH } from './draw.js'

/** Settings of `histograms`. */
export interface HistogramOptions extends ChartOptions {
  /** Bars over the range of all values, at most; 60 by default. */
  bins?: number
}

/** Bars on a logarithmic axis begin here, so that a count of 1 can be seen. */
const BELOW_ONE = 0.7

/**
 * A histogram per series, one above the other over the same bins.
 * @param series numbers by name
 * @throws ArgumentError when there are no numbers, or one is not finite
 * @example
 * await histograms({ L1: sparse.weight, L2: dense.weight }, { x: 'weight' })
 */
export async function histograms(
  series: Readonly<Record<string, Numbers>>,
  given: HistogramOptions = {},
): Promise<string> {
  const op = 'histograms'
  const options = chartOptionsOf(op, given, { bins: true })
  const { bins = 60, width = WIDTH, height = HEIGHT, logY } = options
  if (!Number.isInteger(bins) || bins < 1 || bins > 1000) {
    throw new ArgumentError(`plot.${op}: expected bins from 1 to 1000, got ${excerpt(bins)}`)
  }
  const entries = entriesOf(op, 'series', series).map(
    ([name, values]) => [name, numbersOf(op, name, values)] as const,
  )
  const [low, step, bars] = binsOf(
    entries.map(([, values]) => values),
    bins,
  )
  const high = low + step * bars
  const values = entries.flatMap(([name, numbers]) =>
    [...countsOf(numbers, low, step, bars)].flatMap((count, i) =>
      count === 0 ? [] : [{ series: name, count, x: low + i * step, x2: low + (i + 1) * step }],
    ),
  )
  const names = entries.map(([name]) => name)
  const panel = Math.max(40, (height - 90) / names.length - 24)
  const title = axisTitle('y', { ...options, height: panel + ABOVE_AND_BELOW }, 'count')
  const spec: Spec = {
    mark: { type: 'bar', binSpacing: bars > 100 ? 0 : 0.5 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: axisTitle('x', options, 'value'),
        scale: { domain: [low, high] },
      },
      x2: { field: 'x2' },
      y: { field: 'count', type: 'quantitative', title, ...(logY && countAxis(values)) },
      y2: { datum: logY ? BELOW_ONE : 0 },
      color: { field: 'series', type: 'nominal', scale: { domain: names }, legend: null },
    },
  }
  const description = describe('histogram', { y: 'count', ...options }, names)
  if (names.length === 1) return draw({ description, data: { values }, ...spec }, options)
  return drawSized(
    {
      description,
      data: { values },
      facet: { field: 'series', type: 'nominal', sort: names, title: null },
      columns: 1,
      spacing: 8,
      resolve: { scale: { y: 'independent' } },
      spec: { ...spec, width: width - 80, height: panel },
    },
    options,
  )
}

/** First edge, width and number of the bins; a bin holds as many integers as any other. */
function binsOf(
  all: readonly ArrayLike<number>[],
  bins: number,
): [low: number, step: number, bars: number] {
  const { low, high } = extentOf(all)
  if (all.every((values) => Array.from(values).every(Number.isInteger))) {
    const step = Math.ceil((high - low + 1) / bins)
    return [low - 0.5, step, Math.ceil((high - low + 1) / step)]
  }
  if (low < high) return [low, (high - low) / bins, bins]
  const margin = Math.abs(low) / 10
  return [low - margin, (2 * margin) / bins, bins]
}

function countAxis(bars: readonly { count: number }[]): Spec {
  const { axis } = logarithmic([1, ...bars.map(({ count }) => count)])
  return { axis, scale: { type: 'log', domainMin: BELOW_ONE, nice: false } }
}

function countsOf(values: ArrayLike<number>, low: number, step: number, bins: number) {
  const counts = new Uint32Array(bins)
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(Math.floor((values[i] - low) / step), bins - 1)]++
  }
  return counts
}
