/** Axes, their titles and labels, and legends. */
import { powerOfTen } from '../base/text.js'
import { extentOf } from './checks.js'
import { type ChartOptions, HEIGHT, type Spec, WIDTH } from './draw.js'
import { LETTER, linesOf, widest, widthOf } from './text.js'
import { theme } from './theme.js'

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
  const { high: widestEntry } = extentOf([widths])
  return { columns: Math.max(1, Math.floor(room / widestEntry)) }
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
    axis: { labelAngle: 0, labelExpr: `truncate(datum.label, ${most})` },
  }
}

/**
 * Labels of categories below a plot.
 * @param step pixels of each category; where labels are wider they are slanted, and cut off at `room`
 */
export function labelsBelow(names: readonly string[], step: number, room?: number): Spec {
  if (widest(names, theme.axis.labelFontSize) + 4 <= step) return { labelAngle: 0 }
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
    .flatMap((power) =>
      digits.map((digit) => ({ digit, power, value: Number(`${digit}e${power}`) })),
    )
    .filter(({ value }) => value >= low && value <= high)
  // Between two ticks of this kind it is vega that finds some.
  const own = ticks.length > 1
  const plain = (own ? ticks.map(({ value }) => value) : [low, high]).every(isPlain)
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
        : own
          ? `(${JSON.stringify(Object.fromEntries(ticks.map((tick) => [tick.value, powerLabel(tick)])))})[datum.value]`
          : "replace(format(datum.value, '~e'), '+', '')",
      ...(own && { values: ticks.map(({ value }) => value) }),
    },
  }
}

/** Whether a number is best written without a power of ten. */
const isPlain = (value: number) => value >= 0.001 && value <= 100_000

function powerLabel({ digit, power }: { digit: number; power: number }): string {
  return digit === 1 ? powerOfTen(power) : `${digit} × ${powerOfTen(power)}`
}
