/**
 * Kernels that pick rows by index. All indices are checked before anything is written.
 */
import { checkIndices, type JsKernel } from './kernel.js'
import { copyElements } from './layout.js'

export const gatherRows: JsKernel<'gatherRows'> = (x, indices, y, count, cols, sourceRows) => {
  checkIndices('gatherRows: indices', indices, count, sourceRows)
  for (let r = 0; r < count; r++) copyElements(x, indices[r] * cols, y, r * cols, cols)
}

export const gatherBytes: JsKernel<'gatherBytes'> = (
  x,
  indices,
  y,
  count,
  cols,
  sourceRows,
  scale,
) => {
  checkIndices('gatherBytes: indices', indices, count, sourceRows)
  for (let r = 0; r < count; r++) {
    const from = indices[r] * cols
    const to = r * cols
    for (let i = 0; i < cols; i++) y[to + i] = scale * x[from + i]
  }
}

export const scatterAddRows: JsKernel<'scatterAddRows'> = (
  dy,
  indices,
  dx,
  count,
  cols,
  targetRows,
) => {
  checkIndices('scatterAddRows: indices', indices, count, targetRows)
  for (let r = 0; r < count; r++) {
    const from = r * cols
    const to = indices[r] * cols
    for (let i = 0; i < cols; i++) dx[to + i] += dy[from + i]
  }
}

export const oneHot: JsKernel<'oneHot'> = (labels, y, rows, cols) => {
  checkIndices('oneHot: labels', labels, rows, cols)
  y.fill(0, 0, rows * cols)
  for (let r = 0; r < rows; r++) y[r * cols + labels[r]] = 1
}
