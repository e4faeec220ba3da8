/** Kernels that round each element, or ask whether it is a number. */
import type { JsKernel } from './kernel.js'

export const floor: JsKernel<'floor'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.floor(x[i])
}

export const ceil: JsKernel<'ceil'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.ceil(x[i])
}

// Math.round takes the larger of two that are equally near.
export const round: JsKernel<'round'> = (x, y, n) => {
  for (let i = 0; i < n; i++) {
    const nearest = Math.round(x[i])
    y[i] = nearest - x[i] === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
  }
}

export const trunc: JsKernel<'trunc'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Math.trunc(x[i])
}

const nanMask: JsKernel<'isNaN'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Number.isNaN(x[i]) ? 1 : 0
}

const finiteMask: JsKernel<'isFinite'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = Number.isFinite(x[i]) ? 1 : 0
}

export { finiteMask as isFinite, nanMask as isNaN }
