/** The confusion matrix: which classes are taken for which. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { ABOVE_AND_BELOW, axisTitle, BESIDE, labelsBelow, labelsWithin } from './axes.js'
import { chartOptionsOf, type Numbers, numbersOf } from './checks.js'
import { type ChartOptions, describe, draw, drawSized, type Spec } from './draw.js'
import { PALETTE, TEXT } from './theme.js'

/** Settings of `confusionMatrix`. */
export interface ConfusionOptions extends ChartOptions {
  /** Names of the classes; by default 0, 1, 2 and so on. */
  classes?: readonly string[]
}

/**
 * How many examples of each class were taken for which one: hits blue, mistakes orange, the darker
 * the more of them. Without a width and a height the picture is as large as the classes need.
 * @param actual the class of each example, from 0
 * @param predicted what it was taken for
 * @throws ShapeError when they differ in length, ArgumentError when one is no class or two
 *   classes have one name
 * @example
 * await confusionMatrix(test.targets, predictedClasses(logits), { classes: test.classes })
 */
export async function confusionMatrix(
  actual: Numbers,
  predicted: Numbers,
  given: ConfusionOptions = {},
): Promise<string> {
  const op = 'confusionMatrix'
  const options = chartOptionsOf(op, given, { classes: true })
  const { classes = [] } = options
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string')) {
    throw new ArgumentError(`plot.${op}: expected classes as names, got ${excerpt(classes)}`)
  }
  const counts = countPairs(
    numbersOf(op, 'actual classes', actual),
    numbersOf(op, 'predicted classes', predicted),
    options.classes?.length,
  )
  if (new Set(options.classes).size !== (options.classes?.length ?? 0)) {
    throw new ArgumentError(
      `plot.${op}: expected a name of its own for each class, got ${excerpt(options.classes)}`,
    )
  }
  const names = options.classes ?? counts.map((_, label) => `${label}`)
  const values = counts.flatMap((row, i) =>
    row.map((count, j) => ({ actual: names[i], predicted: names[j], count, hit: i === j })),
  )
  const most = (hit: boolean) =>
    Math.max(0, ...values.filter((cell) => cell.hit === hit).map(({ count }) => count))
  const { picture, labelsX, labelsY } = layOut(names, options)
  const sized = { ...options, ...picture }
  const position = {
    x: {
      field: 'predicted',
      type: 'nominal',
      title: axisTitle('x', sized, 'predicted class'),
      sort: names,
      axis: { orient: 'bottom', ...labelsX },
    },
    y: {
      field: 'actual',
      type: 'nominal',
      title: axisTitle('y', sized, 'actual class'),
      sort: names,
      axis: labelsY,
    },
  }
  const cells = (hit: boolean, color: string): Spec => ({
    transform: [{ filter: `datum.hit === ${hit} && datum.count > 0` }],
    mark: { type: 'rect', color, cornerRadius: 2 },
    encoding: {
      ...position,
      fillOpacity: {
        field: 'count',
        type: 'quantitative',
        scale: { domain: [0, most(hit)], range: [0.05, 0.9] },
        legend: null,
      },
    },
  })
  const spec = {
    description: describe('confusion matrix, actual against predicted class', {}, names),
    data: { values },
    layer: [
      cells(true, PALETTE[0]),
      cells(false, PALETTE[1]),
      {
        mark: { type: 'text', fontSize: 11 },
        encoding: {
          ...position,
          text: { field: 'count', format: ',d' },
          color: {
            condition: {
              test: `datum.count > 0.5 * (datum.hit ? ${most(true)} : ${most(false)})`,
              value: 'white',
            },
            value: TEXT,
          },
          fillOpacity: { condition: { test: 'datum.count > 0', value: 1 }, value: 0.4 },
        },
      },
    ],
    resolve: { scale: { fillOpacity: 'independent' } },
  }
  const step = { width: { step: CELL }, height: { step: CELL } }
  const fixed = options.width !== undefined || options.height !== undefined
  return fixed ? draw(spec, sized) : drawSized({ ...spec, ...step }, sized)
}

/** Width and height of a cell where the picture may be as large as it needs to be. */
const CELL = 36

/** The labels, and the size of the picture, which is a guess where the options do not say it. */
function layOut(names: readonly string[], { width, height }: ConfusionOptions) {
  const room = Math.min(width ?? Infinity, height ?? Infinity) / 3
  const labelsY = labelsWithin(names, room)
  const cells = CELL * names.length
  const beside = labelsY.width + BESIDE
  const step = width === undefined ? CELL : (width - beside) / names.length
  return {
    labelsX: labelsBelow(names, step, room),
    labelsY: labelsY.axis,
    picture: {
      width: width ?? cells + beside,
      height: height ?? cells + labelsY.width + ABOVE_AND_BELOW,
    },
  }
}

const MAX_CLASSES = 50

function countPairs(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  named: number | undefined,
): number[][] {
  const op = 'plot.confusionMatrix'
  if (actual.length !== predicted.length) {
    throw new ShapeError(
      `${op}: expected a prediction per example, got ${predicted.length} for ${actual.length}`,
    )
  }
  if (named !== undefined && !(named <= MAX_CLASSES)) {
    throw new ArgumentError(`${op}: expected at most ${MAX_CLASSES} classes, got ${named}`)
  }
  const limit = named ?? MAX_CLASSES
  let largest = 0
  for (let i = 0; i < actual.length; i++) {
    for (const label of [actual[i], predicted[i]]) {
      if (!Number.isInteger(label) || label < 0 || label >= limit) {
        throw new ArgumentError(`${op}: expected classes in 0..${limit - 1}, got ${label} at ${i}`)
      }
      largest = Math.max(largest, label)
    }
  }
  const size = named ?? largest + 1
  const counts = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  for (let i = 0; i < actual.length; i++) counts[actual[i]][predicted[i]]++
  return counts
}
