/** Which classes are taken for which. */
import { ArgumentError, ShapeError } from '../errors.js'
import { checkSize, type Numbers, numbersOf } from './checks.js'
import { type ChartOptions, draw, type Spec } from './draw.js'
import { PALETTE, TEXT } from './theme.js'

export interface ConfusionOptions extends ChartOptions {
  /** Names of the classes; by default 0, 1, 2 and so on. */
  classes?: readonly string[]
}

/**
 * How many examples of each class were taken for which one: hits blue, mistakes orange, the darker
 * the more of them.
 * @param actual the class of each example, from 0
 * @param predicted what it was taken for
 * @throws ShapeError when they differ in length, ArgumentError when one is no class
 * @example
 * await confusionMatrix(test.targets, predictedClasses(logits), { classes: test.classes })
 */
export async function confusionMatrix(
  actual: Numbers,
  predicted: Numbers,
  options: ConfusionOptions = {},
): Promise<string> {
  const op = 'confusionMatrix'
  checkSize(op, options)
  const counts = countPairs(
    numbersOf(op, 'actual classes', actual),
    numbersOf(op, 'predicted classes', predicted),
    options.classes?.length,
  )
  const names = options.classes ?? counts.map((_, label) => `${label}`)
  const values = counts.flatMap((row, i) =>
    row.map((count, j) => ({ actual: names[i], predicted: names[j], count, hit: i === j })),
  )
  const most = (hit: boolean) =>
    Math.max(0, ...values.filter((cell) => cell.hit === hit).map(({ count }) => count))
  const side = 36 * names.length + 110
  const nominal = (field: string, title: string, more: Spec = {}) => ({
    field,
    type: 'nominal',
    title,
    sort: names,
    axis: { labelAngle: 0, ...more },
  })
  const position = {
    x: nominal('predicted', options.x ?? 'predicted class', { orient: 'bottom' }),
    y: nominal('actual', options.y ?? 'actual class'),
  }
  const cells = (hit: boolean, color: string): Spec => ({
    transform: [{ filter: `datum.hit === ${hit} && datum.count > 0` }],
    mark: { type: 'rect', color, cornerRadius: 2 },
    encoding: {
      ...position,
      opacity: {
        field: 'count',
        type: 'quantitative',
        scale: { domain: [0, most(hit)], range: [0.05, 0.9] },
        legend: null,
      },
    },
  })
  return draw(
    {
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
            opacity: { condition: { test: 'datum.count > 0', value: 1 }, value: 0.4 },
          },
        },
      ],
      resolve: { scale: { opacity: 'independent' } },
    },
    { width: side, height: side - 20, ...options },
  )
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
