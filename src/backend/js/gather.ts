/**
 * Kernels that pick, write and add elements by index. All indices are checked before anything is written.
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

/** Checks the indices of a kernel along an axis, and calls f with the places of each element. */
function along(
  argument: string,
  indices: Int32Array,
  [outer, length, count, inner, each]: readonly number[],
  f: (part: number, whole: number) => void,
): void {
  checkIndices(argument, indices, each ? outer * count * inner : count, length)
  const size = outer * count * inner
  for (let part = 0; part < size; part++) {
    const i = part % inner
    const row = (part - i) / inner
    const index = indices[each ? part : row % count]
    f(part, (Math.floor(row / count) * length + index) * inner + i)
  }
}

export const gather: JsKernel<'gather'> = (x, indices, y, ...extents) => {
  along('gather: indices', indices, extents, (part, whole) => {
    y[part] = x[whole]
  })
}

export const scatter: JsKernel<'scatter'> = (x, indices, y, ...extents) => {
  along('scatter: indices', indices, extents, (part, whole) => {
    y[whole] = x[part]
  })
}

export const scatterAdd: JsKernel<'scatterAdd'> = (x, indices, y, ...extents) => {
  along('scatterAdd: indices', indices, extents, (part, whole) => {
    y[whole] += x[part]
  })
}

export const oneHot: JsKernel<'oneHot'> = (labels, y, rows, cols) => {
  checkIndices('oneHot: labels', labels, rows, cols)
  y.fill(0, 0, rows * cols)
  for (let r = 0; r < rows; r++) y[r * cols + labels[r]] = 1
}
