/** Statistics of activations: the share of saturated and of dead units, and histograms. */
import type { ActivationKind } from './observed.js'

/** A sigmoid or tanh unit counts as saturated where |g′(a)| is below this share of its largest. */
const SATURATED = 0.05

/**
 * Share of the activations, over units and examples, with |g′(a)| < 0.05·max |g′|: sigmoid beyond
 * |a| = 4.36, tanh beyond 2.18. Undefined for other kinds.
 */
export function saturatedShare(kind: ActivationKind, values: Float32Array): number | undefined {
  if (kind !== 'sigmoid' && kind !== 'tanh') return undefined
  // g′ from y = g(a): for sigmoid y·(1 - y), that of tanh for 2·y - 1; for tanh 1 - y², at most 1.
  const [scale, shift] = kind === 'sigmoid' ? [2, -1] : [1, 0]
  let count = 0
  for (let i = 0; i < values.length; i++) {
    const y = scale * values[i] + shift
    if (1 - y * y < SATURATED) count++
  }
  return count / values.length
}

/**
 * Share of the relu units that are 0 for every example of the batch. Undefined for other kinds.
 * @param values [batch, ...units]
 */
export function deadShare(
  kind: ActivationKind,
  values: Float32Array,
  batch: number,
): number | undefined {
  if (kind !== 'relu') return undefined
  const units = values.length / batch
  let dead = 0
  for (let unit = 0; unit < units; unit++) {
    let i = unit
    while (i < values.length && values[i] === 0) i += units
    if (i >= values.length) dead++
  }
  return dead / units
}

/**
 * How many of the finite values fall into each of `bins` equal parts of the range: that of the
 * activation where it is bounded, else from the least (0 for relu) to the largest value.
 */
export function histogram(
  kind: ActivationKind,
  values: Float32Array,
  bins: number,
): { edges: number[]; counts: number[] } {
  const [low, high] = rangeOf(kind, values)
  const perUnit = bins / (high - low)
  // The place after the last is for the largest value, the one after that for what is not finite.
  const counts = new Uint32Array(bins + 2)
  for (let i = 0; i < values.length; i++) {
    const at = (values[i] - low) * perUnit
    counts[at >= 0 && at <= bins ? at | 0 : bins + 1]++
  }
  counts[bins - 1] += counts[bins]
  return {
    edges: Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins),
    counts: [...counts.subarray(0, bins)],
  }
}

function rangeOf(kind: ActivationKind, values: Float32Array): [low: number, high: number] {
  if (kind === 'sigmoid') return [0, 1]
  if (kind === 'tanh') return [-1, 1]
  let low = Infinity
  let high = -Infinity
  for (let i = 0; i < values.length; i++) {
    const y = values[i]
    if (y < low && y > -Infinity) low = y
    if (y > high && y < Infinity) high = y
  }
  if (low > high) return [0, 1] // nothing is finite
  if (kind === 'relu') low = 0
  return low < high ? [low, high] : [low, low + 1]
}
