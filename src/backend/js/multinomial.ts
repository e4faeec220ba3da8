/**
 * Categories drawn by their weights, step by step as in native/kernels/multinomial.cc: in doubles and
 * in one order, so that both draw the same.
 */
import { KernelError } from '../../base/errors.js'
import type { Floats, JsKernel } from './kernel.js'
import { advance, draw, words } from './philox.js'

export const multinomial: JsKernel<'multinomial'> = (
  weights,
  y,
  state,
  scratch,
  rows,
  cols,
  count,
  replacement,
) => {
  if (count === 0) return
  for (let row = 0; row < rows; row++) checkWeights(weights, row, cols, replacement ? 1 : count)
  const drawRow = replacement ? drawWithReplacement : drawWithoutReplacement
  const own = scratch.subarray(0, cols)
  for (let row = 0; row < rows; row++) {
    own.set(weights.subarray(row * cols, (row + 1) * cols))
    const drawn = y.subarray(row * count, (row + 1) * count)
    drawRow(own, drawn, (i) => unit(state, row * count + i))
  }
  advance(state, 2 * rows * count)
}

function checkWeights(weights: Floats, row: number, cols: number, needed: number): void {
  let positive = 0
  for (let at = row * cols; at < (row + 1) * cols; at++) {
    const weight = weights[at]
    if (!(weight >= 0 && weight < Infinity)) {
      const found = weight < 0 ? 'one below 0' : weight
      throw new KernelError(
        `multinomial: weights[${at}]: expected a finite number from 0 on, got ${found}`,
      )
    }
    if (weight > 0) positive++
  }
  if (positive >= needed) return
  throw new KernelError(
    `multinomial: weights: expected at least ${needed} above 0 in row ${row}, got ${positive}`,
  )
}

/** From 0 to below 1, all 53 bits of a double; two words for each draw. */
function unit(state: Int32Array, index: number): number {
  draw(state, Math.floor(index / 2))
  const at = 2 * (index % 2)
  return ((words[at] >>> 5) * 2 ** 26 + (words[at + 1] >>> 6)) * 2 ** -53
}

/** The first category at which the sums of the weights so far exceed a share of all of them. */
function drawWithReplacement(
  sums: Float64Array,
  y: Int32Array,
  shareOf: (i: number) => number,
): void {
  for (let c = 1; c < sums.length; c++) sums[c] += sums[c - 1]
  const total = sums[sums.length - 1]
  // A share that is rounded up to all of it is the last category's that has a weight.
  const last = firstOf(sums, (sum) => sum >= total)
  for (let i = 0; i < y.length; i++) {
    const share = shareOf(i) * total
    y[i] = Math.min(
      firstOf(sums, (sum) => sum > share),
      last,
    )
  }
}

/** The first place in an ascending list where something holds that then goes on to hold. */
function firstOf(list: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(list[middle])) high = middle
    else low = middle + 1
  }
  return low
}

/** The same, and what was drawn has no weight any more. */
function drawWithoutReplacement(
  rest: Float64Array,
  y: Int32Array,
  shareOf: (i: number) => number,
): void {
  for (let i = 0; i < y.length; i++) {
    const share = shareOf(i) * rest.reduce((sum, weight) => sum + weight, 0)
    let passed = 0
    let found = 0
    for (let c = 0; c < rest.length && passed <= share; c++) {
      if (rest[c] > 0) found = c
      passed += rest[c]
    }
    rest[found] = 0
    y[i] = found
  }
}
