/** Kernels of distances between the rows of a [outer, rowsA, cols] and b [outer, rowsB, cols]. */
import type { JsKernel } from './kernel.js'

export const cdist: JsKernel<'cdist'> = (a, b, y, outer, rowsA, rowsB, cols) => {
  for (let at = 0; at < outer * rowsA * rowsB; at++) {
    const j = at % rowsB
    const row = (at - j) / rowsB
    const own = row * cols
    const other = (Math.floor(row / rowsA) * rowsB + j) * cols
    let sum = 0
    for (let c = 0; c < cols; c++) sum += (a[own + c] - b[other + c]) ** 2
    y[at] = Math.sqrt(sum)
  }
}

export const cdistGrad: JsKernel<'cdistGrad'> = (a, b, y, dy, da, outer, rowsA, rowsB, cols) => {
  for (let at = 0; at < outer * rowsA * cols; at++) {
    const c = at % cols
    const row = (at - c) / cols
    const others = Math.floor(row / rowsA) * rowsB
    let sum = 0
    for (let j = 0; j < rowsB; j++) {
      const pair = row * rowsB + j
      const weight = y[pair] === 0 ? 0 : dy[pair] / y[pair]
      sum += weight * (a[at] - b[(others + j) * cols + c])
    }
    da[at] = sum
  }
}
