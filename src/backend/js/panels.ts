/** Weights in panels of 64 columns, and products with them; see the native kernels for what they save. */
import { gemm } from './gemm.js'
import type { Floats, JsKernel } from './kernel.js'
import { gemmSgd } from './optim.js'

const PANEL = 64

/** Where the elements of weights in panels, one after another, lie in rows. */
export function panelOrder(rows: number, cols: number): Uint32Array {
  const order = new Uint32Array(rows * cols)
  let packed = 0
  for (let col = 0; col < cols; col += PANEL) {
    const end = Math.min(col + PANEL, cols)
    for (let row = 0; row < rows; row++) {
      for (let c = col; c < end; c++) order[packed++] = row * cols + c
    }
  }
  return order
}

export const packPanels: JsKernel<'packPanels'> = (x, y, rows, cols) => {
  const order = panelOrder(rows, cols)
  for (let i = 0; i < order.length; i++) y[i] = x[order[i]]
}

export const unpackPanels: JsKernel<'unpackPanels'> = (x, y, rows, cols) => {
  const order = panelOrder(rows, cols)
  for (let i = 0; i < order.length; i++) y[order[i]] = x[i]
}

function unpacked(x: Floats, rows: number, cols: number): Floats {
  const y = x.slice(0, rows * cols)
  unpackPanels(x, y, rows, cols)
  return y
}

export const gemmPanels: JsKernel<'gemmPanels'> = (a, b, c, transB, m, n, k) => {
  const weights = transB ? unpacked(b, n, k) : unpacked(b, k, n)
  gemm(a, weights, c, 0, transB, m, n, k, 1, 0)
}

export const gemmSgdPanels: JsKernel<'gemmSgdPanels'> = (a, b, w, settings, m, n, k) => {
  const weights = unpacked(w, m, n)
  gemmSgd(a, b, weights, settings, 1, 0, m, n, k)
  packPanels(weights, w, m, n)
}
