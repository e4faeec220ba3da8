/**
 * A line search for a point that satisfies the strong Wolfe conditions (Nocedal and Wright 2006, algorithms
 * 3.5 and 3.6), with the safeguards of PyTorch's, which is minFunc's.
 */
import type { Tensor } from '../tensor/tensor.js'

/** A point on the line: its step, its loss, the slope of the loss along the line, and the gradient. */
export interface LinePoint {
  t: number
  loss: number
  slope: number
  gradient: Tensor
}

const ARMIJO = 1e-4
const CURVATURE = 0.9

/** Where the cubic through two points has its minimum, within bounds. */
function cubicMinimum(a: LinePoint, b: LinePoint, bounds?: readonly [number, number]): number {
  const [low, high] = bounds ?? [Math.min(a.t, b.t), Math.max(a.t, b.t)]
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t)
  const square = d1 ** 2 - a.slope * b.slope
  if (!(square >= 0)) return (low + high) / 2
  const d2 = Math.sqrt(square)
  const [left, right] = a.t <= b.t ? [a, b] : [b, a]
  const share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
  return Math.min(Math.max(right.t - (right.t - left.t) * share, low), high)
}

/** What a search may do. */
export interface Search {
  /** The point of a step. */
  evaluate(t: number): LinePoint
  /** The largest element of the direction. */
  length: number
  /** Below this an interval is not worth dividing. */
  toleranceChange: number
  /** How often it divides and goes on at most. */
  most: number
}

/**
 * Looks from the start, where t is 0, for a point that is low enough and flat enough.
 * @param t the first step to try
 * @returns the best point found
 */
export function strongWolfe(start: LinePoint, t: number, search: Search): LinePoint {
  const { evaluate, most } = search
  const isHigh = ({ t, loss }: LinePoint) => loss > start.loss + ARMIJO * t * start.slope
  const isFlat = ({ slope }: LinePoint) => Math.abs(slope) <= -CURVATURE * start.slope
  let before = start
  let point = evaluate(t)
  let tries = 0
  for (; tries < most; tries++) {
    if (isHigh(point) || (tries > 1 && point.loss >= before.loss)) break
    if (isFlat(point)) return point
    if (point.slope >= 0) break
    const bounds = [point.t + 0.01 * (point.t - before.t), point.t * 10] as const
    const next = cubicMinimum(before, point, bounds)
    before = point
    point = evaluate(next)
  }
  const bracket: [LinePoint, LinePoint] = [tries === most ? start : before, point]
  return zoom(bracket, { ...search, most: most - tries }, { isHigh, isFlat })
}

/** Narrows an interval with such a point in it. */
function zoom(
  [first, second]: readonly [LinePoint, LinePoint],
  { evaluate, length, toleranceChange, most }: Search,
  { isHigh, isFlat }: Record<'isHigh' | 'isFlat', (point: LinePoint) => boolean>,
): LinePoint {
  let [low, high] = first.loss <= second.loss ? [first, second] : [second, first]
  let hasStalled = false
  for (let tries = 0; tries < most; tries++) {
    if (Math.abs(high.t - low.t) * length < toleranceChange) break
    const [left, right] = [Math.min(low.t, high.t), Math.max(low.t, high.t)]
    let t = cubicMinimum(low, high)
    const margin = 0.1 * (right - left)
    const isAtEdge = Math.min(right - t, t - left) < margin
    // Close to an end a second time, or on it: a tenth of the interval away from it.
    if (isAtEdge && (hasStalled || t >= right || t <= left)) {
      t = Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin
      hasStalled = false
    } else hasStalled = isAtEdge
    const point = evaluate(t)
    if (isHigh(point) || point.loss >= low.loss) {
      high = point
      if (high.loss < low.loss) [low, high] = [high, low]
      continue
    }
    if (isFlat(point)) return point
    if (point.slope * (high.t - low.t) >= 0) high = low
    low = point
  }
  return low
}
