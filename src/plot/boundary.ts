/** Decision boundaries: what a classifier answers at every point of the plane. */

import { checkFunction } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import type { Module } from '../nn/module.js'
import { concat } from '../ops/layout.js'
import { requireTensor } from '../ops/require.js'
import { fullLike } from '../tensor/allocate.js'
import { tensor } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { axisTitle } from './axes.js'
import { chartOptionsOf, extentOf } from './checks.js'
import { zeroLines } from './contour.js'
import { type ChartOptions, describe, draw, type Spec } from './draw.js'
import { pngUrl } from './png.js'
import { pointsSpec } from './scatter.js'
import { PALETTE, rgb, TEXT } from './theme.js'

/** Settings of `decisionBoundary`. */
export interface BoundaryOptions extends ChartOptions {
  /** What is drawn along x₁, [from, to]; by default the data and a little around them. */
  rangeX?: readonly [number, number]
  /** What is drawn along x₂, [from, to]; by default the data and a little around them. */
  rangeY?: readonly [number, number]
}

/** Places along each axis at which the model is asked. */
const GRID = 120
/** Opacity where the model is certain. */
const CERTAIN = 0.55

/**
 * The probability that a model gives to the classes at each place, the boundaries between them and
 * the examples. The colour of the likeliest class fades to nothing where the model is undecided.
 * @param model logits for a batch of points [n, 2]: a module, or a function on tensors; one logit
 *   per class, or a single one, which is that of the second class against the first
 * @param data labelled points of inputShape [2]
 * @throws ShapeError when inputs are no points or there is not a logit per class, ArgumentError when
 *   targets are no labels or a logit is not finite
 * @example
 * await decisionBoundary(model, data, { x: 'x₁', y: 'x₂' })
 */
export async function decisionBoundary(
  model: Pick<Module, 'forward'> | ((x: Tensor) => Tensor),
  data: Dataset,
  given: BoundaryOptions = {},
): Promise<string> {
  const op = 'decisionBoundary'
  const options = chartOptionsOf(op, given, { rangeX: true, rangeY: true })
  const points = pointsOf(checkDataset(`plot.${op}`, data))
  const rangeX = rangeOf('rangeX', options.rangeX) ?? around(points.map(({ x }) => x))
  const rangeY = rangeOf('rangeY', options.rangeY) ?? around(points.map(({ y }) => y))
  const forward = typeof model === 'function' ? model : (x: Tensor) => model.forward(x)
  const asked = typeof model === 'function' ? model : model?.forward
  checkFunction(`plot.${op}`, 'a module or a function on tensors', asked)
  const logP = ask(forward, rangeX, rangeY, data.classes.length)
  const sized = { height: 400, ...options }
  const x = positionOn('x', axisTitle('x', sized, 'x₁'), rangeX)
  const y = positionOn('y', axisTitle('y', sized, 'x₂'), rangeY)
  const place = { position: { x, y }, rangeX, rangeY }
  const layer = [
    fieldLayer(logP, place),
    boundaryLayer(logP, place),
    { data: { values: points }, ...pointsSpec(data.classes, x, y, options) },
  ]
  const description = describe('decision boundary', sized, data.classes)
  return draw({ description, layer }, sized)
}

type Range = readonly [number, number]

function rangeOf(name: string, range: Range | undefined): Range | undefined {
  if (range === undefined) return undefined
  const [from, to] = Array.isArray(range) ? range : [Number.NaN, Number.NaN]
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return range
  throw new ArgumentError(
    `plot.decisionBoundary: expected ${name} to be [from, to] in ascending order, got ${excerpt(range)}`,
  )
}

function pointsOf({ inputs, inputShape, scale, targets, classes }: Dataset) {
  if (inputShape.length !== 1 || inputShape[0] !== 2) {
    throw new ShapeError(`plot.decisionBoundary: expected inputs of shape [2], got [${inputShape}]`)
  }
  if (classes.length < 2 || classes.length > PALETTE.length) {
    throw new ArgumentError(
      `plot.decisionBoundary: expected labels of 2 to ${PALETTE.length} classes, got ${classes.length}`,
    )
  }
  return Array.from(targets, (label, i) => ({
    x: scale * inputs[2 * i],
    y: scale * inputs[2 * i + 1],
    series: classes[label],
  }))
}

