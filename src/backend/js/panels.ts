/** Weights in panels of 64 columns; see native/gemm/panels.h for what they save. */
import type { Floats } from './kernel.js'

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

/** Weights x in rows become y in panels. */
export function packPanels(x: Floats, y: Floats, rows: number, cols: number): void {
  const order = panelOrder(rows, cols)
  for (let i = 0; i < order.length; i++) y[i] = x[order[i]]
}

/** The weights in rows: themselves, or a copy of those that lie in panels. */
export function inRows(panels: number, x: Floats, rows: number, cols: number): Floats {
  if (!panels) return x
  const y = x.slice(0, rows * cols)
  const order = panelOrder(rows, cols)
  for (let i = 0; i < order.length; i++) y[order[i]] = x[i]
  return y
}
