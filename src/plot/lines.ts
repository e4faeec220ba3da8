/** Line charts and learning curves. */
import { isKeyOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import type { SeriesPoint } from '../monitor/monitor.js'
import type { EpochReport } from '../training/report.js'
import { axis, legendOf } from './axes.js'
import { chartOptionsOf, entriesOf, type NamedSeries, type Point, pointsOf } from './checks.js'
import { type ChartOptions, describe, draw, type Spec } from './draw.js'
import { PALETTE, TEXT } from './theme.js'

/** With more points than this on a curve they are no longer marked. */
const MARKED = 30

/**
 * A curve per series, with a colour of its own; from the 9th on colours return with dashes.
 * @param series numbers by name, at 1, 2, 3 and so on, or `{ x, y }`
 * @throws ArgumentError when there is nothing to draw, or a number is not finite or, on a
 *   logarithmic axis, not > 0; ShapeError when x and y differ in length
 * @example
 * await lines({ sigmoid: { x: depths, y: norms } }, { x: 'layer', y: 'gradient norm', logY: true })
 */
export async function lines(series: NamedSeries, given: ChartOptions = {}): Promise<string> {
  const options = chartOptionsOf('lines', given, {})
  return drawLines(pointsOf('lines', series, options), options)
}

/**
 * A curve per layer over the training steps.
 * @param points a series of a `Monitor`
 * @throws ArgumentError as `lines`
 * @example
 * await layerCurves(monitor.series('gradientNorm'), { y: 'gradient norm', logY: true })
 */
export async function layerCurves(
  points: readonly SeriesPoint[],
  given: ChartOptions = {},
): Promise<string> {
  const op = 'layerCurves'
  const options = chartOptionsOf(op, given, {})
  if (!Array.isArray(points)) {
    throw new ArgumentError(`plot.${op}: expected a monitor's series, got ${excerpt(points)}`)
  }
  const layers: Record<string, { x: number[]; y: number[] }> = {}
  for (const point of points as readonly SeriesPoint[]) {
    const { layer, step, value } = point ?? {}
    const { x, y } = (layers[layer] ??= { x: [], y: [] })
    x.push(step)
    y.push(value)
  }
  return drawLines(pointsOf(op, layers, options), { x: 'step', y: 'value', ...options })
}

/** Settings of `learningCurves`. */
export interface LearningCurveOptions extends ChartOptions {
  /**
   * `loss` of training and, where there is any, validation (the default), or the validation
   * `accuracy` in %.
   */
  metric?: 'loss' | 'accuracy'
}

/** What `fit` returns, or as much of it as there is. */
export interface Curve {
  /** The reports of `fit`. */
  epochs: readonly Pick<EpochReport, 'epoch' | 'loss' | 'validationLoss' | 'validationAccuracy'>[]
  /** Marked where it is not the last epoch. */
  bestEpoch?: number
}

/**
 * The progress of one training run or, by name, of several. A single run has a colour for training and
 * one for validation; of several, each has its own colour, and its validation is dashed.
 * @param runs what `fit` returned
 * @throws ArgumentError for another metric, when there is no epoch, or no validation accuracy where it
 * is asked for
 * @example
 * await learningCurves(await fit(model, data, options), { logY: true })
 */
export async function learningCurves(
  runs: Curve | Readonly<Record<string, Curve>>,
  given: LearningCurveOptions = {},
): Promise<string> {
  const op = 'learningCurves'
  const options = chartOptionsOf(op, given, { metric: true })
  const { metric = 'loss', ...chart } = options
  if (!isKeyOf(metrics, metric)) {
    throw new ArgumentError(`plot.${op}: expected metric loss or accuracy, got ${excerpt(metric)}`)
  }
  const named = isCurve(runs) ? { '': runs } : runs
  const points = entriesOf(op, 'runs', named).flatMap(([run, curve]) => {
    if (!isCurve(curve)) {
      throw new ArgumentError(`plot.${op}: expected { epochs } of ${run}, got ${excerpt(curve)}`)
    }
    return partsOf(curve, metric).flatMap(({ part, x, y }) =>
      pointsOf(op, { [run || part]: { x, y } }, chart).map((point) => ({ ...point, part })),
    )
  })
  if (points.length === 0) {
    throw new ArgumentError(
      `plot.${op}: expected epochs with ${metric === 'loss' ? 'a loss' : 'a validation accuracy'}, got none`,
    )
  }
  const y = metric === 'loss' ? 'loss' : 'validation accuracy (%)'
  const marked = isCurve(runs) && runs.bestEpoch !== runs.epochs.at(-1)?.epoch
  return drawLines(points, { x: 'epoch', y, ...chart }, marked ? runs.bestEpoch : undefined)
}

function isCurve(value: unknown): value is Curve {
  const epochs: unknown = (value as Curve | null)?.epochs
  return (
    Array.isArray(epochs) && epochs.every((epoch) => typeof epoch === 'object' && epoch !== null)
  )
}

type Epoch = Curve['epochs'][number]
const PARTS = ['training', 'validation'] as const
type Part = (typeof PARTS)[number]

const metrics: Record<string, Partial<Record<Part, (epoch: Epoch) => number | undefined>>> = {
  loss: { training: ({ loss }) => loss, validation: ({ validationLoss }) => validationLoss },
  accuracy: {
    validation: ({ validationAccuracy }) => validationAccuracy && 100 * validationAccuracy,
  },
}

/** The curves that a run has been measured for. */
function partsOf({ epochs }: Curve, metric: string) {
  const x = epochs.map(({ epoch }) => epoch)
  return Object.entries(metrics[metric])
    .map(([part, of]) => ({ part, x, y: epochs.map((epoch) => of(epoch) ?? Number.NaN) }))
    .filter(({ y }) => !y.every(Number.isNaN))
}

interface Dashable extends Point {
  part?: string
}

/** Curves through checked points. */
export function drawLines(
  points: Dashable[],
  options: ChartOptions,
  best?: number,
): Promise<string> {
  const names = [...new Set(points.map(({ series }) => series))]
  const dashed = names.some(
    (name) =>
      new Set(points.filter(({ series }) => series === name).map(({ part }) => part)).size > 1,
  )
  const position = {
    x: axis(
      'x',
      points.map(({ x }) => x),
      options,
    ),
    y: axis(
      'y',
      points.map(({ y }) => y),
      options,
    ),
  }
  const bySeries = { field: 'series', type: 'nominal', sort: names }
  const legend = legendOf(names, options, dashed ? PARTS : [])
  const color = { ...bySeries, scale: { domain: names }, legend }
  const curves = {
    mark: { type: 'line' },
    encoding: {
      ...position,
      color,
      ...(dashed && { strokeDash: { field: 'part', type: 'nominal', sort: PARTS } }),
      ...(names.length > PALETTE.length && again(dashed ? 'strokeWidth' : 'strokeDash', color)),
    },
  }
  const marks = {
    // An encoding would add them to the legend.
    mark: { type: 'circle', size: 25, opacity: 1, color: { expr: "scale('color', datum.series)" } },
    encoding: position,
  }
  const layer: Spec[] = [
    curves,
    ...(points.length / names.length <= MARKED ? [marks] : []),
    ...(best === undefined ? [] : [markerAt(best)]),
  ]
  const description = describe('line chart', options, names)
  return draw({ description, data: { values: points }, layer }, options)
}

/** What tells curves of one colour apart, where there are more curves than colours. */
const AGAIN = {
  strokeDash: [
    [1, 0],
    [6, 3],
    [2, 2],
    [10, 3, 2, 3],
  ],
  // Where dashes mean validation.
  strokeWidth: [2, 4, 1, 3],
}

function again(channel: keyof typeof AGAIN, color: Spec & { sort: readonly string[] }): Spec {
  const styles = AGAIN[channel]
  const range = color.sort.map((_, i) => styles[Math.floor(i / PALETTE.length) % styles.length])
  return { [channel]: { ...color, scale: { type: 'ordinal', domain: color.sort, range } } }
}

/** A dashed line where the weights that were kept are from. */
function markerAt(best: number): Spec {
  const at = { x: { datum: best, type: 'quantitative' } }
  return {
    data: { values: [{}] },
    layer: [
      { mark: { type: 'rule', color: TEXT, strokeDash: [4, 3] }, encoding: at },
      {
        mark: { type: 'text', text: 'kept', color: TEXT, align: 'left', dx: 4, y: 10 },
        encoding: at,
      },
    ],
  }
}