function around(values: readonly number[]): Range {
  const { low, high } = extentOf([values])
  const margin = 0.15 * (high - low) || 1
  return [low - margin, high + margin]
}

function positionOn(field: string, title: string[], domain: Range): Spec {
  return { field, type: 'quantitative', title, scale: { domain, nice: false } }
}

/** Logarithms of the probabilities [row, column, class] from the top left on. */
function ask(
  forward: (x: Tensor) => Tensor,
  [left, right]: Range,
  [bottom, top]: Range,
  classes: number,
): Float32Array {
  const places = new Float32Array(2 * GRID * GRID)
  for (let i = 0; i < GRID * GRID; i++) {
    const row = Math.floor(i / GRID)
    places[2 * i] = left + ((right - left) * (i % GRID)) / (GRID - 1)
    places[2 * i + 1] = top - ((top - bottom) * row) / (GRID - 1)
  }
  return noGrad(() =>
    scope(() => {
      const logits = forward(tensor(places, [GRID * GRID, 2]))
      requireTensor('plot.decisionBoundary', logits)
      const [n, outputs = 0] = logits.shape
      const binary = outputs === 1 && classes === 2
      if (n !== GRID * GRID || logits.shape.length !== 2 || (outputs !== classes && !binary)) {
        throw new ShapeError(
          `plot.decisionBoundary: expected logits [n, ${classes}] for points [n, 2], got [${logits.shape.join(', ')}]`,
        )
      }
      const both = binary ? concat([fullLike(logits, 0), logits], 1) : logits
      const values = both.logSoftmax(-1).data()
      const wrong = values.find((value) => !Number.isFinite(value))
      if (wrong === undefined) return values
      throw new ArgumentError(`plot.decisionBoundary: expected finite logits, got ${wrong}`)
    }),
  )
}

/** Where each of the grid's images and lines lies. */
interface Place {
  position: Record<'x' | 'y', Spec>
  rangeX: Range
  rangeY: Range
}

function fieldLayer(logP: Float32Array, { position, rangeX, rangeY }: Place): Spec {
  const classes = logP.length / (GRID * GRID)
  const colours = PALETTE.map(rgb)
  const url = pngUrl(GRID, GRID, (row, column) => {
    const i = (row * GRID + column) * classes
    const at = logP.subarray(i, i + classes)
    const largest = Math.max(...at)
    const certainty = (Math.exp(largest) - 1 / classes) / (1 - 1 / classes)
    return [...colours[at.indexOf(largest)], 255 * CERTAIN * certainty]
  })
  return {
    data: { values: [{ url, x: rangeX[0], x2: rangeX[1], y: rangeY[1], y2: rangeY[0] }] },
    mark: { type: 'image', aspect: false },
    encoding: {
      ...position,
      x2: { field: 'x2' },
      y2: { field: 'y2' },
      url: { field: 'url', type: 'nominal' },
    },
  }
}

/** Where the likeliest class changes. */
function boundaryLayer(logP: Float32Array, { position, rangeX, rangeY }: Place): Spec {
  const classes = logP.length / (GRID * GRID)
  const onX = (column: number) => rangeX[0] + ((rangeX[1] - rangeX[0]) * column) / (GRID - 1)
  const onY = (row: number) => rangeY[1] - ((rangeY[1] - rangeY[0]) * row) / (GRID - 1)
  const values = Array.from({ length: classes - 1 }, (_, label) =>
    zeroLines(GRID, GRID, (column, row) => {
      const i = (row * GRID + column) * classes
      const others = logP.subarray(i, i + classes).filter((_, other) => other !== label)
      return logP[i + label] - Math.max(...others)
    }).map(([x, y, x2, y2]) => ({ x: onX(x), y: onY(y), x2: onX(x2), y2: onY(y2) })),
  )
  return {
    data: { values: values.flat() },
    mark: { type: 'rule', color: TEXT, strokeWidth: 1.5, strokeCap: 'round' },
    encoding: { ...position, x2: { field: 'x2' }, y2: { field: 'y2' } },
  }
}
