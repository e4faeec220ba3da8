/**
 * Kernels that fill, repeat and move elements without computing. Moved elements may be of any
 * dtype; source and destination have the same one.
 */
import type { TypedArray } from '../dtype.js'
import { BoolArray } from './buffers.js'
import type { JsKernel } from './kernel.js'

// From this many elements on, making two views and copying a block beats a loop.
const BLOCK = 64
// Side of the square that a transpose finishes before it goes on: 32 lines of 64 bytes each way.
const SQUARE = 16

/** y[yAt + i] = x[xAt + i] for i below n. */
export function copyElements(
  x: TypedArray,
  xAt: number,
  y: TypedArray,
  yAt: number,
  n: number,
): void {
  if (n >= BLOCK) y.set(x.subarray(xAt, xAt + n), yAt)
  else for (let i = 0; i < n; i++) y[yAt + i] = x[xAt + i]
}

export const fill: JsKernel<'fill'> = (y, n, value) => {
  y.fill(y instanceof BoolArray ? +(value !== 0) : value, 0, n)
}

export const expand: JsKernel<'expand'> = (x, y, outer, repeat, inner) => {
  for (let o = 0; o < outer; o++) {
    const from = o * inner
    for (let r = 0; r < repeat; r++) {
      const to = (o * repeat + r) * inner
      if (inner === 1) {
        y.fill(x[o], to, to + repeat)
        break
      }
      copyElements(x, from, y, to, inner)
    }
  }
}

export const copy2d: JsKernel<'copy2d'> = (
  x,
  y,
  rows,
  cols,
  xOffset,
  xStride,
  yOffset,
  yStride,
) => {
  if (xStride === cols && yStride === cols) {
    copyElements(x, xOffset, y, yOffset, rows * cols)
    return
  }
  for (let r = 0; r < rows; r++) {
    copyElements(x, xOffset + r * xStride, y, yOffset + r * yStride, cols)
  }
}

export const transpose: JsKernel<'transpose'> = (x, y, outer, rows, cols, inner) => {
  for (let o = 0; o < outer; o++) {
    const plane = o * rows * cols * inner
    if (inner === 1) {
      transposeMatrix(x, y, plane, rows, cols)
      continue
    }
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) {
        copyElements(x, plane + (r * cols + c) * inner, y, plane + (c * rows + r) * inner, inner)
      }
    }
  }
}

function transposeMatrix(
  x: TypedArray,
  y: TypedArray,
  plane: number,
  rows: number,
  cols: number,
): void {
  for (let r0 = 0; r0 < rows; r0 += SQUARE) {
    const rEnd = Math.min(r0 + SQUARE, rows)
    for (let c0 = 0; c0 < cols; c0 += SQUARE) {
      const cEnd = Math.min(c0 + SQUARE, cols)
      for (let c = c0; c < cEnd; c++) {
        for (let r = r0; r < rEnd; r++) y[plane + c * rows + r] = x[plane + r * cols + c]
      }
    }
  }
}

const AXES = 8

export const copyStrided: JsKernel<'copyStrided'> = (x, y, xOffset, yOffset, ...numbers) => {
  const extents = numbers.slice(0, AXES)
  const xStrides = numbers.slice(AXES, 2 * AXES)
  const yStrides = numbers.slice(2 * AXES)
  if (extents.includes(0)) return
  const last = AXES - 1
  const isBlock = xStrides[last] === 1 && yStrides[last] === 1
  const walk = (axis: number, xAt: number, yAt: number): void => {
    if (axis === last && isBlock) {
      copyElements(x, xAt, y, yAt, extents[axis])
      return
    }
    for (let i = 0; i < extents[axis]; i++) {
      if (axis === last) y[yAt] = x[xAt]
      else walk(axis + 1, xAt, yAt)
      xAt += xStrides[axis]
      yAt += yStrides[axis]
    }
  }
  walk(0, xOffset, yOffset)
}

export const triangle: JsKernel<'triangle'> = (x, y, outer, rows, cols, diagonal, upper) => {
  for (let at = 0; at < outer * rows * cols; at++) {
    const c = at % cols
    const r = ((at - c) / cols) % rows
    y[at] = (upper ? c >= r + diagonal : c <= r + diagonal) ? x[at] : 0
  }
}

export const cast: JsKernel<'cast'> = (x, y, n) => {
  if (x instanceof BoolArray || y instanceof BoolArray) {
    for (let i = 0; i < n; i++) y[i] = x[i] === 0 ? 0 : 1
  } else {
    for (let i = 0; i < n; i++) y[i] = x[i]
  }
}
